"""The packages of a bundle: those that the course needs, brought once, and gone on with."""

import re
import subprocess
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from fmcourse.classroom import wheelhouse
from fmcourse.classroom.wheelhouse import Pin
from fmcourse.errors import CourseError
from fmcourse.lessons import catalogue

PINS = [Pin("torch", "2.0+cpu", 9), *(Pin(f"part-{i}", "1.0", 1) for i in range(14))]


@pytest.fixture
def pip(monkeypatch):
    """pip, which brings an empty wheel of each package, or refuses one; what it was asked for."""
    asked, refused = [], []

    def run(command, **_):
        folder = Path(command[command.index("--wheel-dir") + 1])
        wanted = [word for word in command if "==" in word]
        asked.append(wanted)
        if set(wanted) & set(refused):
            return SimpleNamespace(returncode=1, stderr="ERROR: first\nERROR: No such thing\n")
        for word in wanted:
            name, version = word.split("==")
            (folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl").write_text(word)
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return asked, refused


def test_what_lessons_need_is_in_and_what_only_tests_need_is_not():
    found = {pin.name: pin for pin in wheelhouse.pins(catalogue.root())}
    assert {"torch", "jupyterlab", "transformers", "setuptools", "numpy", "fsrs"} <= set(found)
    assert not {"fmcourse", "pytest-xdist", "nbgrader"} & set(found)
    assert found["numpy"].version == metadata.version("numpy")
    assert found["torch"].installed > 10**8


def test_what_is_not_installed_is_said(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["no-such-builder>=3"]\n[project]\nname = "x"')
    with pytest.raises(CourseError, match="no-such-builder is not installed"):
        wheelhouse.pins(tmp_path)


def test_wheels_are_brought_torch_first_and_the_rest_some_at_a_time(pip, tmp_path):
    said = []
    wheels = wheelhouse.bring(PINS, tmp_path, said.append)
    assert [len(batch) for batch in pip[0]] == [1, wheelhouse.BATCH, 2]
    assert said[0] == "fetching torch==2.0+cpu"
    assert said[1] == "fetching part-0==1.0 and 11 more"
    assert [wheel.read_text() for wheel in wheels] == list(map(str, PINS))


def test_an_interrupted_run_goes_on_and_leaves_no_draft(pip, tmp_path):
    asked, refused = pip
    refused.append("part-13==1.0")
    with pytest.raises(CourseError, match="No such thing") as error:
        wheelhouse.bring(PINS, tmp_path, lambda line: None)
    assert "goes on from here" in error.value.fix
    assert len(list(tmp_path.iterdir())) == 13
    refused.clear()
    asked.clear()
    wheelhouse.bring(PINS, tmp_path, lambda line: None)
    assert asked == [["part-12==1.0", "part-13==1.0"]]
    wheelhouse.bring(PINS, tmp_path, lambda line: None)
    assert len(asked) == 1


def test_a_build_of_torch_that_is_not_found_has_its_own_advice(pip, tmp_path):
    pip[1].append("torch==2.0+cpu")
    with pytest.raises(CourseError, match=re.escape("PIP_EXTRA_INDEX_URL")):
        wheelhouse.bring(PINS, tmp_path, lambda line: None)


def test_wheels_of_other_versions_are_removed_and_other_files_left_alone(pip, tmp_path):
    (tmp_path / "torch-1.0-py3-none-any.whl").write_text("old")
    (tmp_path / "odd.whl").write_text("no wheel")
    wheelhouse.bring(PINS[:2], tmp_path, lambda line: None)
    assert {path.name for path in tmp_path.iterdir()} == {
        "torch-2.0+cpu-py3-none-any.whl", "part_0-1.0-py3-none-any.whl", "odd.whl"}
