"""Where artifacts live, and the promise that none is ever half-written.

Everything the course makes outside the repository lies below one folder, `home()`, so that
deleting it deletes everything but what a person made by hand (`fmcourse.user_data`). A file or
folder appears under its final name only when it is complete: it is written beside its place and
renamed, which POSIX and NTFS do atomically. The trade-off is a second copy on disk for a moment;
and a folder that *replaces* another needs two renames, so a kill between them leaves none under
the name, never a mixture. What a kill leaves behind are `.partial-*` names, which readers never
look at and the next writer of the same artifact sweeps away; a draft whose writer still runs is
left alone. What a person names to be written is another matter: `refuse_others` and
`refuse_to_replace` keep a command from deleting what the course has not made.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import platformdirs
import psutil
from filelock import FileLock

from fmcourse.errors import StoreError

PARTIAL = ".partial-"
FILES, SEAL = "files", "seal"


def home() -> Path:
    """The folder that holds everything: `$FMCOURSE_HOME`, or the user's cache folder."""
    chosen = os.environ.get("FMCOURSE_HOME")
    path = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("fmcourse")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The course's folder cannot be made: {error.strerror}.",
            where=path,
            fix="Point FMCOURSE_HOME at a folder you can write to.",
        ) from error
    return path


def folder(*parts: str) -> Path:
    """A folder below `home()`, made if missing, for example `folder("runs", "k1")`."""
    path = home().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _draft_prefix(target: Path) -> str:
    return f"{PARTIAL}{target.name}-{os.getpid()}-"


def _sweep(target: Path) -> None:
    """Delete what writers of this artifact left that are no longer alive."""
    ending = re.compile(re.escape(f"{PARTIAL}{target.name}-") + r"(?:(\d+)-)?\w+")
    for leftover in target.parent.iterdir():
        written = ending.fullmatch(leftover.name)
        if written and not (written[1] and psutil.pid_exists(int(written[1]))):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def atomic_write(path: Path | str, content: str | bytes) -> Path:
    """Write a whole file or nothing; readers see the old content or the new, never a mixture."""
    with atomic_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return Path(path)


@contextlib.contextmanager
def atomic_file(path: Path | str) -> Iterator[IO[bytes]]:
    """Yield a file to write to; it becomes `path` when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, name = tempfile.mkstemp(prefix=_draft_prefix(path), dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # mkstemp makes it private to the user
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_folder(path: Path | str, others: Others | None = None) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes `path` when the block ends without an error.

    Args:
        path: a folder that is there already is replaced.
        others: names what in that folder the caller has not made; see `refuse_others`. It is asked
            before the block and again before anything is replaced. By default the folder is taken
            for the caller's own.

    Raises:
        StoreError: a file lies there, or the folder holds others' things.
    """
    path = Path(path)
    refuse_others(path, others)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    draft = Path(tempfile.mkdtemp(prefix=_draft_prefix(path), dir=path.parent))
    os.chmod(draft, 0o755)
    try:
        yield draft
        refuse_others(path, others)
        _put_in_place(draft, path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _put_in_place(draft: Path, path: Path) -> None:
    """Rename a folder; one that is already there is moved aside first, as it must be, and back
    again if the second rename fails."""
    if not path.exists():
        os.replace(draft, path)
        return
    aside = Path(tempfile.mkdtemp(prefix=_draft_prefix(path), dir=path.parent))
    os.replace(path, aside / "old")
    try:
        os.replace(draft, path)
    except BaseException:
        os.replace(aside / "old", path)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


Others = Callable[[Path], Iterable[str]]  # names of what in a folder is somebody else's
SOME = 3  # names that a message lists


def everything(folder: Path) -> list[str]:
    """All that lies in a folder: none of it is ours."""
    return sorted(path.name for path in folder.iterdir())


def made_folder(path: Path | str, fix: str = "Name another one.") -> Path:
    """A folder to write to, made if missing.

    Args:
        fix: what to do where it cannot be made.

    Raises:
        StoreError: it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"This folder cannot be made: {error.strerror}.", where=folder,
                         fix=fix) from error
    return folder


def refuse_others(path: Path | str, others: Others | None = everything) -> None:
    """Keep a folder that is about to be replaced from taking with it what the course has not made.

    Args:
        others: called with a folder that has something in it, names what there is not ours; None
            lets any folder be replaced, though no file.

    Raises:
        StoreError: there is something, which the message names.
    """
    path = Path(path)
    if path.is_dir():
        found = list(others(path)) if others and any(path.iterdir()) else []
        if found:
            more = f" and {len(found) - SOME} more" * (len(found) > SOME)
            raise StoreError(
                "This folder holds what was not written here, and stays as it is: "
                f"{', '.join(found[:SOME])}{more}.", where=path,
                fix="Name another folder; or move or delete these yourself, then try again.")
    elif os.path.lexists(path):
        raise StoreError("A folder is to be written, and there is a file here, which stays.",
                         where=path, fix="Name another folder.")
    _refuse_file_above(path)


def refuse_to_replace(files: Mapping[Path, str | bytes | None], force: bool = False) -> None:
    """Keep files that are about to be written from replacing what is there.

    Args:
        files: to be written, with what will be in them; None is not known yet. A file that says
            just that already is no matter.
        force: replace files all the same; a folder never is.

    Raises:
        StoreError: there is something, which the message names.
    """
    for path, content in files.items():
        if path.is_dir():
            raise StoreError("A file is to be written, and there is a folder here.", where=path,
                             fix="Name a file.")
        whole = content.encode() if isinstance(content, str) else content
        if os.path.lexists(path) and not force and not (
                whole is not None and path.is_file() and path.read_bytes() == whole):
            raise StoreError("There is something here already.", where=path,
                             fix="Choose another name, or replace it: --force.")
        _refuse_file_above(path)


def _refuse_file_above(path: Path) -> None:
    """A file cannot have others below it."""
    above = next((one for one in path.parents if os.path.lexists(one)), None)
    if above and not above.is_dir():
        raise StoreError("A folder is needed here, and this is a file.", where=above,
                         fix="Name another place.")


def write_json(path: Path | str, value: Any) -> Path:
    """Write JSON atomically, indented so that it diffs well; keys keep their order."""
    return atomic_write(path, _written(value))


def _written(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path | str) -> Any:
    """Read JSON; a file that is missing, no file or broken is a `StoreError`, with its line."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StoreError("This file is not there.", where=path) from error
    except OSError as error:
        raise StoreError(f"This file cannot be read: {error.strerror}.", where=path,
                         fix="Name a file that you can read.") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        place = f"{path}:{error.lineno}:{error.colno}" if hasattr(error, "lineno") else path
        raise StoreError("This file is not valid JSON.", where=place,
                         fix="Delete it; what needs it makes it again.") from error


def sha256_file(path: Path | str) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_text(text: str | bytes) -> str:
    """Hex SHA-256 of a text (UTF-8) or of bytes.

    >>> sha256_text("abc")[:8]
    'ba7816bf'
    """
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def sha256_json(value: Any) -> str:
    """Hex SHA-256 of a value's canonical JSON: the order of keys does not matter."""
    return sha256_text(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str))


