"""Whole or not at all, also under SIGKILL; errors that name line and column; locks."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import store
from fmcourse.errors import StoreError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "home"))


def child(code: str, *arguments: object) -> subprocess.Popen:
    """Python code in a process of its own, with the store imported."""
    lines = "import os, signal, sys, time\nfrom pathlib import Path\nfrom fmcourse import store\n"
    return subprocess.Popen([sys.executable, "-c", lines + code, *map(str, arguments)],
                            stdout=subprocess.PIPE, text=True)


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.name.startswith(store.PARTIAL)]


def test_home_follows_the_environment_and_is_made(tmp_path):
    assert store.home() == tmp_path / "home"
    assert store.folder("a", "b").is_dir()
    assert store.folder("a", "b") == tmp_path / "home" / "a" / "b"


def test_a_home_that_cannot_be_made_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match="FMCOURSE_HOME"):
        store.home()


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "new" / "a.txt"
    store.atomic_write(path, "grün")
    assert path.read_bytes() == "grün".encode()
    store.atomic_write(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_file_that_is_written_piece_by_piece_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.txt"
    with store.atomic_file(path) as file:
        file.write(b"one ")
        assert not path.exists()
        file.write(b"two")
    assert path.read_bytes() == b"one two"
    with contextlib.suppress(ValueError), store.atomic_file(path) as file:
        file.write(b"three")
        raise ValueError
    assert path.read_bytes() == b"one two"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path, monkeypatch, step):
    path = store.atomic_write(tmp_path / "a.txt", "old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space"):
        store.atomic_write(path, "new")
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_folder_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "model"
    with store.atomic_folder(target) as draft:
        (draft / "a").write_text("1")
        assert not target.exists()
        assert draft.parent == target.parent  # the same disk, or a rename is a copy
    assert (target / "a").read_text() == "1"
    assert target.stat().st_mode & 0o777 == 0o755
    with store.atomic_folder(target) as draft:
        assert list(draft.iterdir()) == []
        (draft / "b").write_text("2")
        assert (target / "a").exists()
    assert [p.name for p in target.iterdir()] == ["b"]
    assert leftovers(tmp_path) == []


def test_a_folder_that_fails_leaves_the_old_one(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), store.atomic_folder(target) as draft:  # noqa: PT012
        (draft / "a").write_text("new")
        raise KeyboardInterrupt
    assert (target / "a").read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_rename_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "model"
    target.mkdir()
    (target / "a").write_text("old")
    rename, calls = os.replace, []

    def fail_at_the_second(source, place):
        calls.append(place)
        if len(calls) == 2:
            raise OSError("in use")
        rename(source, place)

    monkeypatch.setattr(os, "replace", fail_at_the_second)
    with pytest.raises(OSError, match="in use"), store.atomic_folder(target) as draft:
        (draft / "a").write_text("new")
    assert (target / "a").read_text() == "old"
    assert leftovers(tmp_path) == []


KILL_AT = """
import os
target, call, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rename, calls = os.replace, []
def replace(source, place):
    calls.append(place)
    if when == 'before' and len(calls) == call: os.kill(os.getpid(), signal.SIGKILL)
    rename(source, place)
    if when == 'after' and len(calls) == call: os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
with store.atomic_folder(target) as draft:
    (draft / 'a').write_text('new')
    if call == 0: os.kill(os.getpid(), signal.SIGKILL)
    (draft / 'b').write_text('new')
