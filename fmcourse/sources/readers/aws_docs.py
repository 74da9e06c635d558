"""The documentation of AWS, from the API models inside a botocore wheel: a text an operation.

Every service has a JSON model (`botocore/data/<service>/<version>/service-2.json`, gzipped in newer
releases) whose operations and shapes carry HTML documentation. The newest version of each service
is read; nothing is imported. Trade-off: the shape that only one operation takes or returns is
written inside that operation, so that the text reads like a page, and one that several share is a
text of its own, named where it is used, so that nothing is said twice; what an inlined shape says
of itself ("The request for ...") is left out. What no one documented has no text; how much
documentation a text holds is in `prose`, for others to judge.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.markup import plain

Json = dict[str, Any]
_MODEL = re.compile(r"botocore/data/([^/]+)/(\d{4}-\d\d-\d\d)/service-2\.json(?:\.gz)?")
_SLOTS = {"input": ("Parameters", "Takes"), "output": ("Returns", "Returns")}
_plain = lru_cache(maxsize=50_000)(plain)  # a third of all documentation is there more than once


def texts(archive: Archive) -> Iterator[Json]:
    """Rows `text`, `document` (service folder), `service` (its full name), `kind`, `name`, `prose`.

    `kind` is 'service', 'operation' or 'shape'; `name` is the operation's or shape's; `prose` is
    the number of characters of documentation in the text, without its heading and names.

    Raises:
        SourceError: no models in the archive, or one that cannot be read.
    """
    for service, model in _models(archive):
        for row in _rows(model):
            yield {"document": service, **row}


def fragments(archive: Archive) -> Iterator[Json]:
    """Rows `text` (the HTML of one piece of documentation, as it is) and `document` (service).

    As often as each is there: a third of them are there more than once.

    Raises:
        SourceError: as `texts`.
    """
    for service, model in _models(archive):
        yield from ({"text": text, "document": service} for text in _documentation(model) if text)


def _documentation(node: Any) -> Iterator[str]:
    """Every text under a key `documentation`, depth first; a member of that name is no text."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key == "documentation" and isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)):
            yield from _documentation(value)


def _models(archive: Archive) -> Iterator[tuple[str, Json]]:
    newest = newest_models(archive.names())
    if not newest:
        raise SourceError("There are no API models in this archive.", where=archive.path,
                          fix="Register a botocore wheel for the reader 'aws_docs'.")
    blobs = archive.many(list(newest.values()))
    for service, member in newest.items():
        yield service, _model(blobs.pop(member), f"{archive.path.name}/{member}")


def newest_models(names: list[str]) -> dict[str, str]:
    """The member that holds the newest model of each service, in order of the services' names.

    >>> newest_models([f"botocore/data/s3/{day}/service-2.json.gz" for day in
    ...                ("2006-03-01", "2004-01-01")])
    {'s3': 'botocore/data/s3/2006-03-01/service-2.json.gz'}
    """
    found = sorted(match.group(1, 2, 0) for match in map(_MODEL.fullmatch, names) if match)
    return {service: name for service, _, name in found}


def _model(blob: bytes, where: str) -> Json:
    try:
        model = json.loads(gzip.decompress(blob) if where.endswith(".gz") else blob)
        model["metadata"]["serviceFullName"], model["operations"], model["shapes"]
        return model
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"This is not an API model: {error!r}.", where=where,
                          fix="Delete the archive and fetch the source again.") from error


def _rows(model: Json) -> Iterator[Json]:
    """The service, its operations and its other documented shapes, each by name."""
    service, shapes = model["metadata"]["serviceFullName"], model["shapes"]
    operations = sorted(model["operations"].items())
    uses = Counter(operation[slot]["shape"] for _, operation in operations
                   for slot in _SLOTS if slot in operation)
    about = _plain(model.get("documentation") or "")
    rows = [("service", "", f"{service}\n\n{about}", len(about))]
    rows += [("operation", name, *_operation(name, operation, service, shapes, uses))
             for name, operation in operations]
    rows += [("shape", name, *_shape(name, shape, service))
             for name, shape in sorted(shapes.items()) if uses[name] != 1]
    for kind, name, text, prose in rows:
        if prose:
            yield {"text": text, "service": service, "kind": kind, "name": name, "prose": prose}


def _operation(name: str, operation: Json, service: str, shapes: Json,
               uses: Counter[str]) -> tuple[str, int]:
    """An operation as text, and how much of it is documentation."""
    about = _plain(operation.get("documentation") or "")
    parts, prose = [f"{name} is an operation of {service}.", about], len(about)
    for slot, (heading, verb) in _SLOTS.items():
        if slot not in operation:
            continue
        shape = operation[slot]["shape"]
        lines, size = _members(shapes[shape])
        if uses[shape] > 1 and size:
            parts.append(f"{verb} {shape}.")
        elif size:
            parts.append(f"{heading}\n{lines}")
            prose += size
    return "\n\n".join(filter(None, parts)), prose


def _shape(name: str, shape: Json, service: str) -> tuple[str, int]:
    """A structure, enumeration or other type as text, and how much of it is documentation."""
    kind = "exception" if shape.get("exception") else shape["type"]
    article = "an" if kind[0] in "aeiou" else "a"
    about = _plain(shape.get("documentation") or "")
    lines, size = _members(shape)
    values = f"Values: {', '.join(shape['enum'])}" if "enum" in shape else ""
    parts = (f"{name}, {article} {kind} of {service}.", about, lines, values)
    return "\n\n".join(filter(None, parts)), len(about) + size


def _members(shape: Json) -> tuple[str, int]:
    """The documented parts of a shape, a line 'Name: documentation' each, and their length."""
    parts = {**shape.get("members", {}),
             **{part: shape[part] for part in ("key", "value", "member") if part in shape}}
    documented = {name: _plain(part["documentation"]).replace("\n\n", "\n")
                  for name, part in parts.items() if part.get("documentation")}
    lines = [f"{name}: {text}" for name, text in documented.items() if text]
    return "\n".join(lines), sum(map(len, documented.values()))
