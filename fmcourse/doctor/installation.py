"""Python, packages, the notebook kernel and text encoding: is the installation the tested one?

The lock file (`constraints.txt`) lists the versions the course was tested with. Another version is
only a warning, because it may well work; a package the course imports and cannot find is a problem.
"""

from __future__ import annotations

import importlib.util
import locale
import platform
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from fmcourse.doctor.finding import OK, PROBLEM, WARN, Finding, is_this_python, pip, quoted, setting
from fmcourse.doctor.finding import python as command

LOCK = "constraints.txt"
PACKAGE = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = ">=3.11"
SHOWN = 6  # differing packages listed by name before "and N more"


def lock_file() -> Path | None:
    """The lock file: inside the package, else beside it or above the working folder."""
    above = [PACKAGE, *PACKAGE.parents[:1]]
    above += [folder for folder in (Path.cwd(), *Path.cwd().parents)
              if (folder / "fmcourse").is_dir()]
    return next((folder / LOCK for folder in above if (folder / LOCK).is_file()), None)


def _parse(lines: list[str]) -> list[Requirement]:
    """Requirements that apply to this Python; options, comments and extras are passed over."""
    found = []
    for line in lines:
        text = line.partition(" #")[0].partition(" --hash")[0].rstrip("\\ ").strip()
        if not text or text.startswith(("#", "-")):
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.append(requirement)
    return found


def needed() -> list[Requirement]:
    """What the course itself imports, from its metadata or, uninstalled, from pyproject.toml."""
    try:
        return _parse(metadata.requires("fmcourse") or [])
    except metadata.PackageNotFoundError:
        project = PACKAGE.parent / "pyproject.toml"
        if not project.is_file():
            return []
        table = tomllib.loads(project.read_text(encoding="utf-8"))
        return _parse(table.get("project", {}).get("dependencies", []))


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _install_command(lock: Path | None) -> str:
    constraint = f"-c {quoted(lock)} " if lock else ""
    if lock and (lock.parent / "pyproject.toml").is_file():
        return pip(f"install {constraint}-e {quoted(lock.parent)}")
    return pip(f"install {constraint}fmcourse")


def python() -> Iterator[Finding]:
    """The version of Python."""
    try:
        wanted = metadata.metadata("fmcourse")["Requires-Python"] or OLDEST_PYTHON
    except metadata.PackageNotFoundError:
        wanted = OLDEST_PYTHON
    version = platform.python_version()
    if SpecifierSet(wanted).contains(version, prereleases=True):
        yield Finding("python", OK, f"Python {version}.")
    else:
        yield Finding("python", PROBLEM, f"Python {version}, but the course needs {wanted}.",
                      "uv venv --python 3.11 && source .venv/bin/activate")


def packages() -> Iterator[Finding]:
    """Installed versions against the lock file."""
    lock = lock_file()
    command = _install_command(lock)
    missing = [r.name for r in needed() if _installed(r.name) is None]
    if missing:
        yield Finding("packages", PROBLEM, f"Not installed: {', '.join(missing)}.", command)
    if lock is None:
        yield Finding("packages", WARN, f"The list of tested versions ({LOCK}) was not found, so "
                      "versions were not compared.", "cd FOLDER_OF_THE_COURSE && fmcourse doctor")
        return
    pins = _parse(lock.read_text(encoding="utf-8").splitlines())
    present = [(pin, _installed(pin.name)) for pin in pins]
    present = [(pin, version) for pin, version in present if version]
    other = [f"{canonicalize_name(pin.name)} {version} (tested {pin.specifier})"
             for pin, version in present if not pin.specifier.contains(version, prereleases=True)]
    if other:
        more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
        yield Finding("packages", WARN, f"Other versions than tested: {', '.join(other[:SHOWN])}"
                      f"{more}.", command)
    elif not missing:
        yield Finding("packages", OK, f"All {len(present)} packages have the tested versions.")


def notebook() -> Iterator[Finding]:
    """Jupyter, and a kernel that is this Python and no other."""
    if importlib.util.find_spec("ipykernel") is None:
        yield Finding("notebook", PROBLEM, "The Jupyter kernel (ipykernel) is not installed.",
                      pip("install ipykernel"))
        return
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    register = command("-m ipykernel install --sys-prefix --name python3")
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("notebook", PROBLEM, "Jupyter knows no kernel named python3.", register)
        return
    # Jupyter reads a bare "python" as the Python it runs in itself.
    bare = Path(program).name == program and program.startswith("python")
    if not bare and not is_this_python(program):
        yield Finding("notebook", WARN, "The notebook kernel python3 belongs to another Python, "
                      f"{program}.", register)
    elif not any(map(importlib.util.find_spec, ("jupyterlab", "notebook"))):
        yield Finding("notebook", WARN, "A kernel is there, but neither JupyterLab nor Notebook; "
                      "an editor with notebooks will do.", pip("install jupyterlab"))
    else:
        yield Finding("notebook", OK, "Jupyter is there and its python3 kernel is this Python.")


def encoding() -> Iterator[Finding]:
    """UTF-8 as the default encoding of files and of the terminal."""
    files = "utf-8" if sys.flags.utf8_mode else locale.getencoding()
    names = {"files": files, "the terminal": getattr(sys.stdout, "encoding", None) or "utf-8"}
    wrong = {place: name for place, name in names.items()
             if name.lower().replace("_", "-") not in ("utf-8", "utf8", "cp65001")}
    if wrong:
        told = ", ".join(f"{name} for {place}" for place, name in wrong.items())
        yield Finding("encoding", WARN, f"The default encoding is {told}, not UTF-8: text beyond "
                      "ASCII may break.", setting("PYTHONUTF8", 1))
    else:
        yield Finding("encoding", OK, "Text is UTF-8 in files and in the terminal.")
