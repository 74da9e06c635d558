"""install.py: the right Python, every version pinned, and no CUDA where there is no GPU."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@pytest.fixture
def install(monkeypatch):
    """The script as a module, acting on this Python; nothing is installed by it."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    return module


def wheel(folder: Path, *needs: str) -> None:
    """A package called torch that says what it needs."""
    facts = "torch-2.13.0.dist-info"
    with zipfile.ZipFile(folder / "torch-2.13.0-py3-none-any.whl", "w") as archive:
        lines = ["Metadata-Version: 2.1", "Name: torch", "Version: 2.13.0",
                 *(f"Requires-Dist: {need}" for need in needs)]
        archive.writestr(f"{facts}/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{facts}/RECORD", "")


def test_everything_the_course_needs_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [need for extra in project["optional-dependencies"].values() for need in extra]
    needs = [*project["dependencies"], *extras, "uv"]
    pinned = re.findall(r"^([\w.-]+)==[\w.]+$", (ROOT / "constraints.txt").read_text(), re.M)
    names = {canonicalize_name(name) for name in pinned}
    assert {canonicalize_name(Requirement(need).name) for need in needs} - names == set()


@pytest.mark.parametrize(("needs", "cuda"), [
    (["sympy", 'nvidia-cublas==13.0; platform_system == "Linux"'], True),
    (["cuda-bindings<14"], True),
    (["sympy", "networkx"], False),
])
def test_a_cuda_build_is_known_by_what_it_needs(install, tmp_path, monkeypatch, needs, cuda):
    wheel(tmp_path, *needs)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert install.brings_cuda("torch==2.13.0") is cuda


@pytest.fixture
def steps(install, monkeypatch):
    """What install_torch runs on a Linux machine without torch, GPU or answer to come."""
    asked = []
    monkeypatch.setattr(install, "step", lambda label, command, fatal=True: asked.append(
        " ".join(map(str, command))) or True)
    monkeypatch.setattr(install.subprocess, "call", lambda *a, **k: 1)
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    monkeypatch.setattr(install.sys, "platform", "linux")
    monkeypatch.setattr(install, "brings_cuda", lambda requirement: True)
    monkeypatch.delenv("FMCOURSE_CUDA", raising=False)
    return asked


def test_without_a_gpu_the_cpu_build_comes_by_uv(install, steps):
    install.install_torch()
    assert len(steps) == 2
    assert "pip" in steps[0]
    assert "uv==" in steps[0]
    assert "--torch-backend=cpu torch==" in steps[1]


def test_without_a_gpu_pip_is_used_where_it_brings_the_cpu_build(install, steps, monkeypatch):
    monkeypatch.setattr(install, "brings_cuda", lambda requirement: False)
    install.install_torch()
    assert len(steps) == 1
    assert "torch-backend" not in steps[0]


@pytest.mark.parametrize("how", ["gpu", "wish", "mac"])
def test_where_cuda_is_wanted_or_does_not_exist_pip_decides(install, steps, monkeypatch, how):
    if how == "gpu":
        monkeypatch.setattr(install.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    elif how == "wish":
        monkeypatch.setenv("FMCOURSE_CUDA", "1")
    else:
        monkeypatch.setattr(install.sys, "platform", "darwin")
    install.install_torch()
    assert len(steps) == 1
    assert "torch-backend" not in steps[0]


@pytest.mark.parametrize("gpu", [True, False])
def test_on_windows_an_nvidia_gpu_is_told_where_its_build_is(
        install, steps, monkeypatch, capsys, gpu):
    monkeypatch.setattr(install.sys, "platform", "win32")
    monkeypatch.setattr(install.shutil, "which", lambda name: name if gpu else None)
    install.install_torch()
    assert len(steps) == 1
    said = capsys.readouterr().out
    assert ("pytorch.org/get-started" in said) == gpu
    assert ("torch==" in said) == gpu


def test_when_no_cpu_build_can_be_had_the_remedies_are_named(install, steps, monkeypatch):
    monkeypatch.setattr(install, "step",
                        lambda label, command, fatal=True: "--torch-backend=cpu" not in command)
    with pytest.raises(SystemExit, match="FMCOURSE_CUDA=1"):
        install.install_torch()


def test_a_failed_step_shows_its_last_lines(install):
    with pytest.raises(SystemExit, match="no such wheel"):
        install.step("trying", [sys.executable, "-c", "print('no such wheel'); exit(1)"])


def test_an_old_python_is_named_when_no_other_is_there(install, monkeypatch):
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"3\.11 to 3\.13; this is 3\.9"):
        install.suitable_python()


def test_an_old_python_hands_over_to_a_newer_one(install, monkeypatch):
    asked = []
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(install.shutil, "which", lambda name: name if name[-1] != "3" else None)
    monkeypatch.setattr(install.subprocess, "call",
                        lambda command, **_: asked.append(command[0]) or 0)
    with pytest.raises(SystemExit):
        install.suitable_python()
    assert asked == ["python3.12", "python3.12"]  # looked at, then called
