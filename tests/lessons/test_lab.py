"""JupyterLab is asked for the right lesson, folder, kernel and silence."""

import json

import pytest

from fmcourse.errors import LessonError
from fmcourse.lessons import lab


@pytest.fixture
def asked(course, monkeypatch) -> dict:
    """What would have been started, from within a course of one lesson."""
    seen: dict = {}
    monkeypatch.setattr(lab.subprocess, "call",
                        lambda command, env: seen.update(command=command, env=env) or 7)
    course.write("01_x", "1")
    monkeypatch.chdir(course.root)
    return seen


def test_lab_opens_the_lesson_with_this_python(course, asked):
    assert lab.lab("1", browser=False, port=9999) == 7
    assert {"--no-browser", "--port=9999", f"--ServerApp.root_dir={course.root}",
            "--LabApp.default_url=/lab/tree/notebooks/01_x.ipynb"} <= set(asked["command"])
    assert asked["env"]["JUPYTER_PREFER_ENV_PATH"] == "1"
    assert json.loads(course.lesson("1").notebook.read_text())["nbformat"] == 4


def test_lab_asks_nobody_about_news(asked):
    lab.lab("1")
    option, = [word for word in asked["command"] if "app_settings_dir" in word]
    settings = json.loads((lab.SETTINGS / "overrides.json").read_text())
    assert option.endswith(str(lab.SETTINGS))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_lab_refuses_an_unknown_lesson(asked):
    with pytest.raises(LessonError):
        lab.lab("7")
    assert asked == {}
