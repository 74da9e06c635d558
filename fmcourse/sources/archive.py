"""Read members of a wheel or a source distribution without unpacking, importing or running it.

A wheel is a zip and an sdist a gzipped tar, so both are plain containers of files. Only members
asked for are read, into memory; nothing is written, so a hostile path inside does no harm.
"""

from __future__ import annotations

import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fmcourse.errors import SourceError

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError)


class Archive:
    """Members of one `.whl`, `.zip` or `.tar.gz`, by name.

    Args:
        path: the archive.
        name: the source it belongs to, named in errors.
    """

    def __init__(self, path: Path, name: str):
        self.path, self.name = Path(path), name

    def _broken(self, error: Exception) -> SourceError:
        return SourceError(f"Source '{self.name}' is damaged: {error}.", where=self.path,
                           fix="Delete this file and fetch the source again.")

    def names(self) -> list[str]:
        """All member names, sorted."""
        try:
            if self.path.suffix in {".whl", ".zip"}:
                with zipfile.ZipFile(self.path) as archive:
                    return sorted(archive.namelist())
            with tarfile.open(self.path) as archive:
                return sorted(member.name for member in archive if member.isfile())
        except _BROKEN as error:
            raise self._broken(error) from error

    def many(self, wanted: list[str]) -> dict[str, bytes]:
        """Contents of several members in one pass; `SourceError` when one is missing."""
        found: dict[str, bytes] = {}
        try:
            if self.path.suffix in {".whl", ".zip"}:
                with zipfile.ZipFile(self.path) as archive:
                    present = set(archive.namelist())
                    found = {name: archive.read(name) for name in wanted if name in present}
            else:
                with tarfile.open(self.path) as archive:
                    for member in archive:
                        if member.isfile() and member.name in wanted:
                            found[member.name] = archive.extractfile(member).read()
        except _BROKEN as error:
            raise self._broken(error) from error
        missing = [name for name in wanted if name not in found]
        if missing:
            raise SourceError(
                f"Source '{self.name}' has no file {missing[0]}.", where=self.path,
                fix="The registry's version and file do not fit together; correct registry.toml.",
            )
        return found

    def read(self, member: str) -> bytes:
        """One member's bytes."""
        return self.many([member])[member]

    def jsonl(self, member: str) -> Iterator[dict[str, Any]]:
        """One member's JSON lines; a bad one is a `SourceError` naming file and line."""
        yield from json_lines(self.read(member), f"{self.path.name}/{member}", self.name)


def json_lines(blob: bytes, where: str, name: str) -> Iterator[dict[str, Any]]:
    """Parse JSON lines strictly; blank lines are skipped.

    >>> list(json_lines(b'{"text": "a"}\\n\\n', "x.jsonl", "x"))
    [{'text': 'a'}]
    """
    for number, line in enumerate(blob.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise SourceError(f"Source '{name}' has a line that is not JSON: {error}.",
                              where=f"{where}:{number}",
                              fix="Correct or delete that line.") from error
        if not isinstance(record, dict):
            raise SourceError(f"Source '{name}' has a line that is not a JSON object.",
                              where=f"{where}:{number}", fix='Write one {"text": ...} a line.')
        yield record
