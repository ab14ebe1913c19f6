"""The numbers of the calculator: exact ones as far as they go, and what they may cost."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .errors import ToolError

Number = int | Fraction | float
"""Fractions are exact; a float has been rounded."""

DIGITS = 4_000
"""Digits of a whole number that is given as a result, at most."""
BITS = 2**16
"""Of one number on the way, numerator and denominator together."""
WORK = 2**22
"""Bits of all numbers that are touched on the way to one result."""
ROOT_DEGREE = 64
"""Roots beyond this one are not looked for among the exact numbers."""

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
BITWISE: dict[str, Callable[[Any, Any], Any]] = {
    "&": operator.and_,
    "|": operator.or_,
    "<<": operator.lshift,
    ">>": operator.rshift,
}


class TooLarge(ToolError):
    """The result, or something on the way to it, has too many digits to be computed exactly."""


def too_large() -> TooLarge:
    """Make the error."""
    return TooLarge(f"The number is too large: a whole result can have {DIGITS:,} digits.")


def bits(value: Number) -> int:
    """Give what a number fills."""
    if isinstance(value, float):
        return 64
    return value.numerator.bit_length() + value.denominator.bit_length()


def exact_root(value: int | Fraction, degree: int) -> int | Fraction | None:
    """Give the root of a number that is not negative, if it is a fraction; None if not, or if it is not worth a try."""
    if degree == 2:  # noqa: PLR2004 - a square root
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    elif degree > ROOT_DEGREE or bits(value) > 1_000:  # noqa: PLR2004 - floats end soon after
        return None
    else:
        top, bottom = (round(part ** (1 / degree)) for part in (value.numerator, value.denominator))
    if (top**degree, bottom**degree) != (value.numerator, value.denominator):
        return None
    return whole(Fraction(top, bottom))


def _magnitude(value: int | Fraction) -> float:
    """Give by how many bits each power of a number is longer than the one before, at most."""
    return max(math.log2(abs(value.numerator)), math.log2(value.denominator))


def whole(value: Fraction) -> int | Fraction:
    """Give a fraction that is a whole number as one."""
    return value.numerator if value.denominator == 1 else value


def real(value: Number) -> float:
    """Round to a double.

    Raises:
        TooLarge: there is none of that size.
    """
    try:
        return float(value)
    except OverflowError:
        raise too_large() from None


class Arithmetic:
    """The operations, with what they may cost. One for each calculation."""

    def __init__(self, *, exact: bool) -> None:
        """Compute with fractions, or with doubles as Python itself does."""
        self.exact = exact
        self._left = WORK

    def literal(self, text: str) -> Number:
        """Read a number as Python writes it."""
        if text[:2].lower() in {"0x", "0o", "0b"}:
            return self.checked(int(text, 0))
        mantissa, _, exponent = text.lower().partition("e")
        if len(mantissa) > DIGITS or len(exponent) > 6 or abs(int(exponent or 0)) > 2 * DIGITS:  # noqa: PLR2004
            raise too_large()
        if text.isdigit():
            return self.checked(int(text))
        return self.checked(Fraction(text) if self.exact else float(text))

    def operate(self, sign: str, left: Number, right: Number) -> Number:
        """Apply a sign that stands between two numbers.

        Raises:
            ToolError: it cannot be applied to these.
        """
        try:
            if sign == "/":
                return self._divide(left, right)
            if sign == "**":
                return self._power(left, right)
            if sign in BITWISE:
                return self._bitwise(sign, left, right)
            if sign in {"//", "%"} and right == 0:
                raise _by_zero()
            return self.checked(PLAIN[sign](left, right))
        except OverflowError:
            raise too_large() from None

    def _divide(self, left: Number, right: Number) -> Number:
        if right == 0:
            raise _by_zero()
        if self.exact and not isinstance(left, float) and not isinstance(right, float):
            return self.checked(Fraction(left) / right)
        return self.checked(left / right)

    def _power(self, base: Number, exponent: Number) -> Number:
        if base == 0 and exponent < 0:
            raise _by_zero()
        if isinstance(base, float) or isinstance(exponent, float):
            return self._real_power(real(base), exponent)
        if isinstance(exponent, Fraction):
            root = exact_root(base, exponent.denominator) if base >= 0 else None
            if root is None:
                return self._real_power(real(base), exponent)
            base, exponent = root, exponent.numerator
        if base not in {-1, 0, 1} and _magnitude(base) * min(abs(exponent), BITS + 1) > BITS:
            raise too_large()
        return self.checked(Fraction(base) ** exponent if self.exact else base**exponent)

    def _real_power(self, base: float, exponent: Number) -> Number:
        exponent = exponent if isinstance(exponent, int) else real(exponent)
        if base < 0 and not isinstance(exponent, int) and not exponent.is_integer():
            raise ToolError("A negative number has no real power with a broken exponent.")
        return self.checked(base**exponent)

    def _bitwise(self, sign: str, left: Number, right: Number) -> Number:
        if not isinstance(left, int) or not isinstance(right, int):
            raise ToolError(f"{sign} is for whole numbers.")
        if sign in {"<<", ">>"} and right < 0:
            raise ToolError("A number cannot be shifted by a negative count.")
        if sign == "<<" and right > BITS:
            raise too_large()
        return self.checked(BITWISE[sign](left, right))

    def checked(self, value: Any) -> Number:
        """Give a result on, simplest form first, and count what it cost.

        Raises:
            TooLarge: it is too large, or all of them together are.
        """
        if isinstance(value, Fraction):
            value = whole(value)
        size = bits(value)
        self.spend(size)
        if size > BITS:
            raise too_large()
        if self.exact and isinstance(value, float) and not math.isfinite(value):
            raise too_large()
        number: Number = value
        return number

    def spend(self, size: int) -> None:
        """Count work, in bits that are touched.

        Raises:
            TooLarge: it is more than one calculation may cost.
        """
        self._left -= size
        if self._left < 0:
            raise too_large()


def _by_zero() -> ToolError:
    return ToolError("Division by zero has no result.")
