"""What the page says of a person's own documents, in English and Chinese; a part of the catalogue in `texts.py`."""

from __future__ import annotations

from collections.abc import Mapping

KNOWLEDGE: Mapping[str, tuple[str, str]] = {
    "knowledge": ("Knowledge", "知识库"),
    "knowledge_for": (
        "Add documents of your own, and answers are drawn from them and name the place.",
        "添加你自己的文档，回答就会以它们为依据，并注明出处。",
    ),
    "documents": ("Documents", "文档"),
    "collection": ("Collection", "文档集"),
    "collection_target": ("Collection: choose one, or write a new name", "文档集：选择一个，或输入新名称"),
    "all_documents": ("All documents", "全部文档"),
    # adding
    "add": ("Add", "添加"),
    "upload": ("Upload files", "上传文件"),
    "paste": ("Paste text", "粘贴文本"),
    "drop": ("Drop files here, or choose them", "拖放文件到这里，或点击选择"),
    "choose_files": ("Choose files", "选择文件"),
    "kinds": (
        "PDF, Word (docx), Markdown, text, HTML, CSV, source code · up to {size} each",
        "支持 PDF、Word（docx）、Markdown、纯文本、HTML、CSV、源代码 · 每个不超过 {size}",
    ),
    "same_name": (
        "A file takes the place of an older one of its name in the same collection.",
        "同一文档集里的同名旧文件会被替换。",
    ),
    "text_name": ("Name, such as notes.md", "名称，例如 notes.md"),
    "text": ("Text", "文本"),
    "text_missing": ("Give the text a name, and write some.", "请填写名称和文本。"),
    # what goes on
    "adding": ("Adding to “{collection}”", "正在添加到“{collection}”"),
    "reindexing": ("Re-indexing", "正在重建索引"),
    "in_line": ("Waiting in line…", "排队中……"),
    "reading_file": ("Reading {name}…", "正在读取 {name}……"),
    "indexing_file": (
        "{name}: {done} of {chunks} passages",
        "{name}：{done} / {chunks} 个片段",
    ),
    "files_done": ("{done} of {files} done", "已完成 {done} / {files}"),
    "add_finished": ("Added to “{collection}”", "已添加到“{collection}”"),
    "add_cancelled": (
        "Cancelled. What was added to “{collection}” by then is there.",
        "已取消。此前添加到“{collection}”的文档已保留。",
    ),
    "add_failed": ("Adding to “{collection}” failed", "添加到“{collection}”失败"),
    "reindex_finished": ("Re-indexed", "索引已重建"),
    "reindex_cancelled": ("Re-indexing was cancelled.", "已取消重建索引。"),
    "reindex_failed": ("Re-indexing failed", "重建索引失败"),
    "outcome_added": ("{count} added", "新增 {count} 个"),
    "outcome_replaced": ("{count} replaced", "替换 {count} 个"),
    "outcome_unchanged": ("{count} unchanged", "未变 {count} 个"),
    "outcome_refused": ("{count} not taken", "未接受 {count} 个"),
    "more_refused": ("and {count} more", "还有 {count} 个"),
    "dismiss": ("Dismiss", "关闭"),
    # why a file is not taken
    "refused_unsupported": (
        "Files of this kind are not read. Save it as PDF, docx, CSV or text and add that.",
        "不支持这种文件。请另存为 PDF、docx、CSV 或文本后再添加。",
    ),
    "refused_empty": (
        "There is no text in it. If it is a scan, have its text recognised (OCR) first.",
        "文件里没有文字。如果是扫描件，请先做文字识别（OCR）。",
    ),
    "refused_binary": ("It holds no text, whatever its name says.", "它的内容不是文本，与文件名不符。"),
    "refused_encrypted": (
        "It is locked with a password. Remove the password and add it again.",
        "文件有密码保护。请去掉密码后再添加。",
    ),
    "refused_damaged": (
        "It is damaged or not whole. Save it anew and add it again.",
        "文件已损坏或不完整。请重新保存后再添加。",
    ),
    "refused_too_large": ("It is larger than files may be. Split it.", "文件超过大小上限。请拆分后再添加。"),
    "refused_too_long": (
        "It holds more text than is taken at once. Split it into several files.",
        "文字太多，超出上限。请拆成几个文件。",
    ),
    "refused_too_slow": (
        "Reading it took too long. Split it, or save it in a simpler form.",
        "读取时间过长。请拆分文件，或另存为更简单的格式。",
    ),
    "refused_unreadable": ("It cannot be read. Check the file and add it again.", "无法读取。请检查文件后再添加。"),
    # what there is
    "pages_one": ("1 page", "1 页"),
    "pages_many": ("{count} pages", "{count} 页"),
    "passages_one": ("1 passage", "1 个片段"),
    "passages_many": ("{count} passages", "{count} 个片段"),
    "documents_one": ("1 document", "1 个文档"),
    "documents_many": ("{count} documents", "{count} 个文档"),
    "filter": ("Filter by name", "按名称筛选"),
    "view": ("View", "查看"),
    "remove": ("Remove", "移除"),
    "remove_sure": ("Remove “{name}”?", "移除“{name}”？"),
    "remove_means": (
        "It is no longer searched. Your own file stays where it is, and answers keep the passages they cite.",
        "之后不再被搜索。你自己的文件不受影响，已有回答引用的片段也会保留。",
    ),
    "old_vectors_one": (
        "1 document was indexed by another model and is not found by its meaning now.",
        "有 1 个文档由另一个模型建立索引，现在无法按语义找到。",
    ),
    "old_vectors_many": (
        "{count} documents were indexed by another model and are not found by their meaning now.",
        "有 {count} 个文档由另一个模型建立索引，现在无法按语义找到。",
    ),
    "reindex": ("Re-index", "重建索引"),
    # trying a search
    "query": ("What to look for", "要查找的内容"),
    "most_passages": ("Passages", "片段数"),
    "seeking": ("Searching…", "正在搜索……"),
    "score": ("score {value}", "得分 {value}"),
    "by_meaning": ("meaning {value}", "语义 {value}"),
    "by_words": ("words {value}", "词语 {value}"),
    "in_context": ("Show in context", "查看上下文"),
    "words_only": ("Searched by words only. {reason}", "仅按词语搜索。{reason}"),
    "no_passage": ("No passage about this was found.", "没有找到相关片段。"),
    # in conversations
    "from_documents": ("Answers come from: {names}", "回答依据：{names}"),
    "sources": ("Sources", "来源"),
    "page_number": ("p. {page}", "第 {page} 页"),
    "none_cited_one": ("1 passage was read, it is not cited", "阅读了 1 个片段，未引用"),
    "none_cited_many": ("{count} passages were read, none is cited", "阅读了 {count} 个片段，均未引用"),
    "source_replaced": (
        "The document has been replaced since. This is the passage as it was found.",
        "文档后来已被替换，以下是当时找到的片段。",
    ),
    "source_removed": (
        "The document has been removed since. This is the passage as it was found.",
        "文档后来已被移除，以下是当时找到的片段。",
    ),
    "no_form_documents": (
        "Answers of a form are made without documents.",
        "按格式回答时不使用文档。",
    ),
}
"""English, Chinese. `{names}` are the same in both."""
