"""Supplies: damaged copies are replaced, archives carried, only our own folders deleted."""

import re
import time
from pathlib import Path
from threading import Barrier

import pytest

import fmcourse
from fmcourse import sources, store
from fmcourse.errors import SourceError
from fmcourse.lessons import supplies
from fmcourse.sources import Status, fetching


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "home"))
    return store.home()


def test_a_damaged_copy_is_fetched_again(home, monkeypatch):
    copy = home / "sources" / "x"
    copy.mkdir(parents=True)
    answers = [Status("x", "damaged", copy, ""), Status("x", "ready", copy, "")]
    monkeypatch.setattr(sources, "verify", lambda name: answers.pop(0))
    fetched = []
    monkeypatch.setattr(sources, "fetch", lambda name: fetched.append(copy.exists()))
    assert supplies.bring("x")
    assert fetched == [False]  # it was deleted first


def test_what_is_ready_is_not_fetched(home, monkeypatch):
    monkeypatch.setattr(sources, "verify", lambda name: Status("x", "ready", home, ""))
    monkeypatch.setattr(sources, "fetch", lambda name: pytest.fail("fetched"))
    assert supplies.bring("x")


def test_one_source_that_fails_does_not_stop_the_others(home, monkeypatch):
    def bring(name):
        if name == "shakespeare":
            raise SourceError("no network")
        return Status(name, "ready", None, "")

    monkeypatch.setattr(supplies, "bring", bring)
    names = ["web-bible", "shakespeare", "no-such-source", "smollm2"]
    answers = dict(supplies.bring_all(names))
    assert list(answers) == names
    assert [isinstance(answers[name], SourceError) for name in names] == [False, True, True, False]


def test_sources_of_one_archive_are_brought_one_after_the_other(home, monkeypatch):
    pair = ["boolq", "boolq-passages"]
    assert len({fetching.place(sources.get(name)) for name in pair}) == 1
    busy, most, meeting = set(), {}, Barrier(2)

    def bring(name):
        place = fetching.place(sources.get(name))
        busy.add(name)
        if name in ("web-bible", "boolq"):
            meeting.wait(timeout=30)  # different archives do come side by side
        time.sleep(0.05)
        most[place] = max(most.get(place, 0),
                          sum(fetching.place(sources.get(other)) == place for other in busy.copy()))
        busy.remove(name)
        return Status(name, "ready", None, "")

    monkeypatch.setattr(supplies, "bring", bring)
    assert [name for name, _ in supplies.bring_all([*pair, "web-bible"])] == [*pair, "web-bible"]
    assert set(most.values()) == {1}


def test_carrying_copies_the_cached_archive_and_checks_it(home, tmp_path):
    source = sources.get("web-bible")
    cached = fetching.place(source) / source.file
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"not it")
    with pytest.raises(SourceError, match="not the registered one"):
        supplies.carry(source, tmp_path / "wheels")
    assert list((tmp_path / "wheels").iterdir()) == []


def test_carrying_what_is_part_of_python_does_nothing(home, tmp_path):
    assert supplies.carry(sources.get("python-docs"), tmp_path / "wheels") is None


def test_only_the_courses_own_folders_are_counted_and_deleted(home):
    for name in ("runs", "my-thesis"):
        (home / name).mkdir()
        (home / name / "file").write_bytes(b"12345")
    assert supplies.kept() == {"runs": 5}
    supplies.delete(["runs"])
    assert [path.name for path in home.iterdir()] == ["my-thesis"]


def test_every_folder_the_package_makes_is_known():
    package = Path(fmcourse.__file__).parent
    made = {name for path in package.rglob("*.py")
            for name in re.findall(r'store\.(?:folder\(\s*|home\(\) / )"(\w+)"',
                                   path.read_text(encoding="utf-8"))}
    assert "logs" in made
    assert made <= set(supplies.ROOMS)
