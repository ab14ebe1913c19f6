"""Arithmetic without Python's `eval`: a parser of its own that knows numbers, signs and functions, and nothing else."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from .calculator_functions import CONSTANTS, FUNCTIONS, OTHER_NAMES
from .calculator_numbers import COMPARISONS, DIGITS, Arithmetic, Number, TooLarge, too_large
from .calculator_tokens import SHOWN, Token, tokens_of
from .errors import ToolError

DEPTH = 50
"""Brackets, powers and roots inside each other, at most."""
ROUNDED_DIGITS = 15
"""Significant digits of a result that is not exact, as many as a double holds for sure."""
EXACT_DIGITS = 60
"""Of a decimal fraction that is given in full."""
POSITIONAL = range(-7, 21)
"""Powers of ten that are written without an exponent."""
LEVELS = {
    **dict.fromkeys(("|",), 1),
    **dict.fromkeys(("&",), 2),
    **dict.fromkeys(("<<", ">>"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "//", "%"), 5),
}
"""How tightly a sign binds what is left and right of it. Tighter still: `-x`, then `x ** y`, then `x!`."""
UNITS = {"百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
ROOTS = {"√": "sqrt", "∛": "cbrt"}


def calculate(expression: str) -> dict[str, Any]:
    """Compute an arithmetic expression exactly. Use it for every calculation that is not trivial.

    Signs: + - * / // % ( ) and comparisons. A power is written 2**10, a percentage 5%; for 5% more write x * 1.05.
    Functions: sqrt, cbrt, exp, log (natural, or log(x, base)), log10, log2, sin, cos, tan, asin, acos, atan (radians,
    or sin(30°)), abs, round, floor, ceil, min, max, sum, mean, median, factorial, comb, perm, gcd, lcm, hypot.
    Constants: pi, e. There are no variables and no equations.

    Args:
        expression: The expression, for example (1 + 5%)**10 * 20000 or sqrt(2) / 3.
    """
    try:
        value = evaluate(expression)
    except TooLarge:  # as a rounded number it may still fit
        value = evaluate(expression, exact=False)
        if not isinstance(value, float) or not math.isfinite(value):
            raise
    text, is_exact = _written(value)
    answer: dict[str, Any] = {"expression": expression, "result": text}
    return answer if is_exact else {**answer, "approximate": True}


def evaluate(expression: str, *, exact: bool = True) -> Number:
    """Compute an expression.

    Args:
        expression: what a person or a model wrote.
        exact: whether decimals and quotients are fractions, so that 0.1 + 0.2 is 0.3. Else they are doubles, and the
            result is Python's, rounding errors included. `^` is a power; of two whole numbers it is one only if exact.

    Returns:
        A whole number or a fraction where it is exact, a float where it has been rounded, a bool of a comparison.

    Raises:
        TooLarge: it cannot be computed exactly within bounds.
        ToolError: it is no arithmetic, or has no result.
    """
    value = _Calculation(tokens_of(expression), Arithmetic(exact=exact)).result()
    if isinstance(value, int) and abs(value) >= 10**DIGITS:
        raise too_large()
    return value


class _Calculation:
    """One expression, computed while it is read, from left to right."""

    def __init__(self, tokens: list[Token], arithmetic: Arithmetic) -> None:
        self._tokens = tokens
        self._arithmetic = arithmetic
        self._at = 0
        self._depth = 0
        self._is_percentage = False
        """Whether what was read last is a percentage by itself, such as 5%."""

    def result(self) -> Number:
        if self._next().kind == "end":
            raise ToolError("The expression is empty.")
        value = self._comparison()
        if self._next().kind != "end":
            raise self._unexpected()
        return value

    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> str | None:
        """Step over the next token if it is one of these."""
        token = self._next()
        if token.kind != "op" or token.text not in texts:
            return None
        self._at += 1
        return token.text

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            raise ToolError(f"{text!r} is missing.") if self._next().kind == "end" else self._unexpected()

    def _unexpected(self) -> ToolError:
        token = self._next()
        if token.kind == "end":
            return ToolError("The expression ends too early.")
        before = self._tokens[self._at - 1] if self._at else None
        if before is not None and token.kind in {"number", "name"} and before.kind in {"number", "name"}:
            return ToolError(f"There is no sign between {before.shown} and {token.shown}.")
        if token.text in {"(", *ROOTS}:
            return ToolError(f"There is no sign before {token.text!r}; write * for a product.")
        return ToolError(f"{token.shown!r} cannot stand where it does; only arithmetic is computed.")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise ToolError(f"The expression is nested too deeply; {DEPTH} levels are the most.")

    def _comparison(self) -> Number:
        self._deeper()
        left = self._binary(1)
        verdict: bool | None = None
        while (sign := self._take(*COMPARISONS)) is not None:
            right = self._binary(1)
            verdict = COMPARISONS[sign](left, right) and verdict is not False
            left = right
        self._depth -= 1
        return left if verdict is None else verdict

    def _binary(self, level: int) -> Number:
        left = self._signed()
        while LEVELS.get(self._next().text, 0) >= level and self._next().kind == "op":
            sign = self._next().text
            self._at += 1
            was_percentage = self._is_percentage
            right = self._binary(LEVELS[sign] + 1)
            if self._is_percentage and sign == "%":
                raise ToolError("It is not clear which % is the remainder; write mod(a, b), or 0.05 for 5%.")
            if sign in {"+", "-"} and self._is_percentage and not was_percentage and left != 1:
                raise ToolError(f"x {sign} 5% can mean 5% of x or 0.05; write x * (1 {sign} 5%) or x {sign} 0.05.")
            left = self._arithmetic.operate(sign, left, right)
            self._is_percentage = sign in {"+", "-"} and was_percentage and self._is_percentage
        return left

    def _signed(self) -> Number:
        signs = []
        while (sign := self._take("+", "-", "~")) is not None:
            signs.append(sign)
        value = self._power()
        for sign in reversed(signs):
            if sign == "-":
                value = self._arithmetic.checked(-value)
            elif sign == "~":
                if not isinstance(value, int):
                    raise ToolError("~ is for whole numbers.")
                value = ~value
        return value

    def _power(self) -> Number:
        base = self._finished(self._atom())
        sign = self._take("**", "^")
        if sign is None:
            return base
        self._deeper()
        exponent = self._signed()
        self._depth -= 1
        self._is_percentage = False
        if sign == "^" and not self._arithmetic.exact and isinstance(base, int) and isinstance(exponent, int):
            raise ToolError("^ is exclusive or to Python and a power to people; write 2**10 or xor(2, 10).")
        return self._arithmetic.operate("**", base, exponent)

    def _finished(self, value: Number) -> Number:
        """Read what follows a value and belongs to it: 5!, 30°, 3², 20%."""
        self._is_percentage = False
        while True:
            if self._next().kind == "power":
                exponent = self._arithmetic.literal(self._next().text)
                self._at += 1
                value = self._arithmetic.operate("**", value, exponent)
            elif self._take("!"):
                value = self._call("factorial", value)
            elif self._take("°"):
                value = self._call("radians", value)
            elif self._is_percent_sign():
                self._at += 1
                value = self._arithmetic.operate("/", value, 100)
                self._is_percentage = True
            else:
                return value

    def _is_percent_sign(self) -> bool:
        """Tell 5% from 5 % 3: nothing follows it that has a remainder. In `5% - 3` the spaces tell."""
        if self._next().text != "%" or self._next().kind != "op":
            return False
        sign, after = self._tokens[self._at + 1 : self._at + 3] if self._at + 2 < len(self._tokens) else (None, None)
        if sign is None or after is None or sign.kind == "end":
            return True
        if sign.text in {"+", "-"}:
            return sign.spaced and after.spaced and not self._next().spaced
        return sign.kind == "op" and sign.text not in {"(", "~", *ROOTS}

    def _atom(self) -> Number:
        token = self._next()
        if token.kind == "number":
            self._at += 1
            return self._in_units(self._arithmetic.literal(token.text))
        if token.kind == "name":
            self._at += 1
            return self._named(token.text)
        if self._take("("):
            value = self._comparison()
            self._expect(")")
            return value
        if (root := self._take(*ROOTS)) is not None:
            self._deeper()
            value = self._call(ROOTS[root], self._atom())
            self._depth -= 1
            return value
        raise self._unexpected()

    def _in_units(self, value: Number) -> Number:
        if self._next().kind == "unit":
            for unit in self._next().text:
                value = self._arithmetic.operate("*", value, UNITS[unit])
            self._at += 1
        return value

    def _named(self, name: str) -> Number:
        if self._take("("):
            if name not in FUNCTIONS and name not in OTHER_NAMES:
                raise ToolError(_unknown("function", name, (*FUNCTIONS, *OTHER_NAMES)))
            return self._call(name, *self._arguments())
        if name not in CONSTANTS:
            if name in FUNCTIONS:
                raise ToolError(f"{name} is a function; write {name}(…).")
            raise ToolError(_unknown("constant", name, CONSTANTS))
        return self._arithmetic.checked(CONSTANTS[name])

    def _arguments(self) -> list[Number]:
        """Read the arguments of a function, behind its bracket; one list in square brackets counts as its items."""
        if self._take(")"):
            return []
        is_list = self._take("[") is not None
        arguments = [self._comparison()]
        while self._take(","):
            arguments.append(self._comparison())
        if is_list:
            self._expect("]")
        self._expect(")")
        return arguments

    def _call(self, name: str, *arguments: Number) -> Number:
        name = OTHER_NAMES.get(name, name)
        return FUNCTIONS[name](self._arithmetic, name, list(arguments))


def _unknown(what: str, name: str, known: Any) -> str:
    near = get_close_matches(name[:SHOWN], known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
    return f"There is no {what} {name[:SHOWN]!r}; {hint}"


def _written(value: Number) -> tuple[str, bool]:
    """Write a result, and say whether that is all of it."""
    if isinstance(value, bool):
        return str(value).lower(), True
    if isinstance(value, int):
        return str(value), True
    if isinstance(value, float):
        return _positional(Decimal(f"{value:.{ROUNDED_DIGITS}g}")), False
    with localcontext(prec=EXACT_DIGITS) as context:
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
        if Fraction(decimal) == value:
            return _positional(decimal), True
        context.prec = max(ROUNDED_DIGITS, min(decimal.adjusted() + 1, EXACT_DIGITS))
        return _positional(+decimal), False


def _positional(value: Decimal) -> str:
    if not value:
        return "0"
    if value.adjusted() in POSITIONAL:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value.normalize():e}"
