"""The page, run without a browser: what a person can do, and what is shown then."""

from __future__ import annotations

from ai_chat.providers.scripted import Echo


def test_an_answer_is_shown(home, page):
    """What is sent is answered, and both are on the page."""
    home(Echo())
    page.run()
    print([b.key for b in page.button])
    page.chat_input[0].set_value("one two three").run()
    assert not page.exception
    print([t.value for t in page.text], [m.value for m in page.markdown], [c.value for c in page.caption])
    print(page.query_params, [b.key for b in page.button])
    assert 0
