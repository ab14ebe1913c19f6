"""The rules of style for documents and for what is cited of them; a part of the style in `style.py`."""

from __future__ import annotations

KNOWLEDGE_CSS = """
/* the head of the pages beside the conversation */
:is(.st-key-knowledge-head, .st-key-usage-head) { padding-top: 0.5rem; }
:is(.st-key-knowledge-head, .st-key-usage-head) h2 { padding: 0; }
:is(.st-key-knowledge-head, .st-key-usage-head) button { min-height: 2rem; padding: 0 0.2rem; }
:is(.st-key-knowledge-head, .st-key-usage-head, [class*="st-key-job-"]) [data-testid="stMarkdownContainer"] {
  margin: 0;
}
.st-key-knowledge-body { padding-bottom: 3rem; }
[data-testid="InputInstructions"] { display: none; }

/* adding */
.st-key-adding [data-testid="stTabPanel"] { padding-top: 1rem; }
.st-key-uploading [data-testid="stFileUploaderDropzone"]:has(> [data-testid="stFileUploaderDropzoneInstructions"]) {
  flex-direction: column; justify-content: center; align-items: center; gap: 0.6rem; min-height: 8rem;
  background: transparent; border: 1.5px dashed BORDER;
}
.st-key-uploading [data-testid="stFileUploaderDropzone"]:hover { background: TINT; }
.st-key-uploading [data-testid="stFileUploaderDropzoneInstructions"] { width: 100%; margin: 0; }
.st-key-uploading [data-testid="stFileUploaderDropzoneInstructions"] :is(div, span) {
  display: block; width: 100%; text-align: center;
}
.st-key-uploading [data-testid="stFileUploaderDropzoneInstructions"] span { font-size: 0; }
.st-key-uploading [data-testid="stFileUploaderDropzoneInstructions"] span::after {
  content: var(--drop); font-size: 0.9rem;
}
.st-key-uploading [data-testid="stFileUploaderDropzone"] > span button p { font-size: 0; }
.st-key-uploading [data-testid="stFileUploaderDropzone"] > span button p::after {
  content: var(--choose); font-size: 0.95rem;
}

/* what goes on */
[class*="st-key-job-head-"] > [data-testid="stElementContainer"]:first-child { flex: 1; min-width: 0; }
[class*="st-key-job-head-"] p { margin: 0; font-weight: 600; }
[class*="st-key-job-head-"] button { min-height: 1.8rem; padding: 0 0.4rem; }
[class*="st-key-job-head-"] button p { font-weight: 400; font-size: 0.9rem; }
[data-testid="stVerticalBlock"][class*="st-key-job-"]:not([class*="st-key-job-head-"]) {
  padding: 0.7rem 1rem; border-radius: 0.8rem; background: TINT;
}
[class*="st-key-job-"] [data-testid="stProgress"] p { font-size: 0.88rem; }
[class*="st-key-job-"] ul { margin: 0.2rem 0 0; font-size: 0.92rem; }
.st-key-trouble-outdated > [data-testid="stElementContainer"]:first-child { flex: 1; min-width: 12rem; }
.st-key-trouble-outdated button { min-height: 1.9rem; padding: 0.1rem 0.75rem; }

/* the list */
.st-key-documents { gap: 0.1rem; }
.st-key-documents > [data-testid="stElementContainer"] p {
  font-size: 0.82rem; font-weight: 600; padding: 0.9rem 0 0.2rem;
}
[class*="st-key-document-"]:not([class*="st-key-document-facts-"]) { padding: 0.45rem 0.2rem; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-document-"]) + [data-testid="stLayoutWrapper"] {
  border-top: 1px solid BORDER;
}
[class*="st-key-document-facts-"] { min-width: 0; }
[class*="st-key-document-facts-"] button {
  min-height: 1.6rem; padding: 0; justify-content: flex-start; text-align: left; max-width: 100%;
}
[class*="st-key-document-facts-"] button :is(div, span) { min-width: 0; }
[class*="st-key-document-facts-"] button p { overflow-wrap: anywhere; font-weight: 500; }
[class*="st-key-document-facts-"] [data-testid="stCaptionContainer"] p { font-size: 0.8rem; }
[class*="st-key-document-"] [class*="st-key-menu-"] button [data-testid="stMarkdownContainer"] { display: none; }
.st-key-documents-choice > div { min-width: 11rem; }

/* passages */
.passage { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.65; font-size: 0.95rem; }
.passage.code { font-family: "Source Code Pro", ui-monospace, monospace; font-size: 0.84rem; line-height: 1.55; }
.passage > span { opacity: 0.62; }
.passage .cited {
  background: MARKED; border-left: 3px solid ACCENT; border-radius: 0 0.5rem 0.5rem 0; padding: 0.45rem 0.8rem;
  margin: 0.5rem 0 0.6rem;
}
.passage .cited:first-child, .passage > span:empty { margin-top: 0; }
mark { background: WORD; color: inherit; border-radius: 0.2rem; padding: 0 0.08em; }
.chunk { padding: 0.2rem 0 0.9rem; }
.chunk + .chunk { border-top: 1px solid BORDER; padding-top: 0.9rem; }
.chunk small, .found small { opacity: 0.6; font-size: 0.78rem; }
.chunk .passage { margin-top: 0.25rem; }
.found + .found { margin-top: 0.7rem; }
.found .title { font-size: 0.88rem; }
.found small { display: block; }
.found p { margin: 0.15rem 0 0; font-size: 0.86rem; line-height: 1.5; opacity: 0.8; }
.passage-text { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.6; font-size: 0.93rem; }
[data-testid="stDialog"] [class*="st-key-trouble-"] { margin-bottom: 0.4rem; }

/* trying a search */
.st-key-results > [data-testid="stLayoutWrapper"] + [data-testid="stLayoutWrapper"] {
  border-top: 1px solid BORDER; padding-top: 1rem;
}
[class*="st-key-result-"] :is(p, [data-testid="stMarkdownContainer"]) { margin: 0; }
[class*="st-key-context-"] button { min-height: 1.7rem; padding: 0; font-size: 0.88rem; }

/* citations */
a[href^="#source-"] {
  font-size: 0.76em; font-weight: 600; text-decoration: none !important; vertical-align: 0.18em; line-height: 1;
  padding: 0.05em 0.08em; border-radius: 0.4em; white-space: nowrap;
}
a[href^="#source-"]:is(:hover, :focus-visible) { background: MARKED; }
[class*="st-key-sources-"] { gap: 0.35rem; padding: 0.5rem 0 0.2rem; }
[class*="st-key-sources-"] > div, [class*="st-key-source-"] .stButton { max-width: 100%; }
[class*="st-key-source-"] button {
  min-height: 1.8rem; padding: 0.1rem 0.65rem; border-radius: 0.6rem; background: TINT; border-color: transparent;
  font-weight: 400; max-width: 100%;
}
[class*="st-key-source-"] button:hover { border-color: ACCENT; }
[class*="st-key-source-"] button :is(div, span) { min-width: 0; }
[class*="st-key-source-"] button p {
  font-size: 0.8rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
}
[class*="st-key-uncited-"] summary p { font-size: 0.82rem; opacity: 0.7; }

@media (max-width: 640px) {
  .st-key-knowledge-head { padding-left: 2.6rem; }
  :is(.st-key-knowledge-head, .st-key-usage-head) { padding-top: 0.85rem; }
}
"""
