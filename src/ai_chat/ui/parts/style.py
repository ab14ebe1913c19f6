"""The few rules of style that the theme has no option for. They name keys of ours, which stay the same."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from .style_knowledge import KNOWLEDGE_CSS

TINT = "color-mix(in srgb, currentColor 6%, transparent)"
"""A surface a little away from the page, in the light and in the dark."""
NAMED = ':is([class*="st-key-tools-"], [class*="st-key-edit-"], [class*="st-key-menu-"], .st-key-stopping)'
"""What holds buttons that show an icon only."""
MARK = "data:image/svg+xml," + quote(Path(__file__).parent.with_name("icon.svg").read_text("utf-8").strip())
VALUES = {
    "TINT": TINT,
    "MARK": MARK,
    "NAMED": NAMED,
    "BORDER": "rgb(128 128 128 / 0.25)",
    "ACCENT": "#3f8f76",
    "MARKED": "color-mix(in srgb, #3f8f76 14%, transparent)",
    "WORD": "color-mix(in srgb, #3f9f7f 36%, transparent)",
}
"""What stands for what in the rules. Colours must do in the light and in the dark: a dialog knows not which it is."""

CSS = """
<style>
/* the frame */
[data-testid="stMainBlockContainer"] { max-width: 50rem; padding: 0 1.5rem 2rem; }
[data-testid="stBottomBlockContainer"] { max-width: 50rem; padding: 0.25rem 1.5rem 0.6rem; }
[data-testid="stBottomBlockContainer"] > div { gap: 0.4rem; }
[data-testid="stStatusWidget"], [data-testid="stDecoration"], [data-testid="stAppDeployButton"] { display: none; }
[data-testid="stHeader"] { background: transparent; pointer-events: none; }
[data-testid="stHeader"] button { pointer-events: auto; }

.st-key-browser { position: absolute; height: 0; }

/* the head: it stays while the messages scroll */
[data-testid="stLayoutWrapper"]:has(> .st-key-header) { position: sticky; top: 0; z-index: 5; }
.st-key-header { padding: 0.65rem 0 1.1rem; background: linear-gradient(PAPER 65%, transparent); }
.st-key-header > [data-testid="stElementContainer"]:first-child { flex: 1; min-width: 0; }
.st-key-header [data-testid="stMarkdownContainer"] p { margin: 0; font-weight: 600; }
.st-key-header [data-testid="stSelectbox"] [role="group"] { background: transparent; border-color: transparent; }
.st-key-header [data-testid="stSelectbox"] [role="group"]:hover { background: TINT; }
.st-key-header [data-testid="stSelectbox"] input { text-align: right; text-overflow: ellipsis; }

/* the sidebar */
[data-testid="stSidebarHeader"] { height: 3.2rem; padding-bottom: 0; margin-bottom: 0; }
[data-testid="stSidebarContent"] [data-testid="stSidebarUserContent"] { padding: 0 0.75rem 1rem; margin-top: -2.4rem; }
.wordmark { display: flex; align-items: center; gap: 0.55rem; font-weight: 650; font-size: 1.12rem; height: 1.9rem;
            letter-spacing: -0.01em; padding: 0 0.5rem; }
