"""Values in columns: what goes in comes out, on each database's own terms."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from ai_chat.stores.columns import ExactDecimal, ExactText, JsonText, Name, UtcTime
from ai_chat.stores.exact import is_storable

DIALECTS = [sqlite.dialect(), postgresql.dialect()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def stored(column, value, dialect=DIALECTS[0]):
    return column.process_bind_param(value, dialect)


def read(column, value, dialect=DIALECTS[0]):
    return column.process_result_value(value, dialect)


@given(st.text(st.characters() | st.sampled_from("\0\ud800\udc00\ufdd0")))
def test_any_text_survives(text):
    """Every string comes back, and what stands in between is taken by every database."""
    text_in_column = stored(ExactText(), text)

    assert is_storable(text_in_column)
    assert read(ExactText(), text_in_column) == text


@given(st.text(), st.text())
def test_equal_texts_stand_equal(a, b):
    """Texts can be compared as they stand."""
    assert (stored(ExactText(), a) == stored(ExactText(), b)) is (a == b)


@given(JSON)
def test_any_json_survives(value):
    """Every JSON value comes back, integers of any size included, and stands as text that every database takes."""
    text = stored(JsonText(), value)

    assert text is None if value is None else is_storable(text)
    assert read(JsonText(), text) == value


@pytest.mark.parametrize("value", ["\0", "\ud83d", "a\ud800b", ["\udc00\ud800"], {"\0": "\ud800"}], ids=ascii)
def test_json_keeps_what_is_no_character(value):
    """NUL and lone surrogates come back."""
    assert read(JsonText(), stored(JsonText(), value)) == value


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_moment_is_utc(dialect):
    """A moment in any zone comes back as the same moment in UTC, also from a database that drops the zone."""
    moment = datetime(2026, 11, 24, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    in_column = stored(UtcTime(), moment, dialect)

    for given_back in (in_column, in_column.replace(tzinfo=None), in_column.astimezone(timezone(timedelta(hours=-5)))):
        assert read(UtcTime(), given_back, dialect) == moment
        assert read(UtcTime(), given_back, dialect).tzinfo is UTC


def test_a_moment_without_a_zone_is_refused():
    """Nobody knows which moment it is."""
    with pytest.raises(ValueError, match="2026-01-01 00:00:00 has no zone"):
        stored(UtcTime(), datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_money_keeps_every_digit(amount):
    """An amount comes back with the digits it was written with."""
    assert str(read(ExactDecimal(), stored(ExactDecimal(), amount))) == str(amount)


@pytest.mark.parametrize("column", [ExactText(), Name(), JsonText(), UtcTime(), ExactDecimal()], ids=repr)
def test_nothing_stays_nothing(column):
    """None is not stored as something else."""
    assert stored(column, None) is None
    assert Name().process_bind_param("a\0", DIALECTS[0]) != "a\0"


def test_decimal_is_decimal():
    """Money never passes through a float."""
    assert read(ExactDecimal(), "0.1") == Decimal("0.1")
