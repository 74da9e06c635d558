"""Open a lesson in JupyterLab, with this Python as its kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fmcourse.lessons import catalogue

SETTINGS = Path(__file__).with_name("templates") / "lab"  # boxes are saved; no news, no updates


def lab(wanted: str, browser: bool = True, port: int | None = None) -> int:
    """Open JupyterLab on one lesson and stay until it is closed; returns its exit code.

    Raises:
        LessonError: no lesson has that number or name.
    """
    lesson = catalogue.select([wanted])[0]
    if not lesson.notebook.exists():
        from fmcourse.lessons import build  # slow to import, and seldom needed

        build.build(lesson)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={lesson.root}",
               f"--LabApp.default_url=/lab/tree/notebooks/{lesson.notebook.name}",
               f"--LabApp.app_settings_dir={SETTINGS}"]
    command += [] if browser else ["--no-browser"]
    command += [f"--port={port}"] if port else []
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container, where root is all there is
        command += ["--allow-root"]
    return subprocess.call(command, env={**os.environ, "JUPYTER_PREFER_ENV_PATH": "1"})
