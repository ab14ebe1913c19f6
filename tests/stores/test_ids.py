"""Ids that sort by age."""

import time
import uuid

from ai_chat.stores.ids import new_id


def test_an_id_is_a_uuid_of_its_moment():
    """It is a well-formed UUID of version 7 that holds the millisecond it was made in."""
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after


def test_ids_differ():
    """Ids made in the same moment are not the same."""
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_later_ids_are_greater():
    """Ids compare as the moments do in which they were made."""
    ids = []
    for _ in range(50):
        ids.append(new_id())
        moment = time.time_ns()
        while time.time_ns() < moment + 1000:
            pass

    assert ids == sorted(ids)