.wordmark::before {
  content: ""; width: 1.45rem; height: 1.45rem; flex: none; background: url("MARK") center / contain no-repeat;
}
[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"] { gap: 0.5rem; }
[data-testid="stSidebarUserContent"] .st-key-conversations, .st-key-conversations > div { gap: 0.1rem; }
.st-key-new-chat button, .st-key-conversations button {
  justify-content: flex-start; padding: 0.3rem 0.6rem; min-height: 2.15rem; border-radius: 0.6rem; font-weight: 400;
}
:is(.st-key-new-chat, .st-key-more-conversations, [class*="st-key-open-"]) button > div {
  justify-content: flex-start; width: 100%;
}
.st-key-new-chat button:hover, [class*="st-key-open-"]:hover, [class*="st-key-active-"] {
  background: TINT; border-radius: 0.6rem; color: inherit;
}
.st-key-conversations button, .st-key-conversations button:hover { color: inherit; background: transparent; }
[class*="st-key-open-"] button :is(span, div) { min-width: 0; }
[class*="st-key-open-"] button p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
[class*="st-key-active-"] [class*="st-key-open-"] button { font-weight: 600; }
.st-key-conversations [data-testid="stCaptionContainer"] { padding: 0.8rem 0.6rem 0.2rem; }
.st-key-conversations [data-testid="stCaptionContainer"] p { font-size: 0.76rem; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { margin: 0; }
[class*="st-key-menu-"] button { padding: 0.2rem 0.45rem; }
[class*="st-key-menu-"] button > div > [aria-hidden="true"] { display: none; }
.st-key-undo { padding: 0 0.2rem 0 0.6rem; border-radius: 0.6rem; background: TINT; }
.st-key-undo > div:first-child { flex: 1; min-width: 0; }
.st-key-undo p { margin: 0; }
[data-testid="stSidebarUserContent"] > div > [data-testid="stVerticalBlock"] { min-height: calc(100dvh - 2.6rem); }
[data-testid="stLayoutWrapper"]:has(> .st-key-options) { margin-top: auto; padding: 1rem 0.6rem 0; }
.st-key-options :is(label, summary) p { font-size: 0.78rem; opacity: 0.7; }
.st-key-options [data-testid="stButtonGroup"] button { min-height: 1.7rem; padding: 0.1rem 0.6rem; }
.st-key-options [data-testid="stButtonGroup"] button p { font-size: 0.8rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-books) { padding: 0.5rem 0.6rem 0; }
.st-key-books p { font-size: 0.78rem; }
.st-key-books button > div { justify-content: flex-start; }
.st-key-books button { padding: 0; min-height: 2rem; justify-content: flex-start; }
[data-testid="stMetricValue"] { font-size: 1.5rem; }
.days { display: flex; align-items: stretch; gap: 3px; height: 9rem; }
.days .day { flex: 1 1 0; max-width: 3.2rem; min-width: 0; display: flex; flex-direction: column;
  justify-content: flex-end; }
.days .bar { background: currentColor; opacity: 0.4; border-radius: 4px 4px 0 0; }
.days span { font-size: 0.62rem; opacity: 0.6; text-align: center; overflow: hidden; white-space: nowrap; }
table.usage { width: 100%; border-collapse: collapse; font-size: 0.88rem; }
table.usage th { text-align: left; font-weight: 550; opacity: 0.6; }
table.usage td, table.usage th { padding: 0.4rem 0.5rem 0.4rem 0; border-bottom: 1px solid rgb(128 128 128 / 0.25); }
table.usage td:first-child { max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
[data-testid="stLayoutWrapper"]:has(> .st-key-languages) { padding: 0.4rem 0.4rem 0; }
.st-key-languages button { min-height: 1.8rem; padding: 0.1rem 0.7rem; font-size: 0.82rem; }

/* messages */
.st-key-thread { gap: 0.75rem; padding-bottom: 1rem; }
[class*="st-key-question-"] > [data-testid="stElementContainer"] { max-width: min(88%, 36rem); }
[class*="st-key-question-"] [data-testid="stText"] {
  background: TINT; border-radius: 1.2rem 1.2rem 0.3rem 1.2rem; padding: 0.55rem 1rem;
  font-family: inherit; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.55;
}
[class*="st-key-answer-"] [data-testid="stMarkdownContainer"] { line-height: 1.68; overflow-wrap: anywhere; }
[class*="st-key-answer-"] [data-testid="stMarkdownContainer"] :is(h1, h2, h3, h4) { padding: 0.5rem 0 0; }
[class*="st-key-answer-"] [data-testid="stExpander"] { margin-bottom: 0.7rem; }
[class*="st-key-answer-"] table { width: 100%; }
[class*="st-key-answer-"] :is(th, td) { border-left: 0; border-right: 0; }
[class*="st-key-tools-"] { min-height: 2rem; flex-wrap: nowrap; }
[class*="st-key-answer-"] [class*="st-key-tools-"] { margin-left: -0.4rem; }
:is([class*="st-key-tools-"], [class*="st-key-edit-"]) button {
  width: 1.9rem; min-height: 1.9rem; height: 1.9rem; padding: 0; border-radius: 0.5rem; opacity: 0.6;
}
:is([class*="st-key-tools-"], [class*="st-key-edit-"]) button:hover { opacity: 1; background: TINT; color: inherit; }
:is([class*="st-key-tools-"], [class*="st-key-edit-"]) [data-testid="stIconMaterial"] { font-size: 1.15rem; }
[class*="st-key-tools-"] [data-testid="stCaptionContainer"] p { margin: 0; font-size: 0.8rem; }
[class*="st-key-tools-"] [data-testid="stCaptionContainer"] { margin-left: 0.4rem; }
@media (hover: hover) {
  [class*="st-key-question-"] > [class*="st-key-edit-"] { opacity: 0; transition: opacity 120ms; }
  [class*="st-key-question-"]:is(:hover, :focus-within) > [class*="st-key-edit-"] { opacity: 1; }
}
[class*="st-key-ending-"] { padding: 0.2rem 0 0.3rem; }
:is([class*="st-key-ending-"], [class*="st-key-trouble-"]) [data-testid="stMarkdownContainer"] { margin: 0; }
:is([class*="st-key-ending-"], [class*="st-key-trouble-"]) p { margin: 0; opacity: 0.8; font-size: 0.93rem; }
[class*="st-key-ending-"] button { min-height: 1.9rem; padding: 0.1rem 0.75rem; }
[class*="st-key-trouble-"] { padding: 0.45rem 0.9rem; border-radius: 0.8rem; background: TINT; }
[class*="st-key-editor-"] textarea { line-height: 1.55; }

/* the empty page */
.st-key-empty { padding-top: 17vh; }
.st-key-empty h2 { font-size: 1.8rem; padding-bottom: 0; letter-spacing: -0.02em; }
.st-key-suggestions { display: grid !important; grid-template-columns: 1fr 1fr; gap: 0.6rem; padding-top: 0.5rem; }
.st-key-suggestions > div, .st-key-suggestions .stButton, .st-key-suggestions button { width: 100%; height: 100%; }
.st-key-suggestions button { justify-content: flex-start; text-align: left; padding: 0.75rem 1rem; font-weight: 400; }
.st-key-suggestions button > div { justify-content: flex-start; }

/* writing */
[data-testid="stChatInput"] > div { border-radius: 1.4rem; box-shadow: 0 2px 16px rgb(0 0 0 / 6%); }
[data-testid="stChatInput"] textarea { font-size: 1rem; }
[data-testid="stChatInputSubmitButton"] { border-radius: 50%; }
[data-testid="stLayoutWrapper"]:has(> .st-key-stopping) { height: 0; margin-top: -0.4rem; z-index: 2; }
.st-key-stopping { align-items: flex-end; }
.st-key-stop { width: auto; transform: translate(-1.06rem, -2.83rem); }
.st-key-stop button { width: 2rem; min-height: 2rem; height: 2rem; padding: 0; border-radius: 50%; }
.st-key-stop [data-testid="stIconMaterial"] {
  width: 0.72rem; height: 0.72rem; border-radius: 0.15rem; background: #fff; font-size: 0; overflow: hidden;
}
.st-key-footnote p { font-size: 0.76rem; margin: 0; }

/* buttons that are an icon: their name shows when one points at them */
NAMED button { position: relative; overflow: visible; }
NAMED button [data-testid="stMarkdownContainer"] {
  position: absolute; left: 50%; bottom: calc(100% + 0.35rem); transform: translateX(-50%); padding: 0.15rem 0.5rem;
  border-radius: 0.4rem; background: #26302b; color: #fff; white-space: nowrap; opacity: 0; pointer-events: none;
  transition: opacity 100ms 250ms; z-index: 20; width: max-content; max-width: none; overflow: visible;
  line-height: 1.4;
}
NAMED button :is(span, div) { overflow: visible; }
NAMED button [data-testid="stMarkdownContainer"] p { font-size: 0.76rem; overflow: visible; }
NAMED button:is(:hover, :focus-visible) [data-testid="stMarkdownContainer"] { opacity: 1; }
@media (hover: none) {
  NAMED button [data-testid="stMarkdownContainer"][class] {
    width: 1px; height: 1px; padding: 0; overflow: hidden; clip-path: inset(50%);
  }
}

@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 0 1rem 1.5rem; }
  [data-testid="stBottomBlockContainer"] { padding: 0.25rem 0.75rem 0.5rem; }
  .st-key-header, .st-key-usage-head { padding-left: 2.6rem; }
  .st-key-header > [class*="st-key-picked-"] { width: 42vw; }
  .st-key-empty { padding-top: 8vh; }
  .st-key-suggestions { grid-template-columns: 1fr; }
}
</style>
"""


def draw_style() -> None:
    """Add the rules to the page."""
    light, dark = (st.get_option(f"theme.{mode}.backgroundColor") or "canvas" for mode in ("light", "dark"))
    css = CSS.replace("</style>", f"{KNOWLEDGE_CSS}</style>")
    for name, value in {**VALUES, "PAPER": f"light-dark({light}, {dark})"}.items():
        css = re.sub(rf"\b{name}\b", value, css)
    st.html(css)