"""


@pytest.mark.parametrize(("call", "when", "found"), [
    (0, "before", "old"),     # half filled
    (1, "before", "old"),     # filled, nothing renamed
    (2, "before", "nothing"),  # the old one aside: the one moment without either
    (2, "after", "new"),      # in place, not yet swept
])
def test_a_kill_at_each_step_of_replacing_a_folder(tmp_path, call, when, found):
    target = tmp_path / "model"
    target.mkdir()
    for name in "ab":
        (target / name).write_text("old")
    killed = child(KILL_AT, target, call, when)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    if found == "nothing":
        assert not target.exists()
    else:
        assert [(target / name).read_text() for name in "ab"] == [found, found]
    assert leftovers(tmp_path)  # the kill did leave something ...
    with store.atomic_folder(target) as draft:
        (draft / "c").write_text("next")
    assert leftovers(tmp_path) == []  # ... and the next writer swept it
    assert [p.name for p in target.iterdir()] == ["c"]


def test_a_kill_in_the_middle_of_a_file_leaves_the_old_one(tmp_path):
    path = store.atomic_write(tmp_path / "a.txt", "old")
    code = "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n" \
           "store.atomic_write(Path(sys.argv[1]), 'new')"
    killed = child(code, path)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(leftovers(tmp_path)) == 1
    store.atomic_write(path, "newer")
    assert leftovers(tmp_path) == []


WRITE_ON = """
folder = Path(sys.argv[1])
print('going', flush=True)
for turn in range(10**9):
    text = str(turn % 10) * 200_000
    store.atomic_write(folder / 'file', text)
    if not (folder / 'model').exists() or turn % 2:
        with store.atomic_folder(folder / 'model') as draft:
            (draft / 'a').write_text(text)
            (draft / 'b').write_text(text)
"""


def test_kills_at_random_moments_never_leave_a_mixture(tmp_path):
    draw, seen = random.Random(0), 0
    for _ in range(5):
        writer = child(WRITE_ON, tmp_path)
        assert writer.stdout.readline() == "going\n"
        time.sleep(draw.uniform(0.02, 0.15))
        writer.kill()
        writer.communicate(timeout=60)
        if (tmp_path / "file").exists():
            seen += 1
            text = (tmp_path / "file").read_text()
            assert len(text) == 200_000
            assert len(set(text)) == 1
        if (tmp_path / "model").exists():
            first, second = ((tmp_path / "model" / name).read_text() for name in "ab")
            assert first == second
            assert len(first) == 200_000
    assert seen


def test_sweeping_spares_other_artifacts_and_living_writers(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = tmp_path / f"{store.PARTIAL}base-{gone.pid}-abc_1"
    alive = tmp_path / f"{store.PARTIAL}base-{os.getpid()}-abc_1"
    others = [tmp_path / f"{store.PARTIAL}base-{name}-{gone.pid}-abc_1" for name in ("2", "big")]
    for folder in (dead, alive, *others):
        folder.mkdir()
    with store.atomic_folder(tmp_path / "base"):
        pass
    assert sorted(leftovers(tmp_path)) == sorted(p.name for p in (alive, *others))


def test_two_writers_of_one_folder_do_not_delete_each_others_draft(tmp_path):
    with store.atomic_folder(tmp_path / "a") as first:
        (first / "x").write_text("1")
        with store.atomic_folder(tmp_path / "a") as second:
            (second / "x").write_text("2")
        assert (first / "x").exists()
    assert (tmp_path / "a" / "x").read_text() == "1"


def test_json_goes_round_with_its_keys_in_order(tmp_path):
    value = {"z": [1, 2.5, None, True], "a": {"ü": "\u2028 ☃"}}
    path = store.write_json(tmp_path / "a.json", value)
    assert store.read_json(path) == value
    assert list(store.read_json(path)) == ["z", "a"]
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_json_without_meaning_elsewhere_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        store.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_broken_json_is_named_with_line_and_column(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{\n "a": 1,\n "b": }\n')
    with pytest.raises(StoreError) as caught:
        store.read_json(path)
    assert str(caught.value.where) == f"{path}:3:7"
    assert caught.value.fix


@pytest.mark.parametrize("content", [b"", b"\xff\xfe{}", b'{"a": 1'])
def test_every_broken_json_is_a_course_error(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"a\.json"):
        store.read_json(tmp_path / "a.json")


def test_missing_json_is_a_course_error(tmp_path):
    with pytest.raises(StoreError, match="not there"):
        store.read_json(tmp_path / "no.json")


@settings(max_examples=30, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_the_hash_of_a_value_is_that_of_its_json(value):
    again = json.loads(json.dumps(value))
    assert store.sha256_json(again) == store.sha256_json(value)


def test_hashes_tell_files_and_folders_apart(tmp_path):
    assert store.sha256_json({"a": 1, "b": 2}) == store.sha256_json({"b": 2, "a": 1})
    assert store.sha256_json([1, 2]) != store.sha256_json([2, 1])
    (tmp_path / "a").write_text("abc")
    assert store.sha256_file(tmp_path / "a") == store.sha256_text("abc")
    before = store.sha256_folder(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert store.sha256_folder(tmp_path) != before


HOLD = """
with store.lock(Path(sys.argv[1])):
    print('held', flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_another_process_out_until_it_ends(tmp_path):
    holder = child(HOLD, tmp_path / "artifact")
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TimeoutError):
            store.lock(tmp_path / "artifact").acquire(timeout=0.2)
    finally:
        holder.kill()  # the system lets go of a dead process's locks
        holder.communicate(timeout=60)
    with store.lock(tmp_path / "artifact").acquire(timeout=30):
        pass


