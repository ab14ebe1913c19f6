"""The functions of the calculator, exact where their results are."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, TypeGuard

from .calculator_numbers import BITS, Arithmetic, Number, bits, exact_root, real, too_large
from .errors import ToolError

PLACES = 1_000
"""Decimal places that `round` takes at most."""
ROUNDING = 4e-16
"""How much of a double is not sure: a little more than half of its last bit, on each side."""
MODULAR_BITS = 1_024
MODULAR_WORK = 2**17
"""What a power with a modulus counts for, in bits that are touched."""
MANY = 5_000
"""Arguments of one function; more than an expression has room for."""

Apply = Callable[..., Any]
"""Takes the arithmetic and the arguments."""


@dataclass(frozen=True, slots=True)
class Function:
    """What a name does."""

    apply: Apply
    least: int = 1
    most: int = 1

    def __call__(self, arithmetic: Arithmetic, name: str, arguments: list[Number]) -> Number:
        """Apply it.

        Raises:
            ToolError: the arguments are too many or too few, or it is not defined for them.
        """
        if not self.least <= len(arguments) <= self.most:
            raise ToolError(f"{name} takes {self._count()}, and here are {len(arguments)}.")
        try:
            return arithmetic.checked(self.apply(arithmetic, *arguments))
        except OverflowError:
            raise too_large() from None
        except (ValueError, ZeroDivisionError):
            raise ToolError(f"{name} is not defined for {', '.join(map(_short, arguments))}.") from None

    def _count(self) -> str:
        if self.least == self.most:
            return "1 argument" if self.least == 1 else f"{self.least} arguments"
        return f"{self.least} or more arguments" if self.most == MANY else f"{self.least} to {self.most} arguments"


def _short(value: Number) -> str:
    return f"{real(value):g}" if bits(value) < 1_000 else "such a large number"  # noqa: PLR2004


def _whole(value: Number) -> int:
    if not isinstance(value, int) and (isinstance(value, Fraction) or not value.is_integer()):
        raise ToolError(f"{_short(value)} is no whole number, and only one will do here.")
    return int(value)


def _known(compute: Callable[[float], float]) -> Apply:
    """Make a function of a double; a whole result for 0 or 1 is exact, such as cos(0) and log(1)."""

    def apply(arithmetic: Arithmetic, value: Number) -> Number:
        result = compute(real(value))
        is_exact = arithmetic.exact and isinstance(value, int) and value in {0, 1} and result.is_integer()
        return int(result) if is_exact else result

    return apply


def _cleared(compute: Apply, arithmetic: Arithmetic, value: Number) -> Number:
    """Give a sine or a cosine; 0 if it is no more than what its argument was rounded by, as that of pi."""
    result: Number = compute(arithmetic, value)
    is_rounded = arithmetic.exact and isinstance(value, float) and abs(value) >= 1
    return 0.0 if is_rounded and abs(real(result)) < ROUNDING * abs(real(value)) else result


_sin = partial(_cleared, _known(math.sin))
_cos = partial(_cleared, _known(math.cos))
_steep = _known(math.tan)


def _tan(arithmetic: Arithmetic, value: Number) -> Number:
    if not _cos(arithmetic, value):
        raise ValueError
    sine = _sin(arithmetic, value)
    result: Number = _steep(arithmetic, value) if sine else sine
    return result


def _sqrt(arithmetic: Arithmetic, value: Number) -> Number:
    if arithmetic.exact and not isinstance(value, float) and value >= 0:
        exact = exact_root(value, 2)
        return math.sqrt(real(value)) if exact is None else exact
    return math.sqrt(value)


def _cbrt(arithmetic: Arithmetic, value: Number) -> Number:
    if not arithmetic.exact or isinstance(value, float):
        return math.cbrt(value)
    exact = exact_root(-value if value < 0 else value, 3)
    if exact is None:
        return math.cbrt(real(value))
    return -exact if value < 0 else exact


def _logarithm(value: Number) -> float:
    if _is_long(value) and value > 0:
        return math.log(value.numerator) - math.log(value.denominator)
    return math.log(value)


def _is_long(value: Number) -> TypeGuard[Fraction]:
    """Tell a fraction that may be too large or too small for a double."""
    return isinstance(value, Fraction) and bits(value) > 512  # noqa: PLR2004


def _log(arithmetic: Arithmetic, value: Number, base: Number | None = None) -> Number:
    if base is None:
        return 0 if arithmetic.exact and value == 1 else _logarithm(value)
    if base in {2, 10}:
        return _log_of(int(base), arithmetic, value)
    return _exactly(arithmetic, value, base, _logarithm(value) / _logarithm(base))


def _log_of(base: int, arithmetic: Arithmetic, value: Number) -> Number:
    compute = math.log2 if base == 2 else math.log10  # noqa: PLR2004
    result = _logarithm(value) / math.log(base) if _is_long(value) else compute(value)
    return _exactly(arithmetic, value, base, result)


def _exactly(arithmetic: Arithmetic, value: Number, base: Number, result: float) -> Number:
    """Give a logarithm that is a whole number as one."""
    if not arithmetic.exact or isinstance(value, float) or isinstance(base, float):
        return result
    near = round(result)
    is_possible = abs(near - result) < 1e-9 and abs(near) * bits(base) <= 4 * bits(value)  # noqa: PLR2004
    return near if is_possible and Fraction(base) ** near == value else result


def _round(_: Arithmetic, value: Number, places: Number | None = None) -> Any:
    if places is None:
        return round(value)
    count = _whole(places)
    if abs(count) > PLACES:
        raise ToolError(f"round takes {PLACES:,} places at most.")
    return round(value, count)


def _fold(sign: str, start: int, arithmetic: Arithmetic, *values: Number) -> Number:
    result: Number = start
    for value in values:
        result = arithmetic.operate(sign, result, value)
    return result


_sum = partial(_fold, "+", 0)


def _mean(arithmetic: Arithmetic, *values: Number) -> Number:
    return arithmetic.operate("/", _sum(arithmetic, *values), len(values))


def _median(arithmetic: Arithmetic, *values: Number) -> Number:
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else _mean(arithmetic, ordered[half - 1], ordered[half])


def _pay(arithmetic: Arithmetic, size: int) -> None:
    """Pay for a product of that many bits before it is computed."""
    if size > BITS:
        raise too_large()
    arithmetic.spend(max(size, 0))


def _factorial(arithmetic: Arithmetic, value: Number) -> Number:
    count = _whole(value)
    _pay(arithmetic, count * count.bit_length())
    return math.factorial(count)


def _choose(compute: Callable[[int, int], int], arithmetic: Arithmetic, of: Number, chosen: Number) -> Number:
    total, part = _whole(of), _whole(chosen)
    fewer = min(part, total - part) if compute is math.comb else part
    _pay(arithmetic, fewer * total.bit_length())
    return compute(total, part)


def _pow(arithmetic: Arithmetic, base: Number, exponent: Number, modulus: Number | None = None) -> Number:
    if modulus is None:
        return arithmetic.operate("**", base, exponent)
    numbers = [_whole(value) for value in (base, exponent, modulus)]
    if max(map(bits, numbers)) > MODULAR_BITS:
        raise too_large()
    arithmetic.spend(MODULAR_WORK)
    return pow(numbers[0], numbers[1], numbers[2])


def _hypot(arithmetic: Arithmetic, *values: Number) -> Number:
    if not arithmetic.exact or any(isinstance(value, float) for value in values):
        return math.hypot(*values)
    squares = (arithmetic.operate("*", value, value) for value in values)
    return _sqrt(arithmetic, _sum(arithmetic, *squares))


def _of_wholes(compute: Callable[..., int]) -> Apply:
    return lambda _, *values: compute(*map(_whole, values))


def _lcm(arithmetic: Arithmetic, *values: Number) -> Number:
    result = 1
    for value in values:
        result = _whole(arithmetic.checked(math.lcm(result, _whole(value))))
    return result


def _plain(compute: Callable[..., Any]) -> Apply:
    return lambda _, *values: compute(*values)


ROUNDED: Mapping[str, Callable[[float], float]] = {
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": math.acosh,
    "atanh": math.atanh,
    "exp": math.exp,
    "expm1": math.expm1,
    "log1p": math.log1p,
    "erf": math.erf,
    "gamma": math.gamma,
    "degrees": math.degrees,
    "radians": math.radians,
}
EXACT: Mapping[str, Callable[[Any], Any]] = {
    "abs": abs,
    "fabs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "int": math.trunc,
    "float": lambda value: value,
    "sign": lambda value: (value > 0) - (value < 0),
}
FUNCTIONS: Mapping[str, Function] = {
    **{name: Function(_known(compute)) for name, compute in ROUNDED.items()},
    **{name: Function(_plain(compute)) for name, compute in EXACT.items()},
    "sin": Function(_sin),
    "cos": Function(_cos),
    "tan": Function(_tan),
    "sqrt": Function(_sqrt),
    "cbrt": Function(_cbrt),
    "isqrt": Function(_of_wholes(math.isqrt)),
    "ln": Function(_log),
    "lg": Function(partial(_log_of, 10)),
    "log10": Function(partial(_log_of, 10)),
    "log2": Function(partial(_log_of, 2)),
    "log": Function(_log, 1, 2),
    "factorial": Function(_factorial),
    "comb": Function(partial(_choose, math.comb), 2, 2),
    "perm": Function(partial(_choose, math.perm), 2, 2),
    "round": Function(_round, 1, 2),
    "pow": Function(_pow, 2, 3),
    "mod": Function(lambda arithmetic, left, right: arithmetic.operate("%", left, right), 2, 2),
    "fmod": Function(_plain(math.fmod), 2, 2),
    "xor": Function(_of_wholes(operator.xor), 2, 2),
    "atan2": Function(lambda _, y, x: math.atan2(real(y), real(x)), 2, 2),
    "hypot": Function(_hypot, 1, MANY),
    "gcd": Function(_of_wholes(math.gcd), 1, MANY),
    "lcm": Function(_lcm, 1, MANY),
    "max": Function(_plain(lambda *values: max(values)), 1, MANY),
    "min": Function(_plain(lambda *values: min(values)), 1, MANY),
    "sum": Function(_sum, 1, MANY),
    "prod": Function(partial(_fold, "*", 1), 1, MANY),
    "mean": Function(_mean, 1, MANY),
    "median": Function(_median, 1, MANY),
}
OTHER_NAMES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "avg": "mean",
    "average": "mean",
    "fact": "factorial",
}
CONSTANTS: Mapping[str, Number] = {"pi": math.pi, "e": math.e, "tau": math.tau, "true": True, "false": False}
