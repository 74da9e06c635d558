"""What an examination finds, and how commands in a fix are written for this system's shell."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fmcourse.errors import CourseError

OK, WARN, PROBLEM = "ok", "warn", "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        status: 'ok'; 'warn' (the course works, but slower or with a gap); 'problem' (it won't).
        fix: a command wherever there is one; empty when nothing is to be done.
    """

    topic: str
    status: str
    what: str
    fix: str = ""


def guarded(topic: str, examine: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Run one examination; whatever breaks in it becomes a finding, and the others go on."""
    try:
        return list(examine())
    except CourseError as error:
        where = str(error.where or "")
        place = f" ({where})" if where not in error.what else ""
        return [Finding(topic, PROBLEM, f"{error.what}{place}", error.fix or "")]
    except Exception as error:  # a doctor must not die of the disease
        name = type(error).__name__
        first = (str(error).splitlines() or ["no message"])[0]
        fix = ""
        if isinstance(error, ImportError) and error.name:
            package = error.name.partition(".")[0]
            fix = pip(f"install --force-reinstall {package}") if package != "fmcourse" else ""
        return [Finding(topic, PROBLEM, f"This could not be examined: {name}: {first}", fix)]


def is_this_python(program: str) -> bool:
    """Whether a program name or path is the Python in use, environment included.

    Environments made from one Python link to the same file, so the folder has to agree as well.
    """
    found = shutil.which(program)
    if found is None or not os.path.samefile(found, sys.executable):
        return False
    return os.path.samefile(os.path.dirname(found), os.path.dirname(sys.executable))


def python(arguments: str) -> str:
    """A command for the Python in use: its full path unless `python` means the same."""
    return f"{'python' if is_this_python('python') else quoted(sys.executable)} {arguments}"


def pip(arguments: str) -> str:
    """A pip command for the Python in use, whichever `pip` comes first on the path."""
    return python(f"-m pip {arguments}")


def quoted(path: Path | str) -> str:
    """A path as this system's shell wants it."""
    if sys.platform == "win32":
        return f'"{path}"' if " " in str(path) else str(path)
    return shlex.quote(str(path))


def setting(variable: str, value: object) -> str:
    """The command that sets an environment variable."""
    return f"{'set' if sys.platform == 'win32' else 'export'} {variable}={value}"


def delete(path: Path) -> str:
    """The command that deletes a file or folder."""
    if sys.platform == "win32":
        return f"rmdir /s /q {quoted(path)}" if path.is_dir() else f"del {quoted(path)}"
    return f"rm -r {quoted(path)}"
