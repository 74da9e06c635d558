"""Conditions of policies: operators, wildcards and variables, as AWS evaluates them.

After the pages `reference_policies_elements_condition_operators`,
`reference_policies_condition-single-vs-multi-valued-context-keys` and
`reference_policies_variables` of the IAM user guide (read on 2026-11-26). All operators and keys of
a block must hold (and); one of a key's values is enough (or), and for a negated operator none may
match (nor). A key that the request lacks fails every operator but the negated ones, `…IfExists`,
`ForAllValues:` and `Null`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from fmcourse.errors import AwsError, meant

Context = Mapping[str, Any]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERAL = {"*": "\0", "?": "\1", "$": "$"}
_OPERATOR = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", re.ASCII)


def listed(value: Any) -> list[Any]:
    """What a policy may write alone or in a list, as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def glob(pattern: str, text: str, ignore_case: bool = False) -> bool:
    """Whether text fits a pattern, in which `*` is any characters and `?` is one.

    >>> glob("arn:aws:s3:::data/*", "arn:aws:s3:::data/a/b"), glob("s3:Get?", "s3:Get")
    (True, False)
    """
    return bool(_compiled(pattern, ignore_case).fullmatch(text))


@lru_cache(4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    shape = "".join(parts.get(one) or re.escape(one) for one in re.sub(r"\*+", "*", pattern))
    return re.compile(shape, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether a request's context fulfils a statement's condition.

    Args:
        condition: operator → key → value or values.
        context: what is known of the request: key → value or values, keys in any case.

    >>> holds({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "true"})
    False
    """
    known = normal(context)
    return all(_key_holds(operator, key, [_text(one) for one in listed(wanted)], known)
               for operator, keys in condition.items() for key, wanted in keys.items())


def normal(context: Context) -> dict[str, list[str]]:
    """A context with keys in small letters and lists of texts; what is None is absent."""
    return {name.lower(): [_text(one) for one in listed(value)]
            for name, value in context.items() if value is not None}


def is_operator(name: str) -> bool:
    """Whether AWS knows an operator of this name.

    >>> is_operator("ForAnyValue:StringNotLikeIfExists"), is_operator("StringIs")
    (True, False)
    """
    parts = _OPERATOR.fullmatch(name)
    return name == "Null" or (parts is not None and (parts[2] in _TESTS or parts[2] in _NEGATED))


def operators() -> list[str]:
    """Names of all operators, without `ForAllValues:`, `ForAnyValue:` and `…IfExists`."""
    return [*_TESTS, *_NEGATED, "Null"]


def _key_holds(operator: str, key: str, wanted: list[str], known: dict[str, list[str]]) -> bool:
    if not is_operator(operator):
        raise AwsError(f"There is no condition operator {operator}.", where="Condition",
                       fix=meant(operator, operators()))
    values = known.get(key.lower(), [])
    if operator == "Null":
        return any(one.lower() == str(not values).lower() for one in wanted)
    every, name, if_exists = _OPERATOR.fullmatch(operator).groups()  # type: ignore[union-attr]
    negated = name in _NEGATED
    if not values:
        return bool(if_exists or every == "ForAllValues" or (negated and every != "ForAnyValue"))
    test = _TESTS[_NEGATED.get(name, name)]
    patterns = [one for text in wanted if (one := filled(text, known)) is not None]
    fits = [negated != any(test(pattern, value) for pattern in patterns) for value in values]
    return all(fits) if every == "ForAllValues" or (negated and not every) else any(fits)


def filled(text: str, known: Mapping[str, list[str]]) -> str | None:
    """A value with its policy variables filled in; None where the request lacks one.

    `${*}`, `${?}` and `${$}` are the characters themselves: \0 and \1 stand for the first two, so
    that nothing takes them for wildcards.
    """
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = found[1].partition(",")
        if name in _LITERAL:
            return _LITERAL[name]
        values = known.get(name.strip().lower(), [])
        missing |= len(values) != 1 and not default
        return values[0] if len(values) == 1 else default.strip().strip("'")

    made = _VARIABLE.sub(value, text)
    return None if missing else made


def like(pattern: str, value: str) -> bool:
    """Whether a value fits a pattern whose variables were filled in."""
    return glob(pattern, value.replace("*", "\0").replace("?", "\1"))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(text: str) -> str:
    return text.replace("\0", "*").replace("\1", "?")


def _arn(pattern: str, value: str) -> bool:
    """Six parts between colons, each for itself."""
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) == 6 and all(map(like, wanted, given))


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    made = datetime.fromisoformat(text)
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _typed(kind: Callable[[str], Any], compare: Callable[[Any, Any], bool]
           ) -> Callable[[str, str], bool]:
    """A test of values of a kind; what is not of it does not fit."""
    def test(pattern: str, value: str) -> bool:
        try:
            return compare(kind(value), kind(pattern))
        except (ValueError, OverflowError, OSError, TypeError):
            return False

    return test


def _network(pattern: str, value: str) -> bool:
    try:
        address, network = ip_address(value), ip_network(pattern, strict=False)
    except ValueError:
        return False
    return address.version == network.version and address in network


_ORDER: Iterable[tuple[str, Callable[[Any, Any], bool]]] = (
    ("Equals", lambda a, b: a == b), ("LessThan", lambda a, b: a < b),
    ("LessThanEquals", lambda a, b: a <= b), ("GreaterThan", lambda a, b: a > b),
    ("GreaterThanEquals", lambda a, b: a >= b))
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda pattern, value: _plain(pattern) == value,
    "StringEqualsIgnoreCase": lambda pattern, value: _plain(pattern).lower() == value.lower(),
    "StringLike": like, "ArnEquals": _arn, "ArnLike": _arn, "IpAddress": _network,
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
    "BinaryEquals": _typed(lambda text: b64decode(text, validate=True), lambda a, b: a == b),
    **{f"Numeric{name}": _typed(float, compare) for name, compare in _ORDER},
    **{f"Date{name}": _typed(_moment, compare) for name, compare in _ORDER},
}
_NEGATED = {name.replace("Equals", "NotEquals", 1).replace("Like", "NotLike"): name for name in (
    "StringEquals", "StringEqualsIgnoreCase", "StringLike", "NumericEquals", "DateEquals",
    "ArnEquals", "ArnLike")} | {"NotIpAddress": "IpAddress"}
