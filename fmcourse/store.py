"""Where artifacts live, and the promise that none is ever half-written.

Everything the course makes outside the repository lies below one folder, `home()`, so that
deleting it deletes everything but what a person made by hand (`fmcourse.user_data`). A file or
folder appears under its final name only when it is complete: it is written beside its place and
renamed, which POSIX and NTFS do atomically. The trade-off is a second copy on disk for a moment;
and a folder that *replaces* another needs two renames, so a kill between them leaves none under
the name, never a mixture. What a kill leaves behind are `.partial-*` names, which readers never
look at and the next writer of the same artifact sweeps away; a draft whose writer still runs is
left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
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
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes `path` when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    draft = Path(tempfile.mkdtemp(prefix=_draft_prefix(path), dir=path.parent))
    os.chmod(draft, 0o755)
    try:
        yield draft
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


def lock(path: Path | str) -> FileLock:
    """A lock between processes, so that two notebooks do not make the same artifact at once."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(str(path.with_name(f".{path.name}.lock")))
