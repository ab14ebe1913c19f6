"""The script that Streamlit runs, from its first line to its last, for everything a person does."""
import time
t=time.time()
from ai_chat.ui.page import draw

draw()
print("script", time.time()-t, flush=True)
