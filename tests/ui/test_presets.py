"""Named temperatures on the page."""

from __future__ import annotations

from tests.ui.test_page import ask

from ai_chat.providers.scripted import Echo


def test_a_preset_is_sent_and_kept(home, page):
    """What is chosen for a conversation is its temperature from then on, in another tab too."""
    echo = Echo()
    house = home(echo)
    page.run()
    choice = next(box for box in page.selectbox if (box.key or "").startswith("preset-"))
    choice.select("creative").run()
    ask(page, "one")
    ask(page, "two")
    assert [request.sampling.temperature for request in echo.requests] == [0.7, 0.7]
    (conversation,) = house.do(house.store.list())
    assert conversation.options["preset"] == "creative"
