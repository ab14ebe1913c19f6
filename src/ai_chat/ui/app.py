"""The script that Streamlit runs, from its first line to its last, for everything a person does."""

from ai_chat.ui.page import draw

draw()
