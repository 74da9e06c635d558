"""D3: what is not as the registry says it is cannot be read by name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

from fmcourse import sources
from fmcourse.errors import SourceError
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.sources.registered import REGISTRY

READ, AS_REGISTERED, TAMPERED = "share that is read", "as registered", "tampered with"
NEEDED = ("version", "sha256", "licence", "attribution")
NAMES = ("web-bible", "shakespeare", "django-messages", "awscli-examples", "aws-docs", "boolq")


def registered(seed: int, names: Sequence[str] = NAMES) -> Outcome:
    """Archives as they are against the same with one byte changed; whole entries against entries
    that lack a version, a hash, a licence or an attribution, or leave it blank. Nothing here is
    left to chance.

    Args:
        names: sources whose archives are tried, each in an empty home.
    """
    whole = {name: sources.fetch(name).read_bytes() for name in names}
    entries = {name: REGISTRY.read_text(encoding="utf-8").split(f"[{name}]\n")[1].split("\n[")[0]
               for name in names}
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as work:
        tries = {
            AS_REGISTERED: [_archive(name, blob, work) for name, blob in whole.items()]
            + [_entry(name, entry, work) for name, entry in entries.items()],
            TAMPERED: [_archive(name, _flipped(blob), work) for name, blob in whole.items()]
            + [_entry(name, change(entry, key), work) for change in (_without, _blank)
               for name, entry in entries.items() for key in NEEDED]}
        arms = {arm: {READ: sum(map(accepted, some)) / len(some)} for arm, some in tries.items()}
    return Outcome(arms, {name: sources.get(name).sha256 for name in names},
                   {arm: len(some) for arm, some in tries.items()})


def accepted(attempt: Callable[[], object]) -> bool:
    """Whether the sources room does it."""
    try:
        attempt()
    except SourceError:
        return False
    return True


def _archive(name: str, blob: bytes, work: str) -> Callable[[], object]:
    """Fetch a source from a wheelhouse that has this for it, into an empty home."""
    def attempt() -> object:
        with tempfile.TemporaryDirectory(dir=work) as place:
            (Path(place) / sources.get(name).file).write_bytes(blob)
            homes = {"FMCOURSE_HOME": str(Path(place) / "home"), "FMCOURSE_WHEELHOUSE": place}
            with mock.patch.dict(os.environ, homes):
                return sources.fetch(name)

    return attempt


def _entry(name: str, entry: str, work: str) -> Callable[[], object]:
    """Read a registry that has this entry alone."""
    def attempt() -> object:
        with tempfile.TemporaryDirectory(dir=work) as place:
            path = Path(place) / "registry.toml"
            path.write_text(f"[{name}]\n{entry}\n", encoding="utf-8")
            return sources.registry(path)

    return attempt


def _flipped(blob: bytes) -> bytes:
    """The same bytes but for a bit of the one in the middle."""
    middle = len(blob) // 2
    return blob[:middle] + bytes([blob[middle] ^ 1]) + blob[middle + 1:]


def _without(entry: str, key: str) -> str:
    return "\n".join(line for line in entry.split("\n") if not line.startswith(f"{key} ="))


def _blank(entry: str, key: str) -> str:
    return "\n".join(f'{key} = ""' if line.startswith(f"{key} =") else line
                     for line in entry.split("\n"))
