"""`python -m ai_chat` is the command `ai-chat`."""

from .cli import main

if __name__ == "__main__":
    main()
