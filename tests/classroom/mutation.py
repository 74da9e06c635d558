"""Small changes to a program, each a mistake somebody could make: which of them do cases tell?

A mutant is the worked solution with one thing changed: a comparison, a sign, a number by one, a
`not` or a `.lower()` taken away, `min` for `max`. Loops count their rounds, since a change may keep
one from ending.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

ROUNDS = 20_000  # of all loops of a call together; no solution needs a tenth of it
TURNED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
          ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub,
          ast.Sub: ast.Add, ast.And: ast.Or, ast.Or: ast.And, ast.Mult: ast.Div,
          ast.Div: ast.Mult}
OPPOSITE = {"min": "max", "max": "min", "amax": "amin", "amin": "amax", "minimum": "maximum",
            "maximum": "minimum", "argmin": "argmax", "argmax": "argmin", "any": "all",
            "all": "any"}
CLEANS = {"lower", "casefold", "strip", "rstrip", "lstrip", "removesuffix", "abs", "encode"}


class EndlessError(Exception):
    """A loop went round and round."""


def mutants(source: str, name: str) -> dict[str, str]:
    """Programs that differ from a solution in one place, by what was changed.

    Args:
        source: of the solution's cell.
        name: of the function or class in it; nothing else is changed.

    >>> [*mutants("def f(x):\\n    return x + 1", "f")]
    ['line 2: + → -', 'line 2: 1 → 2', 'line 2: 1 → 0']
    """
    made: dict[str, str] = {}
    whole = ast.parse(source)
    for place, node in enumerate(ast.walk(_named(whole, name))):
        for says, change in _changes(node):
            other = copy.deepcopy(whole)
            change([*ast.walk(_named(other, name))][place])
            key = f"line {getattr(node, 'lineno', 0)}: {says}"
            while key in made:
                key += " (again)"
            made[key] = ast.unparse(ast.fix_missing_locations(other))
    return made


def runs(source: str, space: dict[str, Any]) -> dict[str, Any]:
    """What a mutant's cell defines beside `space`, its loops counted.

    >>> endless = runs("def f():\\n    while True:\\n        pass", {})["f"]
    >>> endless()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    EndlessError: round and round
    """
    rounds = [0]

    def count() -> None:
        rounds[0] += 1
        if rounds[0] > ROUNDS:
            raise EndlessError("round and round")

    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.While)):
            node.body.insert(0, ast.parse("_count()").body[0])
    made = space | {"_count": count}
    exec(compile(ast.fix_missing_locations(tree), "<mutant>", "exec"), made)
    return made


def _named(tree: ast.AST, name: str) -> ast.AST:
    return next(node for node in ast.walk(tree) if getattr(node, "name", None) == name)


Change = Callable[[Any], None]


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What can be changed at a node: words, and what does it to the node's twin."""
    if isinstance(node, ast.Compare):
        for place, was in enumerate(node.ops):
            if now := TURNED.get(type(was)):
                yield f"{_sign(was)} → {_sign(now())}", lambda one, place=place, now=now: (
                    one.ops.__setitem__(place, now()))
    elif isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in TURNED:
        now = TURNED[type(node.op)]
        yield f"{_sign(node.op)} → {_sign(now())}", lambda one: setattr(one, "op", now())
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (node.value + 1, node.value - 1):
            yield f"{node.value} → {value}", lambda one, value=value: setattr(one, "value", value)
    elif isinstance(node, ast.Name) and node.id in OPPOSITE:
        yield f"{node.id} → {OPPOSITE[node.id]}", lambda one: setattr(one, "id", OPPOSITE[one.id])
    elif isinstance(node, ast.Attribute) and node.attr in OPPOSITE:
        yield f".{node.attr} → .{OPPOSITE[node.attr]}", lambda one: setattr(
            one, "attr", OPPOSITE[one.attr])
    elif isinstance(node, ast.Slice):
        for end in ("lower", "upper"):
            if getattr(node, end):
                yield f"[{ast.unparse(node)}] without its {end} end", lambda one, end=end: setattr(
                    one, end, None)
    body = getattr(node, "body", [])
    for place, line in enumerate(body if isinstance(body, list) else []):
        if (isinstance(line, ast.Expr) and not isinstance(line.value, ast.Constant)) or isinstance(
                line, (ast.AugAssign, ast.Continue)):
            yield f"without `{ast.unparse(line)}`", lambda one, place=place: (
                one.body.__setitem__(place, ast.Pass()))
    for field, value in ast.iter_fields(node):
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            less = _less(child)
            if less is not None:
                yield f"without {less[0]}", lambda one, field=field, place=place: _put(
                    one, field, place)


def _less(node: Any) -> tuple[str, ast.AST] | None:
    """A `not` or a cleaning call, and what is left without it."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return "not", node.operand
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (
            node.func.attr in CLEANS):
        return f".{node.func.attr}", node.func.value
    return None


def _put(node: ast.AST, field: str, place: int) -> None:
    value = getattr(node, field)
    if isinstance(value, list):
        value[place] = _less(value[place])[1]
    else:
        setattr(node, field, _less(value)[1])


def _sign(operator: ast.AST) -> str:
    signs = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
             ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Add: "+", ast.Sub: "-",
             ast.And: "and", ast.Or: "or", ast.Mult: "*", ast.Div: "/"}
    return signs[type(operator)]
