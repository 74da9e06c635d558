"""What was done by hand: not in the cache, moved there once, and never lost on the way."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
import pytest

from fmcourse import store, user_data
from fmcourse.errors import StoreError


@pytest.fixture
def usual(monkeypatch, tmp_path) -> Path:
    """A person who has set nothing: a cache folder and a data folder."""
    monkeypatch.delenv("FMCOURSE_HOME")
    for kind in ("cache", "data"):
        monkeypatch.setattr(platformdirs, f"user_{kind}_path", lambda name, kind=kind: (
            tmp_path / kind / name))
    return tmp_path


def earlier(room: str, text: str = "{}") -> Path:
    """What an earlier version left in the cache."""
    file = store.folder(room) / "deep" / "one.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_it_lies_in_the_users_data_folder_or_where_they_say(usual, monkeypatch):
    assert user_data.folder("labels") == usual / "data" / "fmcourse" / "labels"
    monkeypatch.setenv("FMCOURSE_HOME", str(usual / "all"))
    assert user_data.folder("labels") == usual / "all" / "labels"
    monkeypatch.setenv("FMCOURSE_DATA", str(usual / "mine"))
    assert user_data.folder("labels") == usual / "mine" / "labels"


@pytest.mark.parametrize("one_disk", [True, False])
def test_what_an_earlier_version_kept_in_the_cache_is_moved_over(usual, monkeypatch, one_disk):
    old = earlier("labels")
    if not one_disk:
        rename = os.replace

        def replace(source, target):
            if Path(source).parent == store.home():
                raise OSError(18, "Invalid cross-device link")
            rename(source, target)

        monkeypatch.setattr(os, "replace", replace)
    assert (user_data.folder("labels") / "deep" / "one.jsonl").read_text() == "{}"
    assert not old.parents[1].exists()


def test_nothing_is_moved_on_top_of_anything(usual):
    user_data.folder("labels")
    old = earlier("labels")
    assert list(user_data.folder("labels").iterdir()) == []
    assert old.exists()


def test_a_folder_for_one_command_takes_nothing_with_it(usual, monkeypatch):
    old = earlier("rankings")
    monkeypatch.setenv("FMCOURSE_DATA", str(usual / "mine"))
    assert list(user_data.folder("rankings").iterdir()) == []
    assert old.exists()


def test_two_programs_may_move_at_once(usual):
    earlier("progress")
    with ThreadPoolExecutor(4) as pool:
        places = set(pool.map(user_data.folder, ["progress"] * 8))
    assert len(places) == 1
    assert (places.pop() / "deep" / "one.jsonl").exists()


def test_a_move_that_fails_leaves_all_where_it_was(usual, monkeypatch):
    old = earlier("labels")
    (usual / "data").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="FMCOURSE_DATA"):
        user_data.folder("labels")
    assert old.exists()


def test_a_folder_that_cannot_be_made_says_what_to_set(usual, monkeypatch):
    (usual / "file").write_text("")
    monkeypatch.setenv("FMCOURSE_DATA", str(usual / "file" / "below"))
    with pytest.raises(StoreError, match="FMCOURSE_DATA"):
        user_data.folder("labels")
