"""Every statement about conversations and turns, built once: building one takes longer than many a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, literal, select, update

from .rows import CONVERSATION_COLUMNS, TURN_COLUMNS
from .tables import conversations, turns

IS_PRESENT = conversations.c.deleted.is_(None)
_IS_THIS = conversations.c.id == bindparam("conversation")

INSERT_CONVERSATION = insert(conversations)
CONVERSATION = select(*CONVERSATION_COLUMNS).where(IS_PRESENT, _IS_THIS)
CONVERSATIONS = (
    select(*CONVERSATION_COLUMNS)
    .where(IS_PRESENT)
    .order_by(conversations.c.updated.desc(), conversations.c.number.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
CHANGE = update(conversations).where(conversations.c.number == bindparam("this"))
DELETE = update(conversations).where(IS_PRESENT, _IS_THIS).values(deleted=bindparam("now"))
RESTORE = update(conversations).where(~IS_PRESENT, _IS_THIS).values(deleted=None)
PURGE = delete(conversations).where(conversations.c.deleted <= bindparam("before"))
TOUCH = update(conversations).where(_IS_THIS).values(updated=bindparam("now"))
SHOW = TOUCH.values(leaf=bindparam("turn"))

OWNER = (
    select(conversations.c.number, turns.c.number.label("turn"))
    .outerjoin(turns, (turns.c.conversation == conversations.c.id) & (turns.c.id == bindparam("turn")))
    .where(IS_PRESENT, _IS_THIS)
)
"""A conversation's number, and that of a turn if it is one of its own."""

INSERT_TURN = insert(turns)
SAVE_TURN = update(turns).where(turns.c.number == bindparam("this"))
TURN = select(*TURN_COLUMNS).join(conversations).where(IS_PRESENT, turns.c.id == bindparam("turn"))
PLACE = select(turns.c.number, turns.c.parent).where(
    turns.c.id == bindparam("turn"), turns.c.conversation == bindparam("conversation")
)
ROOTS = (
    select(*TURN_COLUMNS)
    .where(turns.c.conversation == bindparam("conversation"), turns.c.parent.is_(None))
    .order_by(turns.c.number)
)
CHILDREN = select(*TURN_COLUMNS).where(turns.c.parent == bindparam("parent")).order_by(turns.c.number)
ROOT_IDS = (
    select(turns.c.id)
    .where(turns.c.conversation == bindparam("conversation"), turns.c.parent.is_(None))
    .order_by(turns.c.number)
)
CHILDREN_OF = (
    select(turns.c.parent, turns.c.id)
    .where(turns.c.parent.in_(bindparam("parents", expanding=True)))
    .order_by(turns.c.number)
)
IS_RUNNING = turns.c.state == "running"
RUNNING = select(turns.c.number, turns.c.owner, turns.c.seen, *TURN_COLUMNS).where(IS_RUNNING).order_by(turns.c.number)
SAVE_PART = update(turns).where(turns.c.id == bindparam("part"), IS_RUNNING).values(message=bindparam("said"))
SEEN = update(turns).where(IS_RUNNING, turns.c.owner == bindparam("writer")).values(seen=bindparam("now"))


def _path() -> Select[Any]:
    """Walk from a leaf towards the root, then give those turns the other way round."""
    leaf = func.coalesce(bindparam("leaf", type_=turns.c.id.type), conversations.c.leaf)
    first = (
        select(turns.c.number, turns.c.parent, literal(1).label("length"))
        .join(conversations)
        .where(IS_PRESENT, _IS_THIS, turns.c.id == leaf)
    )
    line = first.cte("line", recursive=True)
    earlier = turns.alias("earlier")
    line = line.union_all(
        select(earlier.c.number, earlier.c.parent, line.c.length + 1).where(
            earlier.c.id == line.c.parent, line.c.length < bindparam("limit")
        )
    )
    return select(*TURN_COLUMNS).join(line, line.c.number == turns.c.number).order_by(line.c.length.desc())


PATH = _path()


def _tip() -> Select[Any]:
    """Walk from a turn to its newest child, to that one's, and so on to the end."""
    line = select(turns.c.number, turns.c.id).where(turns.c.id == bindparam("turn")).cte("branch", recursive=True)
    child, sibling = turns.alias("child"), turns.alias("sibling")
    newest = select(func.max(sibling.c.number)).where(sibling.c.parent == line.c.id).correlate(line).scalar_subquery()
    line = line.union_all(select(child.c.number, child.c.id).select_from(line.join(child, child.c.number == newest)))
    return select(line.c.id).order_by(line.c.number.desc()).limit(1)


TIP = _tip()
