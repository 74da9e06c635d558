"""One folder with all that a class needs: packages, data, the course, and a script to install it.

For rooms without a network, or with one that 30 downloads of a gigabyte would bring down. The
packages are for this system and this Python; a room of several needs a bundle of each. The
manifest, with every file's hash, is written last: without it a folder is not whole. Making it again
keeps what is whole and brings the rest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fmcourse import __version__, sources, store
from fmcourse.classroom import bundle_install, no_network, wheelhouse
from fmcourse.classroom.wheelhouse import Pin
from fmcourse.errors import CourseError
from fmcourse.lessons import catalogue, supplies
from fmcourse.sources import fetching

MANIFEST, REQUIREMENTS, INSTALL = "manifest.json", "requirements.txt", "install.py"
BEGUN = "begun.json"  # in place of the manifest while a bundle is made
NAMES = (MANIFEST, BEGUN, REQUIREMENTS, INSTALL, "README.txt", "wheels", "data", "course")
WHAT = "fmcourse bundle"
WORK = 700_000_000  # bytes that lessons make at first: converted models, tokens
READ_ME = """\
The course fmcourse {version}, to install without a network.

Needs {system} ({machine}) with Python {python}, and {room:.1f} GB of disk.

    python{python} install.py            installs into the folder `fmcourse` of your home
    python{python} install.py FOLDER     or into another one

