"""The packages that the course needs, as wheels in one folder, for machines without a network.

Which packages and versions is read from this environment, so that what is carried away is what
was tried here: bundle from a machine where the course runs. pip brings the wheels (and builds
those that are published as source only), a few at a time into a hidden folder, so that a run that
was interrupted goes on where it was. Sizes told beforehand are estimates, from what is installed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from fmcourse import store
from fmcourse.errors import CourseError

BATCH = 12  # packages a call of pip
COMPRESSED = 0.3  # bytes of a wheel to a byte installed: 184 packages: 0.55 GB of 1.9
NO_TORCH = ("pip finds no such build of PyTorch in its package index. Tell it about an index that "
            "has it with PIP_EXTRA_INDEX_URL: the selector on PyTorch's “Get started” page shows "
            "the address for your system, Pip and CPU.")


@dataclass(frozen=True)
class Pin:
    """A package at the version installed here, and the bytes it takes there."""

    name: str
    version: str
    installed: int

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def pins(root: Path) -> list[Pin]:
    """All that the course needs on this platform, and what builds it, at the installed versions.

    Args:
        root: the folder with its pyproject.toml, which is read rather than what is known of the
            installed course: that may be older.

    Raises:
        CourseError: something that it needs is not installed.
    """
    told = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    waiting = [Requirement(text) for text in [*told["project"].get("dependencies", []),
                                              *told["build-system"]["requires"]]]
    done: set[tuple[str, str]] = set()
    found: dict[str, Pin] = {}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras}:
            if (name, extra) in done:
                continue
            done.add((name, extra))
            distribution = _installed(wanted)
            version = str(Version(distribution.version))
            found[name] = Pin(name, version, _size(distribution))
            needed = map(Requirement, distribution.requires or [])
            waiting += [one for one in needed
                        if one.marker is None or one.marker.evaluate({"extra": extra})]
    return [found[name] for name in sorted(found)]


def _installed(wanted: Requirement) -> metadata.Distribution:
    try:
        return metadata.distribution(wanted.name)
    except metadata.PackageNotFoundError as error:
        raise CourseError(f"{wanted.name} is not installed here, and the course needs it.",
                          where=sys.executable, fix=f"python -m pip install '{wanted}'") from error


def _size(distribution: metadata.Distribution) -> int:
    return sum(file.size or 0 for file in distribution.files or [])


def present(folder: Path) -> dict[tuple[str, str], Path]:
    """The wheels of a folder by name and version."""
    found = {}
    for path in folder.glob("*.whl"):
        try:
            name, version, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        found[name, str(version)] = path
    return found


def bring(wanted: Iterable[Pin], folder: Path, say: Callable[[str], None]) -> list[Path]:
    """Bring the wheels that are not in the folder yet, and remove those of other packages.

    Args:
        say: called with a line now and then.

    Returns:
        The wheels, in the order of the packages.

    Raises:
        CourseError: pip could not bring one; those brought before stay.
    """
    wanted = list(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [pin for pin in wanted if (pin.name, pin.version) not in present(folder)]
    for batch in _batches(missing):
        many = f" and {len(batch) - 1} more" if len(batch) > 1 else ""
        say(f"fetching {batch[0]}{many}")
        with tempfile.TemporaryDirectory(prefix=store.PARTIAL, dir=folder) as draft:
            _pip_wheel(batch, Path(draft))
            for path in Path(draft).glob("*.whl"):
                path.replace(folder / path.name)
    here = present(folder)
    for key in set(here) - {(pin.name, pin.version) for pin in wanted}:
        here[key].unlink()
    lost = [pin for pin in wanted if (pin.name, pin.version) not in here]
    if lost:
        raise CourseError(f"pip brought another version than {lost[0]}.", where=folder,
                          fix="python -m pip check; then run this again.")
    return [here[pin.name, pin.version] for pin in wanted]


def _batches(missing: list[Pin]) -> Iterator[list[Pin]]:
    """PyTorch by itself, since it is the largest and the likeliest not to be found."""
    yield from ([pin] for pin in missing if pin.name == "torch")
    others = [pin for pin in missing if pin.name != "torch"]
    yield from (others[i:i + BATCH] for i in range(0, len(others), BATCH))


def _pip_wheel(batch: list[Pin], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", "wheel",
         "--quiet", "--no-deps", "--progress-bar=off", "--wheel-dir", str(folder),
         *map(str, batch)], capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise CourseError(
            "pip could not bring the wheels: "
            + (errors or done.stderr.splitlines() or ["it did not say why"])[-1],
            where=", ".join(map(str, batch)),
            fix=NO_TORCH if batch[0].name == "torch" else
            "Look at the network, then run the same command again: it goes on from here.")
