"""The formula of a multi grader: arithmetic on its graders' scores, parsed and never executed."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

MAX_LENGTH = 500
FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min, "max": max, "abs": abs, "floor": math.floor, "ceil": math.ceil, "exp": math.exp, "sqrt": math.sqrt,
    "log": math.log,
}
BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
UNARY = {ast.UAdd: operator.pos, ast.USub: operator.neg}


class FormulaError(ValueError):
    """The formula is no arithmetic on these names, or has no value."""


def evaluate(formula: str, scores: Mapping[str, float]) -> float:
    """Value of e.g. `0.8 * accuracy + 0.2 * min(style, 1)`; `^` is the power. Raises FormulaError."""
    tree = parse(formula)
    value_shape(tree)
    try:
        value = float(value_of(tree, scores))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise FormulaError(f"the formula has no value: {error}") from None
    if not math.isfinite(value):
        raise FormulaError("the formula has no finite value")
    return value


def names(formula: str) -> set[str]:
    """The scores that a formula uses. Raises FormulaError when it is no formula."""
    tree = parse(formula)
    value_shape(tree)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return used - called


def parse(formula: str) -> ast.expr:
    if len(formula) > MAX_LENGTH:
        raise FormulaError(f"a formula has at most {MAX_LENGTH} characters")
    try:
        return ast.parse(formula.replace("^", "**").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError("this is no arithmetic formula") from None


def value_shape(tree: ast.expr) -> None:
    """Raise FormulaError for a tree that has more than numbers, names, operators and the known functions."""
    match tree:
        case ast.Constant(value=int() | float()) if not isinstance(tree.value, bool):
            pass
        case ast.Name():
            pass
        case ast.BinOp(left, op, right) if type(op) in BINARY:
            value_shape(left)
            value_shape(right)
        case ast.UnaryOp(op, operand) if type(op) in UNARY:
            value_shape(operand)
        case ast.Call(ast.Name(id=name), [_, *_] as arguments, []) if name in FUNCTIONS:
            for argument in arguments:
                value_shape(argument)
        case _:
            raise FormulaError(f"a formula cannot contain '{ast.unparse(tree)}'")


def value_of(tree: ast.expr, scores: Mapping[str, float]) -> float:
    match tree:
        case ast.Constant(value=number):
            return float(number)
        case ast.Name(id=name) if name in scores:
            return scores[name]
        case ast.BinOp(left, op, right):
            return BINARY[type(op)](value_of(left, scores), value_of(right, scores))
        case ast.UnaryOp(op, operand):
            return UNARY[type(op)](value_of(operand, scores))
        case ast.Call(ast.Name(id=name), arguments):
            return FUNCTIONS[name](*(value_of(argument, scores) for argument in arguments))
    raise FormulaError(f"no grader is called '{ast.unparse(tree)}'")