(On Windows: py -{python} install.py.)
It ends by saying how to open the first lesson.
"""


@dataclass(frozen=True)
class Plan:
    """What goes into a bundle.

    Attributes:
        root: of the course.
        pins: packages.
        files: of the course, as git knows them.
        wheels, data, course: bytes; the first is an estimate, and so is of the second what has
            not been fetched here (nothing).
        installed: bytes on a learner's disk, at most.
        absent: names of sources that have not been fetched here yet.
    """

    root: Path
    pins: tuple[Pin, ...]
    files: tuple[str, ...]
    wheels: int
    data: int
    course: int
    installed: int
    absent: tuple[str, ...]

    def __str__(self) -> str:
        later = f", more for {', '.join(self.absent)}" if self.absent else ""
        total = self.wheels + self.data + self.course
        return "\n".join((
            f"packages   {len(self.pins):5}   about {supplies.megabytes(self.wheels):>10}",
            f"data       {len(_archives()):5}         {supplies.megabytes(self.data):>10}{later}",
            f"course     {len(self.files):5}         {supplies.megabytes(self.course):>10}",
            f"together           about {supplies.megabytes(total):>10}; on a learner's disk about "
            f"{self.installed / 1e9:.1f} GB"))


def plan(root: Path) -> Plan:
    """What a bundle of the course in this folder holds; nothing is fetched.

    Raises:
        CourseError: a package is not installed, or the folder is not git's.
    """
    pins = tuple(wheelhouse.pins(root))
    files = tuple(tracked(root))
    held = {file: supplies.size(fetching.place(source)) for file, source in _archives().items()}
    course, data = sum((root / name).stat().st_size for name in files), sum(held.values())
    unpacked = sum(pin.installed for pin in pins)
    return Plan(root, pins, files, int(unpacked * wheelhouse.COMPRESSED), data, course,
                unpacked + data + course + WORK,
                tuple(_archives()[file].name for file, size in held.items() if not size))


def _archives() -> dict[str, sources.Source]:
    """The files that sources are read from; several may be read from one."""
    return {source.file: source for source in sources.registry().values()
            if source.kind != "package"}


def tracked(root: Path) -> Iterator[str]:
    """The files of a folder that git tracks, as they are now.

    Raises:
        CourseError: it is not git's.
    """
    try:
        said = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True,
                              text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise CourseError("The files of the course are those that git tracks, and git does not "
                          "say which.", where=root, fix=f"git -C {root} status") from error
    yield from (name for name in said.split("\0") if name and (root / name).is_file())


def make(planned: Plan, folder: Path, say: Callable[[str], None]) -> Path:
    """Make or complete a bundle.

    Args:
        say: called with a line now and then.

    Returns:
        Its manifest.

    Raises:
        CourseError: the disk is too full, or something cannot be fetched. The same call goes on
            from there.
        StoreError: something of somebody else's lies where a part is to lie.
    """
    earlier = _earlier(planned, folder)
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / MANIFEST
    _drop_damaged(folder)
    store.write_json(folder / BEGUN, {"what": WHAT, "files": earlier})
    whole.unlink(missing_ok=True)
    _check_room(planned, folder)
    wheels = wheelhouse.bring(planned.pins, folder / "wheels", say)
    for file, source in _archives().items():
        if not (folder / "data" / file).exists():
            say(f"data: {source.name}")
        supplies.carry(source, folder / "data")
    say("copying the course")
    with store.atomic_folder(folder / "course") as draft:
        for name in planned.files:
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(planned.root / name, draft / name)
    _write_texts(planned, folder, wheels)
    say("hashing")
    store.write_json(whole, {
        "what": WHAT, "course": __version__, "made": f"{date.today()}",
        "for": bundle_install.here(), "installed": planned.installed, "files": _hashes(folder)})
    (folder / BEGUN).unlink()
    return whole


def _earlier(planned: Plan, folder: Path) -> dict[str, object]:
    """The files of the bundle that is here already, whole or begun; none where there is none.

    Raises:
        StoreError: other things lie under its names, or among its files.
    """
    store.refuse_others(folder, lambda _: [])
    told = next((store.read_json(folder / name) for name in (MANIFEST, BEGUN)
                 if (folder / name).is_file()), None)
    ours = isinstance(told, dict) and told.get("what") == WHAT
    files = dict(told["files"]) if ours else {}
    if not ours:
        store.refuse_others(folder, lambda _: [name for name in NAMES if (folder / name).exists()])
    known = {*files, *(f"course/{name}" for name in planned.files)}
    store.refuse_others(folder / "course", lambda course: [
        name for one in sorted(course.rglob("*")) if not one.is_dir()
        and (name := one.relative_to(folder).as_posix()) not in known])
    return files


def _write_texts(planned: Plan, folder: Path, wheels: list[Path]) -> None:
    """The list of packages with their hashes, the installer, and what to read first."""
    store.atomic_write(folder / REQUIREMENTS, "".join(
        f"{pin} --hash=sha256:{store.sha256_file(wheel)}\n"
        for pin, wheel in zip(planned.pins, wheels, strict=True)))
    store.atomic_write(folder / INSTALL, Path(bundle_install.__file__).read_bytes())
    store.atomic_write(folder / "README.txt", READ_ME.format(
        version=__version__, room=planned.installed * bundle_install.ROOM / 1e9,
        **bundle_install.here()))


def _read(folder: Path) -> dict[str, Any]:
    """A bundle's manifest.

    Raises:
        CourseError: there is none, or it names what no bundle holds, such as a file elsewhere.
    """
    manifest = store.read_json(folder / MANIFEST)
    if not bundle_install.well_formed(manifest):
        raise CourseError("This manifest is not a bundle's.", where=folder / MANIFEST,
                          fix="Name another folder; or, if this one was a bundle, delete that file "
                              "and make the bundle again.")
    return manifest


def _drop_damaged(folder: Path) -> None:
    """Delete what is not as its manifest says, so that it is brought again."""
    if (folder / MANIFEST).exists():
        for name in bundle_install.damaged(folder, _read(folder)):
            if bundle_install.inside(folder, name) and not (folder / name).is_dir():
                (folder / name).unlink(missing_ok=True)


def _check_room(planned: Plan, folder: Path) -> None:
    needed = planned.wheels + planned.data + 2 * planned.course - supplies.size(folder)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CourseError(f"The disk has {free / 1e9:.1f} GB free; the bundle needs about "
                          f"{needed / 1e9:.1f} GB.", where=folder,
                          fix="Free some, or name a folder on another disk.")


def _hashes(folder: Path) -> dict[str, dict[str, object]]:
    files = sorted(path for path in folder.rglob("*")
                   if path.is_file() and path.name not in (MANIFEST, BEGUN)
                   and not any(part.startswith(store.PARTIAL) for part in path.parts))
    return {path.relative_to(folder).as_posix(): {
        "bytes": path.stat().st_size, "sha256": store.sha256_file(path)} for path in files}


def try_out(folder: Path, lessons: Sequence[str], say: Callable[[str], None]) -> None:
    """Install a bundle into a throw-away folder and run lessons there, without a network.

    Takes some minutes, and as much disk as a learner needs. Lessons run at the smoke scale. On
    Linux they have no network at all; elsewhere, or where the system does not allow that, Python's
    sockets reach this machine alone.

    Args:
        lessons: numbers or names; none means all.

    Raises:
        CourseError: a file is damaged, it does not install, or a lesson is unknown or fails.
    """
    folder = folder.resolve()  # programs run in other folders than this one
    manifest = _read(folder)
    wrong = bundle_install.damaged(folder, manifest)
    if wrong:
        raise CourseError(f"{len(wrong)} files are damaged or missing: {', '.join(wrong[:5])}.",
                          where=folder, fix=f"fmcourse class bundle {folder}")
    say(f"{len(manifest['files'])} files are as they were written")
    chosen = catalogue.select(lessons, folder / "course")
    alone = no_network.alone()
    say("without a network: " + ("the system has taken it away" if alone else
                                 "Python's sockets are closed, other programs' are not"))
    with tempfile.TemporaryDirectory(prefix="fmcourse-bundle-") as scratch:
        place = Path(scratch, "course")
        guard = Path(scratch, "guard")
        guard.mkdir()
        shutil.copy(no_network.__file__, guard / "sitecustomize.py")
        settings = {**os.environ, "PYTHONPATH": str(guard), "FMCOURSE_SCALE": "smoke",
                    **dict.fromkeys(("FMCOURSE_HOME", "FMCOURSE_DATA"), str(place / "home"))}
        _step("install", [*alone, sys.executable, str(folder / INSTALL), str(place)], folder,
              settings, say)
        python = place / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        for lesson in chosen:
            _step(f"lesson {lesson.number}", [
                *alone, str(python), "-m", "fmcourse.cli", "run", lesson.number], place, settings,
                say)


def _step(label: str, command: list[str], place: Path, settings: dict[str, str],
          say: Callable[[str], None]) -> None:
    say(f"{label} …")
    started = time.monotonic()
    done = subprocess.run(command, cwd=place, env=settings, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode:
        raise CourseError(f"The bundle does not work: {label} failed.\n"
                          + "\n".join(done.stdout.splitlines()[-15:]), where=place,
                          fix="Make it again on a machine where the course runs; if it fails "
                              "again, report it.")
    say(f"{label}: done in {time.monotonic() - started:.0f} s")
