"""Device, arithmetic, threads, compiler, memory and disk: what the hardware will bear."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata

from fmcourse.doctor import installation
from fmcourse.doctor.finding import OK, PROBLEM, WARN, Finding, pip, python, quoted, setting

MEMORY_COMFORT = 6e9  # bytes free for every lesson with a browser beside it
MEMORY_LEAST = 3.2e9  # full fine-tuning of SmolLM2-135M peaked at 3.1 GB
DISK_LEAST = 3e9  # sources, converted SmolLM2 (0.54 GB) and the runs of all lessons


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


def _torch_version() -> str:
    return metadata.version("torch").partition("+")[0]  # the part after + names a build


def _reinstall_torch() -> str:
    """PyTorch anew, with the libraries its build needs (a CUDA build's are packages of their own).

    Those of the lock file, because pip would replace shared ones by newer, untested versions.
    """
    lock = installation.lock_file()
    if lock:
        return pip(f"install --force-reinstall -c {quoted(lock)} torch")
    return pip(f"install --force-reinstall torch=={_torch_version()}")


def _cuda_torch() -> str:
    if sys.platform == "win32":
        # --no-deps is right there: Windows wheels hold CUDA's libraries themselves
        return ("Run the command that pytorch.org/get-started shows for Windows, Pip and CUDA, "
                f"with torch=={_torch_version()} --force-reinstall --no-deps in place of its "
                f"packages and {python('-m pip')} in place of pip3; pip's own find is CPU only.")
    return _reinstall_torch()


def device() -> Iterator[Finding]:
    """What training will run on, and a GPU that is there but unused."""
    import torch

    from fmcourse import hardware

    chosen = hardware.detect()
    yield Finding("device", OK, f"{chosen.name}. {chosen.reason}")
    if chosen.device == "cpu" and shutil.which("nvidia-smi") and not torch.cuda.is_available():
        if torch.version.cuda is None:
            yield Finding("device", WARN, "An NVIDIA driver is here, but this PyTorch is a build "
                          "without CUDA.", _cuda_torch())
        else:
            yield Finding("device", WARN, "An NVIDIA driver is here, but PyTorch cannot use it: "
                          f"it may be too old for CUDA {torch.version.cuda}.", "nvidia-smi")
    if chosen.device == "cuda" and torch.cuda.device_count() > 1:
        count = torch.cuda.device_count()
        yield Finding("device", OK, f"There are {count} GPUs; pre-training uses the first one. "
                      "All of them share each batch where a script is started with: "
                      + python(f"-m torch.distributed.run --nproc-per-node={count} SCRIPT"))


def arithmetic() -> Iterator[Finding]:
    """The numeric self-test of the device in use."""
    from fmcourse import hardware

    chosen = hardware.detect()
    checks = hardware.check_device(chosen.device, chosen.dtype)
    wrong = [check for check in checks if not check.passed]
    if not wrong:
        worst = max(checks, key=lambda check: check.error / check.tolerance)
        yield Finding("arithmetic", OK, f"{len(checks)} operations agree with their formulas on "
                      f"{chosen.device}; the largest error, {worst.error:.0e} ({worst.name}), is "
                      f"within {worst.tolerance:.0e}.")
        return
    told = "; ".join(f"{check.name} (error {check.error:.0e}, {check.tolerance:.0e} allowed"
                     f"{', ' + check.note if check.note else ''})" for check in wrong)
    if chosen.device != "cpu":
        fix = setting("FMCOURSE_DEVICE", "cpu")
    elif all(check.name.endswith(chosen.dtype) for check in wrong) and chosen.dtype != "float32":
        fix = setting("FMCOURSE_DTYPE", "float32")
    else:
        fix = _reinstall_torch()
    yield Finding("arithmetic", PROBLEM, f"{chosen.device} computes wrongly: {told}.", fix)


def threads() -> Iterator[Finding]:
    """PyTorch's threads against the cores this process may use."""
    from fmcourse import hardware

    chosen = hardware.detect()
    told = f"{_count(chosen.threads, 'thread')} on {_count(chosen.cores, 'usable core')}"
    if chosen.threads > chosen.cores:
        yield Finding("threads", WARN, f"{told}: they will wait for each other.",
                      setting("OMP_NUM_THREADS", chosen.cores))
    elif chosen.threads * 2 < chosen.cores:  # half is right where a core runs two threads
        yield Finding("threads", WARN, f"{told}: most of the processor will idle.",
                      setting("OMP_NUM_THREADS", chosen.cores // 2))
    else:
        yield Finding("threads", OK, f"{told}.")


def compiler() -> Iterator[Finding]:
    """Whether `torch.compile` can be used; without it the course is slower, not broken."""
    from fmcourse.hardware import compilers, detect

    found = compilers.support(detect().device)
    if found.works or not found.fix:  # what nobody can mend is no warning
        yield Finding("compiler", OK, found.reason)
    else:
        yield Finding("compiler", WARN, f"{found.reason} Without torch.compile, training from "
                      "scratch runs at about half speed.", found.fix)


def memory() -> Iterator[Finding]:
    """Free memory, the container's limit included."""
    from fmcourse import hardware

    total, available = hardware.memory()
    told = f"{available / 1e9:.1f} GB of {total / 1e9:.1f} GB free"
    if available >= MEMORY_COMFORT:
        yield Finding("memory", OK, f"{told}.")
        return
    fix = "Close other programs, or give the container more memory; then run the doctor again."
    if available < MEMORY_LEAST:
        yield Finding("memory", PROBLEM, f"{told}; tuning SmolLM2 needs "
                      f"{MEMORY_LEAST / 1e9:.1f} GB.", fix)
    else:
        yield Finding("memory", WARN, f"{told}; {MEMORY_COMFORT / 1e9:.0f} GB leave room for the "
                      "largest lessons.", fix)


def disk() -> Iterator[Finding]:
    """Room, and the right to write, where the course keeps its files."""
    from fmcourse import store

    home = store.home()
    free = shutil.disk_usage(home).free
    elsewhere = setting("FMCOURSE_HOME", "FOLDER_ON_ANOTHER_DISK")
    if not os.access(home, os.W_OK):
        yield Finding("disk", PROBLEM, f"{home} cannot be written to.", elsewhere)
    elif free < DISK_LEAST:
        yield Finding("disk", PROBLEM, f"{free / 1e9:.1f} GB free at {home}; the course needs "
                      f"{DISK_LEAST / 1e9:.0f} GB.", elsewhere)
    else:
        yield Finding("disk", OK, f"{free / 1e9:.0f} GB free at {home}.")