@pytest.mark.parametrize("change", [
    lambda text: text.replace(b"\n", b"\r\n"), lambda text: text.replace(b"1", b"NaN"),
    lambda text: text.replace(b"1", b"2"), lambda text: text[:-1], lambda text: b"[1]"])
def test_a_seal_sees_every_byte(tmp_path, change):
    path = store.seal(tmp_path / "card.json", {"count": 1}, [])
    assert store.broken_seal(path) == []
    path.write_bytes(change(path.read_bytes()))
    assert store.broken_seal(path) == ["card.json"]


def test_a_file_is_never_replaced_by_a_folder(tmp_path):
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(StoreError, match="a file here, which stays"), \
            store.atomic_folder(tmp_path / "precious"):
        pass
    with pytest.raises(StoreError, match="this is a file"), \
            store.atomic_folder(tmp_path / "precious" / "below"):
        pass
    assert (tmp_path / "precious").read_text() == "mine"
    assert leftovers(tmp_path) == []


def test_a_folder_with_others_things_stays_even_when_they_come_late(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    with store.atomic_folder(target, store.everything) as draft:  # an empty one is nobody's
        (draft / "a").write_text("1")
    with pytest.raises(StoreError, match="stays as it is: a\\.") as found, \
            store.atomic_folder(target, store.everything):
        pytest.fail("nothing is made for nothing")
    assert "Name another folder" in str(found.value)
    (target / "a").unlink()
    with pytest.raises(StoreError, match="late"), \
            store.atomic_folder(target, store.everything):
        (target / "late").write_text("mine")
    assert [one.name for one in target.iterdir()] == ["late"]
    for name in "bcde":
        (target / name).write_text("")
    with pytest.raises(StoreError, match="b, c, d and 2 more"):
        store.refuse_others(target)


def test_files_are_replaced_by_force_alone_and_folders_never(tmp_path):
    path = store.atomic_write(tmp_path / "a", "old")
    store.refuse_to_replace({path: "old", tmp_path / "new" / "b": None})
    store.refuse_to_replace({path: "new"}, force=True)
    for files in ({path: "new"}, {path: None}):
        with pytest.raises(StoreError, match="already") as found:
            store.refuse_to_replace(files)
        assert "--force" in str(found.value)
    with pytest.raises(StoreError, match="a folder here"):
        store.refuse_to_replace({tmp_path: None}, force=True)
    with pytest.raises(StoreError, match="this is a file"):
        store.refuse_to_replace({path / "c": None}, force=True)


def test_a_seal_vouches_for_its_files_alone(tmp_path):
    store.atomic_write(tmp_path / "a", "1")
    assert store.beside_seal(tmp_path / "card.json") == ["a"]
    store.seal(tmp_path / "card.json", {}, [tmp_path / "a"])
    assert store.beside_seal(tmp_path / "card.json") == []
    (tmp_path / "b").write_text("mine")
    (tmp_path / "a").write_text("changed")
    assert store.beside_seal(tmp_path / "card.json") == ["a", "b"]
    (tmp_path / "card.json").write_text('{"files": {}, "seal": "x"}')
    assert store.beside_seal(tmp_path / "card.json") == ["a", "b", "card.json"]
