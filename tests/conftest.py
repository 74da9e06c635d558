"""What every test needs: no network for models, one thread, and a home of its own.

A unit test keeps what it makes in a throw-away folder; a test marked `data` reads the real cache,
which is filled once from the package index. Notebooks (nbval) are not below this folder and use
the real cache too. Nothing here writes into the progress of whoever runs the tests.
"""

from __future__ import annotations

import builtins
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

# Read when libraries are imported; the rest is set for each test, since notebooks draw and report.
os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1", TOKENIZERS_PARALLELISM="false",
                  HF_DATASETS_DISABLE_PROGRESS_BARS="1")
HERE = Path(__file__).parent
HOME = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """One throw-away home for the session."""
    folder = tempfile.TemporaryDirectory(prefix="fmcourse-tests-")
    config.add_cleanup(folder.cleanup)
    config.stash[HOME] = folder.name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Choose the home before any fixture runs, whatever its scope, and put all back after."""
    settings = {"FMCOURSE_DATA": item.config.stash[HOME]}
    if item.path.is_relative_to(HERE):  # pytest asks this hook about notebooks and doctests too
        settings |= {"FMCOURSE_PROGRESS": "0", "MPLBACKEND": "agg"}
        if item.get_closest_marker("data") is None:
            settings["FMCOURSE_HOME"] = item.config.stash[HOME]
    with mock.patch.dict(os.environ, settings):
        if "FMCOURSE_HOME" in settings:
            del os.environ["FMCOURSE_DATA"]  # a test that sets another home has all in it
        return (yield)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Several threads on tiny tensors cost more than they bring, and two suites share a machine."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
                 ) -> Callable[..., tuple[int, str, str]]:
    """Call `fmcourse` in this process: exit code, what it said, what it complained."""
    from fmcourse import cli

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fmcourse", *map(str, words)])
        with pytest.raises(SystemExit) as ending:
            cli.main()
        said = capsys.readouterr()
        return ending.value.code or 0, said.out, said.err

    return call


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Say what is typed: texts one after the other, then the end of the input."""
    def type_(*words):
        left = list(words)

        def answer(prompt=""):
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr(builtins, "input", answer)
        return left
    return type_
