"""A governed project with letters in it, and a name for whoever works there."""

from __future__ import annotations

import json

import pytest
import tiny
from tiny import quiet_machine  # noqa: F401

from fmcourse import data, sources
from fmcourse.data import governance

FACTS = governance.Governance("data team", ("research",), "2099-12-31", "internal", "our own")


@pytest.fixture(autouse=True)
def worker(monkeypatch):
    monkeypatch.setenv("FMCOURSE_WHO", "ann")


@pytest.fixture
def project(tmp_path):
    """An empty one."""
    return governance.start(tmp_path / "project", name="letters", owner="data team",
                            purpose="research")


@pytest.fixture
def letters(project):
    """A raw file in the project, read, governed and saved, and a cleaned copy of it."""
    path = project.folder / "sources" / "letters.jsonl"
    path.parent.mkdir()
    texts = ["Too short.", *tiny.texts()[:30],
             "Please answer to ann@example.org as soon as you can, thank you."]
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    whole = governance.govern(sources.load(path), FACTS)
    project.save(whole, "letters")
    project.save(data.normalise(whole), "clean")
    return whole