def sha256_folder(path: Path | str) -> str:
    """Hex SHA-256 over the names and contents of all files below a folder."""
    path = Path(path)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return sha256_json([[p.relative_to(path).as_posix(), sha256_file(p)] for p in files])


def seal(path: Path | str, about: dict[str, Any], files: Iterable[Path]) -> Path:
    """Write a JSON file that says what an artifact is, and the SHA-256 of its files and of itself.

    The seal shows what was changed by accident, or by someone who does not know of it; whoever
    does can make a new one. Against that there is `fmcourse.data.governance.AuditLog`.

    Args:
        path: of the JSON file; written last, for it marks the artifact complete.
        about: what else it says; its own `files` and `seal` are replaced.
        files: the artifact's others, in the same folder or below.
    """
    path = Path(path)
    told = {key: value for key, value in about.items() if key not in (FILES, SEAL)}
    told[FILES] = {file.relative_to(path.parent).as_posix(): sha256_file(file)
                   for file in sorted(files)}
    return write_json(path, {**told, SEAL: sha256_text(_written(told))})


def broken_seal(path: Path | str) -> list[str]:
    """Which files of a sealed artifact are gone, or not as they were; the JSON file among them.

    Every byte counts, those that change no meaning too.

    Raises:
        StoreError: the JSON file has no seal.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode()  # read_text would hide changed line ends
        told = json.loads(text)
        found = told.pop(SEAL, None)
        unsealed = not found and FILES not in told
        whole = unsealed or (isinstance(told[FILES], dict) and found == sha256_text(_written(told))
                             and text == _written({**told, SEAL: found}))
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return [path.name]
    if unsealed:
        raise StoreError("This is not sealed, so nobody can say whether it was changed.",
                         where=path, fix="Make it again with this version of the course.")
    if not whole:
        return [path.name]
    return [name for name, digest in told[FILES].items()
            if not (path.parent / name).is_file() or sha256_file(path.parent / name) != digest]


def beside_seal(path: Path) -> list[str]:
    """What of a folder its sealed JSON file does not vouch for: all, if that has no seal."""
    folder = path.parent
    try:
        broken = broken_seal(path)
    except StoreError:
        return everything(folder)
    if path.name in broken:
        return everything(folder)
    listed = {path.name, *read_json(path)[FILES]}
    there = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
    return sorted((there - listed) | (there & set(broken)))


def lock(path: Path | str) -> FileLock:
    """A lock between processes, so that two notebooks do not make the same artifact at once."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(str(path.with_name(f".{path.name}.lock")))
