"""Can `torch.compile` work here? It needs a compiler at run time, which PyTorch does not bring.

On a CPU, Inductor writes C++ and calls the system's compiler; on CUDA it writes Triton, whose
launchers are C. What is found is tried out on a small program, because a name on the path proves
little (Apple's `clang++` is a stub until the command line tools are installed).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

USUAL = {"win32": "cl", "darwin": "clang++"}.get(sys.platform, "g++")  # what Inductor calls
INSTALL = {
    "win32": "winget install Microsoft.VisualStudio.2022.BuildTools",
    "darwin": "xcode-select --install",
}.get(sys.platform, "sudo apt install g++ python3-dev")


@dataclass(frozen=True)
class Support:
    """Whether `torch.compile` can be used, why, and the command that would change a no."""

    works: bool
    reason: str
    fix: str = ""


def _headers() -> Path | None:
    """The folder of Python's C headers, if they are installed."""
    folder = Path(sysconfig.get_paths()["include"])
    return folder if (folder / "Python.h").is_file() else None


def _compiles(compiler: str, headers: Path) -> bool:
    """Whether a three-line program that needs Python's headers passes the compiler (0.2 s)."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "probe.cpp")
        program.write_text("#include <Python.h>\n#include <vector>\nstd::vector<int> v;\n")
        command = [compiler, "-std=c++17", "-fsyntax-only", f"-I{headers}", str(program)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def _apple_stub(path: str) -> bool:
    """Whether this compiler would only open a window that offers to install the real one."""
    if sys.platform != "darwin" or not path.startswith("/usr/bin/"):
        return False
    selected = subprocess.run(["xcode-select", "-p"], capture_output=True, check=False)
    return selected.returncode != 0


@lru_cache(maxsize=4)
def for_cpu(wanted: str | None = None) -> Support:
    """The C++ compiler Inductor would call, tried out once a process.

    Args:
        wanted: the value of `$CXX`; without one, the system's usual compiler.
    """
    name = wanted or USUAL
    path = shutil.which(name)
    if path is None:
        other = next(filter(shutil.which, ("g++", "clang++")), None)
        if other and sys.platform != "win32":
            return Support(False, f"No C++ compiler named {name} was found, but {other} is there.",
                           f"export CXX={other}")
        return Support(False, f"No C++ compiler named {name} was found.", INSTALL)
    headers = _headers()
    if headers is None:
        return Support(False, f"{name} is there, but Python's C headers (Python.h) are not.",
                       INSTALL)
    if sys.platform == "win32":  # cl takes other flags, and PyTorch tests it before use
        return Support(True, f"The C++ compiler {name} is there (not tried out).")
    if _apple_stub(path) or not _compiles(path, headers):
        return Support(False, f"{name} is there, but does not compile a small C++ program.",
                       INSTALL)
    return Support(True, f"The C++ compiler {name} compiles a small program.")


def for_cuda() -> Support:
    """Triton, and the C compiler and headers it builds its launchers with."""
    if torch.cuda.get_device_capability() < (7, 0):
        return Support(False, "Triton needs a GPU of compute capability 7.0 or newer.")
    if importlib.util.find_spec("triton") is None:
        return Support(False, "The triton package is not installed.",
                       f"{sys.executable} -m pip install triton")
    if not any(map(shutil.which, (os.environ.get("CC") or "cc", "gcc", "clang"))):
        return Support(False, "Triton needs a C compiler, and there is none.", INSTALL)
    if _headers() is None:
        return Support(False, "Triton needs Python's C headers, which are missing.", INSTALL)
    return Support(True, "Triton, a C compiler and Python's C headers are there.")


def support(device: str) -> Support:
    """Whether `torch.compile` can work on this device ("cpu", "cuda" or "mps")."""
    if device == "cuda":
        return for_cuda()
    if device == "mps":
        return Support(False, "On MPS torch.compile is a prototype, so the course leaves it off.")
    return for_cpu(os.environ.get("CXX") or None)
