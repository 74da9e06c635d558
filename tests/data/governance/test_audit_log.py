"""The log: what was written verifies; what was changed since does not, whatever it was."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import store
from fmcourse.data.governance import AuditLog, Head
from fmcourse.errors import StoreError

WORDS = st.text(max_size=12)


@pytest.fixture(autouse=True)
def no_flush(monkeypatch):
    """Without waiting for the disk: a test writes thousands of lines."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


def filled(folder: Path, lines: int = 6, key: str | None = None) -> AuditLog:
    log = AuditLog(folder / "audit.jsonl", key)
    for i in range(lines):
        log.add("data read", f"data/{i}", who="ann", sha256="0" * 64, purpose="research")
    return log


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), max_size=8), st.sampled_from([None, "k"]))
def test_any_sequence_of_lines_verifies(calls, key):
    with TemporaryDirectory() as folder:
        log = AuditLog(Path(folder) / "audit.jsonl", key)
        heads = [log.head]
        for event, what, who, note in calls:
            log.add(event, what, who=who, note=note)
            heads.append(log.head)
        assert log.verify() is None
        assert all(log.verify(head) is None for head in heads)
        assert [(e.event, e.what, e.who, e.note) for e in log.entries()] == calls


@settings(max_examples=150, deadline=None)
@given(data=st.data(), key=st.sampled_from([None, "k"]))
def test_any_change_of_one_byte_is_seen(data, key, tmp_path_factory):
    log = _shared(tmp_path_factory, key)
    whole = log.path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    try:
        log.path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1:])
        fault = log.verify()
        assert fault
        assert abs(fault.line - 1 - whole[:place].count(b"\n")) <= 1
    finally:
        log.path.write_bytes(whole)


_LOGS: dict = {}


def _shared(factory, key):
    if key not in _LOGS:
        _LOGS[key] = filled(factory.mktemp("log"), key=key)
    return _LOGS[key]


@pytest.mark.parametrize(("edit", "line"), [
    (lambda rows: rows[:2] + rows[3:], 3), (lambda rows: rows[1:], 1),
    (lambda rows: [*rows[:4], rows[1], *rows[4:]], 5), (lambda rows: rows[:-1], 6),
    (lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]], 3), (lambda rows: [], 1)])
def test_the_first_bad_line_is_told(tmp_path, edit, line):
    log = filled(tmp_path)
    log.path.write_bytes(b"".join(edit(log.path.read_bytes().splitlines(keepends=True))))
    assert log.verify().line == line
    assert str(log.verify()).startswith(f"line {line}: ")


def forged(log: AuditLog) -> list[str]:
    """A whole new chain in which somebody else did it, by one who has no key."""
    before, lines = "0" * 64, []
    for line in log.path.read_text().splitlines():
        row = {**json.loads(line), "who": "mallory", "before": before}
        del row["hash"]
        before = store.sha256_text(json.dumps(row, separators=(",", ":")))
        lines.append(json.dumps({**row, "hash": before}, separators=(",", ":")))
    return lines


def test_a_chain_made_anew_needs_a_kept_head_or_a_key(tmp_path):
    for key in (None, "a key"):
        (tmp_path / str(key)).mkdir()
        log = filled(tmp_path / str(key), key=key)
        kept = log.head
        log.path.write_text("\n".join(forged(log)) + "\n")
        rows = [json.loads(line) for line in log.path.read_text().splitlines()]
        store.write_json(log.head_path, {"count": len(rows), "hash": rows[-1]["hash"]})
        assert (log.verify() is None) == (key is None)
        assert log.verify(kept)


def test_another_key_fits_neither_reading_nor_writing(tmp_path):
    log = filled(tmp_path, key="one")
    other = AuditLog(log.path, "two")
    assert "another key" in other.verify().what
    with pytest.raises(StoreError, match="not as it was"):
        other.add("data read", "x", who="bo")
    assert log.verify() is None


def test_half_a_line_is_set_aside_and_said(tmp_path):
    log = filled(tmp_path, lines=3)
    kept = log.head
    with open(log.path, "ab") as file:
        file.write(b'{"number":3,"when":"2026')
    assert log.verify().what == "the line is not whole"
    entry = log.add("data read", "after the kill", who="ann")
    assert entry.number == 4
    assert [e.event for e in log.entries()][3] == "torn line set aside"
    assert log.verify() is None
    assert log.verify(kept) is None
    assert next(tmp_path.glob("*.torn-*")).read_bytes().startswith(b'{"number":3')


def test_a_kill_between_the_line_and_its_head_is_no_alarm(tmp_path):
    log = filled(tmp_path, lines=3)
    store.write_json(log.head_path, {"count": 2, "hash": log.entries()[1].hash})
    assert log.verify() is None
    log.add("data read", "next", who="ann")
    assert log.verify() is None
    assert log.head.count == 4


@pytest.mark.parametrize("cut", [
    lambda log: log.path.write_bytes(b"".join(log.path.read_bytes().splitlines(True)[:-1])),
    lambda log: log.path.unlink(), lambda log: log.path.write_bytes(b""),
    lambda log: os.truncate(log.path, log.path.stat().st_size - 1),
    lambda log: log.head_path.unlink(), lambda log: log.head_path.write_text("{"),
    lambda log: log.head_path.write_text('{"count": true, "hash": 1}')])
def test_nothing_is_written_after_what_was_cut(tmp_path, cut):
    log = filled(tmp_path)
    cut(log)
    assert log.verify()
    with pytest.raises(StoreError):
        log.add("data read", "x", who="ann")
    assert log.verify()


def test_an_empty_log_is_whole(tmp_path):
    log = AuditLog(tmp_path / "none" / "audit.jsonl")
    assert (log.verify(), log.entries(), log.head) == (None, [], Head(0, "0" * 64))


def test_several_writers_make_one_chain(tmp_path):
    def write(who: int) -> None:
        log = AuditLog(tmp_path / "audit.jsonl")
        for i in range(5):
            log.add("data read", str(i), who=str(who))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    log = AuditLog(tmp_path / "audit.jsonl")
    assert log.verify() is None
    assert log.head.count == 20


@pytest.mark.parametrize("line", ["", "null", "[]", '{"number": 1}', "\x00", "[" * 5000])
def test_lines_that_are_none_are_told_and_not_raised(tmp_path, line):
    log = filled(tmp_path, lines=2)
    with open(log.path, "a") as file:
        file.write(f"{line}\n")
    assert log.verify().line == 3
    assert len(log.entries()) == 2
