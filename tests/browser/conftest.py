"""A real browser, and JupyterLab as `fmcourse lab` opens it, on a course of one short lesson.

Nothing here is downloaded: Playwright drives the Chromium or Chrome that the machine has. Where
that, or the extra `browser`, is missing, these tests are skipped and say so; `make test-browser`
brings the extra. `FMCOURSE_SCREENSHOTS=folder` keeps pictures of what was tested, to look at.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
TOKEN = "learner"
SERIOUS = ("serious", "critical")
LESSON = '''# ---
# jupyter:
#   fmcourse:
#     title: Exam
#     claims: []
#     minutes_cpu: 1
#     minutes_gpu: 1
# ---

# %%
from fmcourse.exam import room

room.practice("01", 30, seed=1)

# %%
from fmcourse.exam import room

room.mock(seed=3, questions=12)
'''


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright; make "
                                                                   "test-browser brings it")
    pytest.importorskip("axe_playwright_python", reason="no axe; make test-browser brings it")
    named = os.environ.get("FMCOURSE_CHROMIUM")
    path = named or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium or Chrome here; FMCOURSE_CHROMIUM may name one")
    with playwright.sync_playwright() as driver:
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        chromium = driver.chromium.launch(executable_path=path, args=as_root)
        yield chromium
        chromium.close()


@pytest.fixture
def picture() -> Callable[[Any, str], None]:
    """Keep a screenshot where somebody wants to look at them."""
    def keep(page: Any, name: str) -> None:
        if folder := os.environ.get("FMCOURSE_SCREENSHOTS"):
            page.screenshot(path=Path(folder, f"{name}.png"))
    return keep


@pytest.fixture(scope="session")
def serious() -> Callable[..., list[str]]:
    """A function that says what axe finds serious on a page, or in a part of it."""
    def find(page: Any, part: str | None = None) -> list[str]:
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(page, context=part).response["violations"]
        return [f"{page.url}: {one['id']}: {node['html'][:200]}: {node['failureSummary']}"
                for one in found if one["impact"] in SERIOUS for node in one["nodes"]]
    return find


@pytest.fixture(scope="session")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of JupyterLab, opened on the lesson by `fmcourse lab 14`."""
    course = tmp_path_factory.mktemp("course")
    (course / "notebooks" / "src").mkdir(parents=True)
    (course / "notebooks" / "src" / "14_exam.py").write_text(LESSON)
    settings = course / "settings"
    settings.mkdir()
    (settings / "jupyter_lab_config.json").write_text(json.dumps(
        {"LabApp": {"expose_app_in_browser": True}}))  # to choose the theme and run cells
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "fmcourse.cli", "lab", "14", "--no-browser", f"--port={port}"]
    server = subprocess.Popen(words, cwd=course, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env={
        **os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(settings), "FMCOURSE_HOME": str(course / "home")})
    try:
        _wait(f"http://127.0.0.1:{port}/api/status?token={TOKEN}", server)
        yield f"http://127.0.0.1:{port}/lab/tree/notebooks/14_exam.ipynb?token={TOKEN}"
    finally:
        for process in [*psutil.Process(server.pid).children(recursive=True), server]:
            process.kill()
        server.wait()


def _wait(address: str, server: subprocess.Popen[bytes], seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert server.poll() is None, "JupyterLab ended by itself"
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    raise AssertionError(f"no answer after {seconds} seconds: {address}")
