"""Every sentence of the page, in English and Chinese. The one catalogue: nothing else of the page says anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .texts_knowledge import KNOWLEDGE

Language = Literal["en", "zh"]

LANGUAGES: Mapping[Language, str] = {"zh": "中文", "en": "English"}
"""The languages by their own names."""

TEXTS: Mapping[str, tuple[str, str]] = {
    **KNOWLEDGE,
    # the sidebar
    "new_chat": ("New chat", "新对话"),
    "search": ("Search", "搜索"),
    "search_hint": ("Search titles and messages", "搜索标题和消息"),
    "nothing_found": ("Nothing found for “{query}”.", "没有找到“{query}”。"),
    "no_conversations": ("Your conversations will be here.", "你的对话会显示在这里。"),
    "today": ("Today", "今天"),
    "yesterday": ("Yesterday", "昨天"),
    "week": ("Previous 7 days", "过去 7 天"),
    "earlier": ("Earlier", "更早"),
    "found": ("Found", "搜索结果"),
    "more_conversations": ("Show more", "显示更多"),
    "untitled": ("Untitled", "未命名"),
    "menu": ("Options", "选项"),
    "rename": ("Rename", "重命名"),
    "delete": ("Delete", "删除"),
    "new_title": ("New title", "新标题"),
    "save": ("Save", "保存"),
    "cancel": ("Cancel", "取消"),
    "deleted": ("Deleted “{title}”", "已删除“{title}”"),
    "undo": ("Undo", "撤销"),
    "language": ("Language", "语言"),
    # the head and the empty page
    "model": ("Model", "模型"),
    "local_model": (
        "Runs on this machine: no key, and nothing leaves it.",
        "在本机运行：无需密钥，内容不会离开这台电脑。",
    ),
    "local_name": ("On this machine", "本机模型"),
    "mistakes": ("Models make mistakes; check what matters.", "模型可能出错，重要内容请核实。"),
    "greeting": ("What is on your mind?", "今天想聊点什么？"),
    "greeting_more": ("Ask anything, or begin with one of these.", "随便问，或者从下面选一个开始。"),
    "suggestion_1": ("Explain how a bicycle stays upright", "解释自行车为什么不会倒"),
    "suggestion_2": (
        "Write a Python function that finds duplicate files",
        "写一个查找重复文件的 Python 函数",
    ),
    "suggestion_3": ("Plan a calm weekend in a city I have never been to", "帮我规划一个在陌生城市的悠闲周末"),
    "suggestion_4": (
        "Draft a friendly email that asks to move a meeting",
        "起草一封语气友好的邮件，请求改会议时间",
    ),
    "not_found": (
        "This conversation is not here (any more). It may have been deleted; begin a new one or choose another.",
        "这个对话不存在或已被删除。可以开始新对话，或选择其他对话。",
    ),
    # writing
    "ask": ("Ask anything", "输入你的问题"),
    "stop": ("Stop", "停止"),
    "still_writing": (
        "An answer is still being written. Your text is in the box; send it when the answer has ended, or stop it.",
        "回答还在生成中。你的文字保留在输入框里，等回答结束或停止后再发送。",
    ),
    # messages
    "load_earlier": ("Show earlier messages", "显示更早的消息"),
    "show_all": ("Show all {count} characters", "显示全部 {count} 个字符"),
    "show_less": ("Show less", "收起"),
    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "copy_failed": ("The browser does not allow copying here", "浏览器不允许在此复制"),
    "again": ("Answer again", "重新生成"),
    "edit": ("Edit", "编辑"),
    "edit_label": ("Edit your question", "编辑你的问题"),
    "send": ("Send", "发送"),
    "previous": ("Previous version", "上一个版本"),
    "next": ("Next version", "下一个版本"),
    "reasoning": ("Reasoning", "思考过程"),
    "thinking": ("Thinking…", "思考中……"),
    "image": ("Image", "图片"),
    "empty_answer": ("The model answered with nothing.", "模型没有给出内容。"),
    # how an answer was made
    "tokens": ("{input} → {output} tokens", "{input} → {output} tokens"),
    "first_token": ("first token {seconds} s", "首个 token {seconds} 秒"),
    "speed": ("{speed} tokens/s", "{speed} tokens/秒"),
    "so_far": ("≈ {count} tokens so far", "已生成约 {count} tokens"),
    "cached": (" ({count} cached)", "（缓存 {count}）"),
    "free": ("free", "免费"),
    "cost_unknown": ("cost unknown", "费用未知"),
    "cost_in_part": ("{cost} + {count} of unknown cost", "{cost} + {count} 次费用未知"),
    "tools": ("Tools", "工具"),
    "tool_get_current_weather": ("Weather", "天气"),
    "tool_calculate": ("Calculator", "计算器"),
    "tool_get_current_time": ("Time", "时间"),
    "tool_search_knowledge_base": ("Search documents", "搜索文档"),
    "arguments": ("Arguments", "参数"),
    "result": ("Result", "结果"),
    "tool_error": ("Error", "错误"),
    "took": ("{seconds} s", "{seconds} 秒"),
    "never_ended": ("It was stopped before it ended.", "在完成之前被停止了。"),
    "asked_again": ("The answer did not fit; asking again…", "回答不符合要求，正在重新请求……"),
    "choosing": ("Looking which tools are needed…", "正在判断需要哪些工具……"),
    "confirm": ("Waiting for your permission…", "正在等待你的许可……"),
    "may_run": ("Allow {tool} to run?", "允许运行“{tool}”吗？"),
    "allow": ("Allow", "允许"),
    "deny": ("Don't allow", "不允许"),
    "failed_unknown_tool": ("no such tool", "没有这个工具"),
    "failed_bad_arguments": ("wrong arguments", "参数有误"),
    "failed_timed_out": ("took too long", "超时"),
    "failed_failed": ("failed", "失败"),
    "failed_declined": ("not allowed", "未获允许"),
    "options": ("How it answers", "回答方式"),
    "form": ("Form of answers", "回答的格式"),
    "form_none": ("Free text", "自由文本"),
    "form_review": ("Review", "评论分析"),
    "form_contact": ("Contact", "联系方式"),
    "form_tasks": ("Tasks", "任务清单"),
    "form_own": ("JSON Schema of your own", "自定义 JSON Schema"),
    "form_schema": ("JSON Schema", "JSON Schema"),
    "preset": ("Answers", "回答风格"),
    "preset_default": ("As the model likes", "模型默认"),
    "preset_factual": ("Factual", "严谨事实"),
    "preset_technical": ("Technical", "技术说明"),
    "preset_creative": ("Creative", "创意写作"),
    "preset_exploratory": ("Exploratory", "发散探索"),
    # what was used
    "window_share": ("{percent} % of the model's window", "已占模型窗口的 {percent} %"),
    "budget_day": ("Today: {spent} of {limit}", "今日：{spent} / {limit}"),
    "budget_month": ("This month: {spent} of {limit}", "本月：{spent} / {limit}"),
    "budget_total": ("In all: {spent} of {limit}", "总计：{spent} / {limit}"),
    "usage": ("Usage", "用量"),
    "back": ("Back to the conversation", "返回对话"),
    "since": ("Since", "时间范围"),
    "days_7": ("7 days", "7 天"),
    "days_30": ("30 days", "30 天"),
    "this_month": ("This month", "本月"),
    "all_time": ("All", "全部"),
    "nothing_used": ("Nothing was used in this time.", "这段时间没有用量。"),
    "cost_label": ("Cost", "费用"),
    "tokens_in": ("Tokens in", "输入 token"),
    "tokens_out": ("Tokens out", "输出 token"),
    "tokens_label": ("Tokens", "Token"),
    "calls": ("Calls", "调用次数"),
    "name": ("Name", "名称"),
    "by_day": ("By day", "按日"),
    "by_model": ("By model", "按模型"),
    "by_conversation": ("By conversation", "按对话"),
    "no_conversation": ("Outside of conversations", "对话之外"),
    "more_in_csv": ("{count} more in the CSV", "CSV 中还有 {count} 项"),
    "download_csv": ("Download CSV", "下载 CSV"),
    # how an answer ended
    "stopped": ("You stopped this answer.", "你停止了这个回答。"),
    "interrupted": (
        "The program ended while this was being written; what had come is kept.",
        "生成时程序中断了，已生成的内容保留在此。",
    ),
    "cut_off": ("The answer reached its length limit.", "回答达到了长度上限。"),
    "filtered": ("The model's side cut this answer with its content filter.", "回答被模型方的内容过滤器截断。"),
    "go_on": ("Continue", "继续"),
    "go_on_prompt": ("Please continue where you left off.", "请从刚才停下的地方继续。"),
    "try_again": ("Try again", "重试"),
    "failed": ("The answer failed: {reason}", "回答失败：{reason}"),
    "unsaved": (
        "This answer is not saved yet: the database cannot be written. It is tried again.",
        "这个回答还没有保存：暂时无法写入数据库，正在重试。",
    ),
    "written_elsewhere": ("Being written by another process…", "正由另一个进程生成……"),
    # while an answer is made
    "waiting": ("Waiting for the first word…", "等待第一个字……"),
    "fetching": ("Fetching the model, once; your message waits in line.", "首次下载模型，你的消息正在排队。"),
    "fetching_source": (
        "Fetching the model from {source}, once; your message waits in line.",
        "首次下载模型（来自 {source}），你的消息正在排队。",
    ),
    "fetching_elsewhere": (
        "Another window or program is fetching the model; your message waits in line.",
        "另一个窗口或程序正在下载模型，你的消息正在排队。",
    ),
    "fetched": ("{done} of {total} MB", "{done} / {total} MB"),
    "fetched_some": ("{done} MB", "{done} MB"),
    "fetch_speed": ("{speed} MB/s", "{speed} MB/秒"),
    "fetch_left": ("about {left} left", "约剩 {left}"),
    "seconds": ("{count} s", "{count} 秒"),
    "minutes": ("{count} min", "{count} 分钟"),
    "checking": ("Checking the model's files…", "正在校验模型文件……"),
    "connecting": ("Looking for a source of the model…", "正在寻找模型下载源……"),
    "loading": ("Loading the model into memory…", "正在把模型载入内存……"),
    "memory": ("Little memory is free: taking {model}.", "可用内存不多：使用 {model}。"),
    "queued": ("In line; {before} before you.", "排队中，前面还有 {before} 个。"),
    "reading": ("Reading {tokens} tokens…", "正在阅读 {tokens} 个 token……"),
    "summary": ("Summing up the oldest turns, which no longer fit…", "正在总结放不下的较早对话……"),
    "summary_failed": (
        "The oldest turns could not be summed up and are left out.",
        "无法总结较早的对话，已将其略去。",
    ),
    "window": (
        "The {turns} oldest messages no longer fit the model's window and were not sent.",
        "最早的 {turns} 条消息超出模型窗口，没有发送。",
    ),
    "left_out": ("without the {turns} oldest messages", "未含最早的 {turns} 条消息"),
    "retry_in": ("{reason} Trying again in {seconds} s…", "{reason} {seconds} 秒后重试……"),
    "retrying": ("{reason} Trying again…", "{reason} 正在重试……"),
    "reason_other": ("The model's side did not answer.", "模型方没有应答。"),
    "reason_rate_limit_exceeded": ("Too many requests for now.", "请求过于频繁。"),
    "reason_timeout": ("The model took too long.", "模型响应超时。"),
    "reason_connection_error": ("The model could not be reached.", "无法连接到模型。"),
    "reason_service_unavailable": ("The model is overloaded.", "模型过载。"),
    # what went wrong
    "fault": (
        "Something went wrong on this page. Nothing you sent is lost; reload the page to go on.",
        "页面出了点问题。你发送的内容没有丢失，刷新页面即可继续。",
    ),
    "ending": (
        "The program is ending or has ended. Start it again with `ai-chat`, then reload this page.",
        "程序正在结束或已经结束。请用 `ai-chat` 重新启动，然后刷新页面。",
    ),
    "error_too_slow": (
        "The program did not answer in time. Nothing is lost; try again.",
        "程序没有及时响应。内容没有丢失，请重试。",
    ),
    # errors of the tree, by their code; what is not here is shown as its own sentence
    "error_settings_error": ("A setting is missing or wrong: {message}", "设置缺失或有误：{message}"),
    "error_invalid_api_key": ("The key is missing or wrong: {message}", "密钥缺失或无效：{message}"),
    "error_permission_denied": ("The key may not do this: {message}", "该密钥没有权限：{message}"),
    "error_rate_limit_exceeded": (
        "Too many requests for now; wait a moment and try again.",
        "请求过于频繁，请稍候再试。",
    ),
    "error_insufficient_quota": (
        "The account has no credit left. Top it up, or choose another model.",
        "账户余额不足。请充值，或换一个模型。",
    ),
    "error_context_length_exceeded": (
        "This is more than the model can read at once. Shorten it, or choose a model with a larger window.",
        "内容超出模型一次能读取的长度。请缩短，或换一个窗口更大的模型。",
    ),
    "error_content_filter": (
        "The model's side refused this prompt with its content filter. Rephrase it, or choose another model.",
        "提示被模型方的内容过滤器拒绝。请换个说法，或换一个模型。",
    ),
    "error_model_not_found": ("There is no such model: {message}", "没有这个模型：{message}"),
    "error_server_error": ("The model's side broke. Try again.", "模型方出错，请重试。"),
    "error_service_unavailable": (
        "The model is overloaded or starting. Try again in a moment.",
        "模型过载或正在启动，请稍后重试。",
    ),
    "error_connection_error": (
        "The model could not be reached. Check the network, then try again.",
        "无法连接到模型。请检查网络后重试。",
    ),
    "error_stream_broken": (
        "The connection broke in the middle of the answer; what came is kept. Try again.",
        "回答途中连接断开，已收到的内容已保留。请重试。",
    ),
    "error_timeout": ("The model took too long. Try again.", "模型响应超时，请重试。"),
    "error_weights_unavailable": (
        "The model's files could not be fetched. Check the network, then try again.",
        "无法下载模型文件。请检查网络后重试。",
    ),
    "error_weights_corrupt": (
        "The model's files arrived damaged, and nothing wrong was kept. Try again.",
        "下载的模型文件已损坏，未保留。请重试。",
    ),
    "error_disk_full": ("There is no room on the disk for the model: {message}", "磁盘空间不足，放不下模型：{message}"),
    "error_local_model_error": ("The model on this machine cannot run: {message}", "本机模型无法运行：{message}"),
    "error_storage_error": (
        "The conversation cannot be saved right now. Try again.",
        "暂时无法保存对话，请重试。",
    ),
    "error_not_found": ("That is not here any more; reload the page.", "内容已不存在，请刷新页面。"),
    "error_budget_exceeded": ("The budget is used up: {message}", "预算已用完：{message}"),
    "error_conflict": (
        "An answer is still being written there. Wait for its end, or stop it first.",
        "那里还有回答正在生成。请等它结束，或先停止。",
    ),
}
"""English, Chinese. `{names}` are the same in both."""


def text(key: str, language: Language, **values: object) -> str:
    """Give a sentence in a language, with its values put in."""
    english, chinese = TEXTS[key]
    sentence = chinese if language == "zh" else english
    return sentence.format(**values) if values else sentence


def has(key: str) -> bool:
    """Whether the catalogue has such a sentence."""
    return key in TEXTS


def language_of(locale: str | None) -> Language:
    """Give the language for a browser's locale such as `zh-CN`."""
    return "zh" if (locale or "").lower().startswith("zh") else "en"
