"""The value of an arithmetic expression, so that two ways of writing the same sum are the same."""

from __future__ import annotations

import ast
import math
import operator
import re
import unicodedata
from collections.abc import Callable

POWER_LIMIT = 10_000
"""Digits, roughly, of the longest number that is worked out."""

SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
FUNCTIONS: dict[str, Callable[..., float]] = {"sqrt": math.sqrt, "abs": abs, "round": round, "sum": math.fsum}


def value_of(expression: str) -> float | None:
    """Work the expression out; None if it is no arithmetic, or has no value."""
    try:
        return _value(ast.parse(_python(expression), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, TypeError, RecursionError, MemoryError):
        return None


def same_value(one: str, other: str) -> bool:
    """Say whether two expressions have one value."""
    left, right = value_of(one), value_of(other)
    return left is not None and right is not None and math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)


def _python(expression: str) -> str:
    """Spell as Python what people write otherwise: × and ÷, ^ for a power, 1,000 and 15%."""
    text = unicodedata.normalize("NFKC", expression).translate(SIGNS).strip().lower()
    text = text.replace("^", "**").replace("math.", "")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return re.sub(r"(\d+(?:\.\d+)?)\s*%(?!\s*[\d(a-z])", r"(\1/100)", text)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=bool()):
            raise ValueError("a truth value is no number")
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id="pow"), args=[base, exponent], keywords=[]):
            return _power(_value(base), _value(exponent))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*map(_value, arguments))
    raise ValueError(f"{ast.dump(node)} is no arithmetic")


def _power(base: float, exponent: float) -> float:
    """Refuse what would take for ever, and what is no real number."""
    if abs(exponent) * max(1.0, math.log10(abs(base) + 1)) > POWER_LIMIT:
        raise ValueError("the number is too long")
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("a complex number")  # noqa: TRY004 - the value is at fault, as in the cases above
    return result
