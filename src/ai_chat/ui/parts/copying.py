"""The button that copies a whole message as Markdown."""

from __future__ import annotations

import streamlit as st

from ..state import say

HTML = '<button type="button"><span class="icon"></span></button>'
CSS = """
button {
  all: unset; box-sizing: border-box; cursor: pointer;
  display: inline-flex; align-items: center; justify-content: center;
  width: 1.9rem; height: 1.9rem; border-radius: 0.5rem; color: var(--st-text-color); opacity: 0.55;
  transition: opacity 120ms, background-color 120ms;
}
button:hover { opacity: 1; background-color: var(--st-secondary-background-color); }
button:focus-visible { opacity: 1; outline: 2px solid var(--st-primary-color); }
button.done { opacity: 1; color: var(--st-primary-color); }
.icon { display: inline-flex; }
svg { width: 1.05rem; height: 1.05rem; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round;
      stroke-linejoin: round; }
"""
JS = """
const COPY = '<svg viewBox="0 0 24 24"><rect x="9" y="9" width="11" height="11" rx="2.5"/>' +
  '<path d="M5.5 15H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v.5"/></svg>';
const DONE = '<svg viewBox="0 0 24 24"><path d="M5 12.5l4.5 4.5L19 7.5"/></svg>';

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    document.body.appendChild(area);
    area.select();
    try { return document.execCommand('copy'); } catch { return false; } finally { area.remove(); }
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const button = parentElement.querySelector('button');
  const icon = parentElement.querySelector('.icon');
  if (!button.classList.contains('done')) { icon.innerHTML = COPY; }
  button.title = data.copy;
  button.setAttribute('aria-label', data.copy);
  button.onclick = async () => {
    const done = await write(data.text);
    button.title = done ? data.copied : data.failed;
    button.setAttribute('aria-label', button.title);
    if (!done) { return; }
    icon.innerHTML = DONE;
    button.classList.add('done');
    clearTimeout(button.timer);
    button.timer = setTimeout(() => {
      icon.innerHTML = COPY;
      button.classList.remove('done');
      button.title = data.copy;
      button.setAttribute('aria-label', data.copy);
    }, 1600);
  };
}
"""

_component = st.components.v2.component("ai_chat_copy", html=HTML, css=CSS, js=JS)


def copy_button(text: str, key: str) -> None:
    """Draw the button. The text is copied without asking the server again."""
    data = {"text": text, "copy": say("copy"), "copied": say("copied"), "failed": say("copy_failed")}
    _component(key=key, data=data, width="content", height="content")
