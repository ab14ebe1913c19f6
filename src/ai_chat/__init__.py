"""Chat with any OpenAI-style model, or with one on your own machine."""

__version__ = "0.1.0"
