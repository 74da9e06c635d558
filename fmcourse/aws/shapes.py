"""A request held against AWS's own API model, without a network.

botocore ships the models of every operation. Its `ParamValidator` checks types, required and
unknown members and least lengths before a request leaves a machine; allowed values, patterns and
greatest lengths it leaves to the service, which answers hours or a deployment later. Both are
checked here. What no model says, such as whether a bucket exists, only AWS can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fmcourse.aws.findings import Finding
from fmcourse.aws.session import operation
from fmcourse.errors import meant

SECONDS = 0.5  # for a pattern
_LINES = (  # what `ParamValidator` says, public unlike its records: rule, fault, remedy
    (r'Missing required parameter in (?P<at>\S+): "(?P<name>.*)"', "required", "It is missing.",
     "Add it."),
    (r'Unknown parameter in (?P<at>\S+): "(?P<name>.*)", must be one of: (?P<known>.*)', "unknown",
     "There is no such parameter.", ""),
    (r"Invalid type for parameter (?P<name>\S+), value: (?P<value>.*), type: .*, valid types: "
     r"(?P<known>.*)", "type", "{value} is of another type.", "Give {known}."),
    (r"Invalid value for parameter (?P<name>\S+), value: (?P<value>.*), valid min value: "
     r"(?P<known>.*)", "least", "{value} is too small.", "Give at least {known}."),
    (r"Invalid length for parameter (?P<name>\S+), value: (?P<value>.*), valid min length: "
     r"(?P<known>.*)", "least", "Its length is {value}.", "Make it at least {known}."),
    (r"(?:Must set one|Invalid number) of .*structure\s?(?P<name>\S+?)[:.] .*", "union",
     "It does not say exactly one thing.", "Give one of its members."),
)


def check_parameters(service: str, name: str, parameters: dict[str, Any]) -> list[Finding]:
    """Everything that an API model has against the parameters of a request.

    Args:
        service: such as 'bedrock'.
        name: of the operation, such as 'CreateModelCustomizationJob'.
        parameters: of the request.

    >>> [str(one) for one in check_parameters("s3", "CreateBucket", {"Buket": "b"})]
    ... # doctest: +NORMALIZE_WHITESPACE +ELLIPSIS
    ['Bucket: It is missing. Add it. [required]',
     'Buket: There is no such parameter. Did you mean Bucket? [unknown]']
    """
    from botocore.validate import ParamValidator

    shape = operation(name, service).input_shape
    report = ParamValidator().validate(parameters, shape).generate_report()
    found = [_finding(line) for line in report.splitlines()]
    return found + list(_beyond(shape, parameters, ""))


def _finding(line: str) -> Finding:
    for pattern, rule, what, fix in _LINES:
        parts = re.fullmatch(pattern, line)
        if parts:
            found = {"at": "", "value": "", "known": "", **parts.groupdict()}
            where = f"{found['at']}.".replace("input.", "").lstrip(".") + found["name"]
            known = found["known"].replace("<class '", "").replace("'>", "")
            return Finding(where, rule, what.format(**found),
                           fix.format(known=known) or meant(found["name"], known.split(", ")))
    return Finding("request", "model", line, "Change it so that it fits the API model.")


def _beyond(shape: Any, value: Any, path: str) -> Iterator[Finding]:
    """What botocore's validator leaves to the service, in a value and all that it holds."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                yield from _beyond(member, value[name], f"{path}.{name}".lstrip("."))
    elif kind == "list" and isinstance(value, (list, tuple)):
        yield from _length(shape, value, path, "entries")
        for i, one in enumerate(value):
            yield from _beyond(shape.member, one, f"{path}[{i}]")
    elif kind == "map" and isinstance(value, dict):
        yield from _length(shape, value, path, "entries")
        for key, one in value.items():
            yield from _beyond(shape.key, key, f"{path} (key {key!r})")
            yield from _beyond(shape.value, one, f"{path}.{key}")
    elif kind == "string" and isinstance(value, str):
        yield from _length(shape, value, path, "characters")
        yield from _text(shape, value, path)
    elif kind in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
        most = shape.metadata.get("max")
        if most is not None and value > most:
            yield Finding(path, "most", f"{value} is too large.", f"Give at most {most}.")


def _length(shape: Any, value: Any, path: str, unit: str) -> Iterator[Finding]:
    most = shape.metadata.get("max")
    if most is not None and len(value) > most:
        yield Finding(path, "most", f"It has {len(value)} {unit}.", f"Give at most {most}.")


def _text(shape: Any, value: str, path: str) -> Iterator[Finding]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield Finding(path, "enum", f"{value!r} is none of its values.", meant(value, allowed))
    pattern = shape.metadata.get("pattern")
    if pattern and not _fits(pattern, value):
        shown = pattern if len(pattern) < 90 else f"the pattern of {shape.name}"
        yield Finding(path, "pattern", f"{value!r} does not have its shape.",
                      f"Make it match {shown}.")


def _fits(pattern: str, value: str) -> bool:
    """Whether a value has a pattern's shape; where that can't be told, it has.

    `regex` knows classes that are written as in Java (`\\p{Alnum}`), and gives up in time where a
    pattern needs exponentially many steps, as that of `jobName` does.
    """
    import regex

    try:
        return regex.fullmatch(pattern, value, timeout=SECONDS) is not None
    except (regex.error, TimeoutError):
        return True
