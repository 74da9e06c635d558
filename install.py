"""Set the course up: make .venv and install the pinned versions into it.

`make` calls this; without make, `python3 install.py` does the same on Linux, macOS and Windows.
Standard library only, since nothing is installed yet.

PyTorch goes first. Where there is no NVIDIA GPU, its CUDA build would cost several gigabytes for
nothing; so if that is what pip would bring, uv fetches the CPU build instead (it knows PyTorch's
own package index). With a GPU, or with FMCOURSE_CUDA=1, pip's choice stands; on Windows that is
the CPU build, so a sentence says where the CUDA build is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
DONE = VENV / "installed"  # the Makefile compares its time with that of what is listed here:
OLDEST, NEWEST = (3, 11), (3, 13)
HEARTBEAT = 15  # seconds between two lines where there is no terminal to rewrite one in
CPU_FIX = """\
This machine has no NVIDIA GPU, and pip offers only PyTorch's CUDA build (several GB) here.
Its CPU build could not be fetched from PyTorch's own package index. You can
  - tell pip about an index that has it: PIP_EXTRA_INDEX_URL (the selector on PyTorch's
    "Get started" page shows the address for Linux, Pip, CPU), or
  - take the CUDA build all the same: FMCOURSE_CUDA=1
and then run the same command again."""
WINDOWS_GPU = """\
This machine has an NVIDIA GPU, but the PyTorch that pip brings on Windows is CPU only. The course
runs with it. To use the GPU, run the command that pytorch.org/get-started shows for Windows, Pip
and CUDA, with {python} -m pip in place of pip3 and
{torch} --force-reinstall --no-deps in place of its packages."""


def stop(message):
    """End with a sentence instead of a traceback."""
    sys.exit("\n" + message)


def suitable_python():
    """Go on under a Python of a supported version, if this one is not."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and not subprocess.call([found, "-c", "import venv, ensurepip"],
                                         stderr=subprocess.DEVNULL):
            sys.exit(subprocess.call([found, __file__, *sys.argv[1:]]))
    stop("The course needs Python 3.{} to 3.{}; this is {}.{}.\nInstall one of them, then: "
         "make PYTHON=/path/to/it".format(OLDEST[1], NEWEST[1], *sys.version_info[:2]))


def pip(*arguments):
    """The command line of this environment's pip."""
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]


def step(label, command, fatal=True):
    """Run a command; show one line that moves in a terminal; show its last lines if it fails."""
    started, spoken, lines = time.monotonic(), time.monotonic(), []
    terminal = sys.stdout.isatty()
    print(label, end="" if terminal else "\n", flush=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", cwd=ROOT)
    for line in process.stdout:
        lines.append(line.rstrip())
        doing = re.match(r"\s*(Collecting|Downloading|Installing|Building|Using) [^\s,]+", line)
        seconds = time.monotonic() - started
        if doing and terminal:
            print(f"\r\033[K{label}  {seconds:.0f} s  {doing[0].strip()[:50]}",
                  end="", flush=True)
        elif doing and time.monotonic() - spoken > HEARTBEAT:
            spoken = time.monotonic()
            print(f"  {seconds:.0f} s  {doing[0].strip()}", flush=True)
    ok = process.wait() == 0
    print("{}{}  {} {:.0f} s".format("\r\033[K" if terminal else "", label,
                                     "done in" if ok else "failed after",
                                     time.monotonic() - started), flush=True)
    if not ok and fatal:
        stop("\n".join(lines[-15:]))
    return ok


def constraint(package):
    """The pinned requirement of a package, such as 'torch==2.13.0'."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return re.search(rf"^{re.escape(package)}==\S+", text, re.M)[0]


def make_environment():
    """Make .venv unless it is there and works."""
    if PYTHON.exists() and subprocess.call([str(PYTHON), "-c", "import pip"],
                                           stderr=subprocess.DEVNULL) == 0:
        return
    if not step("making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)], fatal=False):
        stop("Python's venv module is not complete here. On Debian and Ubuntu: "
             "apt install python3-venv")


def brings_cuda(requirement):
    """Would pip install a CUDA build of PyTorch? Asks pip for metadata; downloads little."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        subprocess.call(pip("install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps",
                            "--report", str(report), requirement),
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not report.exists():
            return False  # pip cannot tell; the real installation will say why
        plan = json.loads(report.read_text(encoding="utf-8"))
    needs = [need for item in plan["install"] for need in item["metadata"].get("requires_dist", [])]
    return any(need.startswith(("nvidia-", "cuda-")) for need in needs)


def install_torch():
    """PyTorch in the build that fits the machine."""
    torch = constraint("torch")
    installed = [str(PYTHON), "-c", "from importlib.metadata import version as v; "
                 "assert v('torch').split('+')[0] == '{}'".format(torch.partition("==")[2])]
    if subprocess.call(installed, stderr=subprocess.DEVNULL) == 0:
        return
    wants_cuda = shutil.which("nvidia-smi") or os.environ.get("FMCOURSE_CUDA") == "1"
    if sys.platform != "linux" or wants_cuda or not brings_cuda(torch):
        step("installing PyTorch", pip("install", "--progress-bar=off", torch))
        if sys.platform == "win32" and wants_cuda:
            print(WINDOWS_GPU.format(python=PYTHON, torch=torch), flush=True)
        return
    step("installing uv", pip("install", "--progress-bar=off", constraint("uv")))
    command = [str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON),
               "--torch-backend=cpu", torch]
    if not step("installing PyTorch for CPU", command, fatal=False):
        stop(CPU_FIX)


def main():
    """Install everything, or say what is missing."""
    suitable_python()
    make_environment()
    install_torch()
    step("installing the course and its libraries",
         pip("install", "--progress-bar=off", "-c", "constraints.txt", "-e", ".[test]"))
    DONE.touch()
    print("Python {}.{}.{} in .venv is ready.".format(*sys.version_info[:3]))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("Interrupted. The same command goes on from here.")
