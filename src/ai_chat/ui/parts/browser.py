"""What the browser does by itself.

It keeps a draft over a reload, gets the sidebar out of the way on a phone, and presses the button of a source when a
citation of it is clicked in a text.
"""

from __future__ import annotations

import streamlit as st

from ..state import conversation, language, remembered, shows_knowledge, shows_usage

JS = """
const BOX = '[data-testid="stChatInputTextArea"]';
const DRAFT = 'ai-chat-draft';
const PHONE = 768;

function write(box, text) {
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text);
  box.dispatchEvent(new Event('input', { bubbles: true }));
}

function restore(tries) {
  const box = document.querySelector(BOX);
  if (!box) {
    if (tries > 0) { setTimeout(() => restore(tries - 1), 100); }
    return;
  }
  const draft = sessionStorage.getItem(DRAFT);
  sessionStorage.removeItem(DRAFT);
  if (draft && !box.value) { write(box, draft); }
}

function keep() {
  const box = document.querySelector(BOX);
  if (box && box.value) { sessionStorage.setItem(DRAFT, box.value); } else { sessionStorage.removeItem(DRAFT); }
}

function focusEditor(name, tries) {
  const editor = document.querySelector('[class*="st-key-edited-' + name + '"] textarea');
  if (editor) {
    editor.focus();
    editor.setSelectionRange(editor.value.length, editor.value.length);
    const show = () => editor.scrollIntoView({ block: 'center' });
    show();
    setTimeout(show, 300);  // the page may have gone to its end meanwhile
  } else if (tries > 0) {
    setTimeout(() => focusEditor(name, tries - 1), 50);
  }
}

function cite(event) {
  const link = event.target.closest?.('a[href^="#source-"]');
  if (!link) { return; }
  event.preventDefault();  // while the answer is being written there is no button yet
  const button = document.querySelector('.st-key-' + CSS.escape(link.hash.slice(1)) + ' button');
  button?.focus({ preventScroll: true });
  // As a finger does it: after a click without one the dialog would not take the focus, and Escape would not close it.
  button?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, detail: 1 }));
}

export default function (component) {
  const { data } = component;
  const page = (window.aiChatPage ??= {});
  document.documentElement.lang = data.language === 'zh' ? 'zh-CN' : 'en';
  if (!page.begun) {
    page.begun = true;
    restore(30);
    addEventListener('pagehide', keep);
    document.addEventListener('click', cite, true);
    document.addEventListener('visibilitychange', () => { if (document.hidden) { keep(); } });
  } else if (page.shown !== data.shown && innerWidth < PHONE) {
    document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  }
  if (data.editing && page.editing !== data.editing) { focusEditor(data.editing, 20); }
  page.shown = data.shown;
  page.editing = data.editing;
}
"""

_component = st.components.v2.component("ai_chat_browser", js=JS)


def draw_browser() -> None:
    """Tell the browser where things stand."""
    shown = f"{conversation() or ''} {shows_usage():d}{shows_knowledge():d}"
    data = {"shown": shown, "language": language(), "editing": remembered("editing") or ""}
    _component(key="browser", data=data, height="content")
