"""A tiny chat model, and an export of it that a file of tests breaks copies of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tiny
from tiny import quiet_machine  # noqa: F401

from fmcourse import models, ship


@pytest.fixture(scope="session")
def model() -> models.LanguageModel:
    made = models.with_chat(tiny.model(scale=3.0))
    made.name = "tiny"
    return made


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory) -> Path:
    return ship.export(model, tmp_path_factory.mktemp("export") / "tiny",
                       limits="It knows ten animals.")


@pytest.fixture
def folder(exported, tmp_path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "tiny"))
