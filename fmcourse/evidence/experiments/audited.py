"""G4: what is done to an audit log behind its back is seen, and nothing else is."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fmcourse import store
from fmcourse.data.governance import AuditLog, Entry, Head
from fmcourse.evidence.experiments.shared import Outcome

ALARM, FALSE = "share of logs with an alarm", "share of logs that only grew, with an alarm"
CHAINED, PLAIN, UNTOUCHED, HASHED = (
    "chained", "plain", "chained, untouched", "plain, a hash of it kept elsewhere")
EVENTS = ("data read", "data written", "training started", "training ended", "training refused")
KEY = "a key that the log's writer has, and the forger has not"
Rows = list[dict[str, object]]


def audited(seed: int, logs: int = 12, lines: int = 40) -> Outcome:
    """Logs of made-up work, each edited in every way at a random place.

    The forger can write every file beside the log, knows how hashes are made, and has no key; what
    a chain is held against is its head as it was kept elsewhere. Details say how much is seen with
    less than that: by the chain alone, and by a key alone. A hash of a plain log, kept elsewhere,
    sees every edit, too; but a log grows, and then such a hash no longer fits.

    Args:
        logs: how many, of each kind.
        lines: of each log.
    """
    draw, seen, hashes, grown = random.Random(seed), {}, [], []
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as work:
        for number in range(logs):
            for keyed in (False, True):
                log = _log(Path(work) / f"{number}-{keyed}.jsonl", lines, draw, keyed)
                hashes.append(log.head.hash)
                whole, head = log.path.read_bytes(), log.head
                digest = store.sha256_file(log.path)
                _count(seen, "untouched", keyed, log, head, digest, True)
                for name, edit in EDITS.items():
                    _write(log, edit([json.loads(line) for line in whole.splitlines()], draw))
                    _count(seen, name, keyed, log, head, digest, name.endswith("(head too)"))
                    log.path.write_bytes(whole)
                    store.write_json(log.head_path, asdict(head))
                if not keyed:
                    _more(log, 3, draw)
                    grown.append((log.verify(head) is not None,
                                  store.sha256_file(log.path) != digest))
    shares = {way: {by: sum(some) / len(some) for by, some in found.items()}
              for way, found in seen.items()}
    edits = [way for way in shares if way != "untouched"]

    def mean(by: str) -> float:
        return sum(shares[way][by] for way in edits) / len(edits)

    chained, hashed = (sum(alarms) / len(grown) for alarms in zip(*grown, strict=True))
    arms = {CHAINED: {ALARM: mean("head kept elsewhere"), FALSE: chained},
            HASHED: {ALARM: mean("hash kept elsewhere"), FALSE: hashed},
            PLAIN: {ALARM: mean("no chain")}, UNTOUCHED: {ALARM: max(shares["untouched"].values())}}
    return Outcome(arms, {"logs": store.sha256_json(hashes)},
                   {"by edit": shares, "edits": logs * len(edits)})


def _log(path: Path, lines: int, draw: random.Random, keyed: bool) -> AuditLog:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    times = iter(began + timedelta(minutes=7 * i) for i in range(2 * lines))
    log = AuditLog(path, KEY if keyed else None, now=lambda: next(times))
    _more(log, lines, draw)
    return log


def _more(log: AuditLog, lines: int, draw: random.Random) -> None:
    for _ in range(lines):
        log.add(draw.choice(EVENTS), f"data/{draw.choice('abcdef')}", purpose="research",
                who=draw.choice(("ann", "bo", "cem")), sha256=f"{draw.getrandbits(256):064x}")


def _count(seen: dict[str, dict[str, list[bool]]], way: str, keyed: bool, log: AuditLog,
           head: Head, digest: str, forged_head: bool) -> None:
    """Whether each way of looking raises an alarm over this log as it now is."""
    found = seen.setdefault(way, {})
    if forged_head:
        store.write_json(log.head_path, asdict(log.head))
    if keyed:
        found.setdefault("keyed, no head", []).append(log.verify(_claimed(log)) is not None)
        return
    found.setdefault("no chain", []).append(not plain_is_well_formed(log.path))
    found.setdefault("hash kept elsewhere", []).append(store.sha256_file(log.path) != digest)
    found.setdefault("chain, no head", []).append(log.verify(_claimed(log)) is not None)
    found.setdefault("chain, head beside it", []).append(log.verify() is not None)
    found.setdefault("head kept elsewhere", []).append(log.verify(head) is not None)


def _claimed(log: AuditLog) -> Head:
    """The head that the log itself claims: nothing was kept."""
    last = log.entries()[-1]
    return Head(last.number + 1, last.hash)


def plain_is_well_formed(path: Path) -> bool:
    """All that can be checked of a log without a chain: that each line is what a line should be.

    It has neither numbers nor hashes to look at.
    """
    told = ("when", "who", "event", "what", "sha256", "purpose", "note")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return all(isinstance(row.get(name), str) for row in rows for name in told)


def _write(log: AuditLog, rows: Rows) -> None:
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    log.path.write_bytes(text.encode())


def _changed(rows: Rows, draw: random.Random) -> Rows:
    """One line says that somebody else did something else."""
    place = draw.randrange(len(rows))
    name, new = draw.choice([("who", "mallory"), ("event", "nothing done"), ("purpose", "product"),
                             ("what", "data/z"), ("sha256", "0" * 64)])
    rows[place] = {**rows[place], name: new}
    return rows


def _rehashed(rows: Rows, draw: random.Random) -> Rows:
    """One line changed, and its own hash made anew."""
    before = [dict(row) for row in rows]
    rows = _changed(rows, draw)
    place = next(i for i, row in enumerate(rows) if row != before[i])
    return [*rows[:place], _hashed(rows[place]), *rows[place + 1:]]


def _deleted(rows: Rows, draw: random.Random) -> Rows:
    del rows[draw.randrange(len(rows))]
    return rows


def _added(rows: Rows, draw: random.Random) -> Rows:
    """A copy of another line, where it never was."""
    rows.insert(draw.randrange(len(rows)), dict(draw.choice(rows)))
    return rows


def _swapped(rows: Rows, draw: random.Random) -> Rows:
    one, two = draw.sample(range(len(rows)), 2)
    rows[one], rows[two] = rows[two], rows[one]
    return rows


def _truncated(rows: Rows, draw: random.Random) -> Rows:
    return rows[:draw.randrange(1, len(rows))]


def _forged(rows: Rows, draw: random.Random) -> Rows:
    """One line changed, and the chain made anew from there to the end."""
    before, made = "0" * 64, []
    for row in _changed(rows, draw):
        made.append(_hashed({**row, "before": before}))
        before = made[-1]["hash"]
    return made


def _hashed(row: dict[str, object]) -> dict[str, object]:
    """A line with the hash that a chain without a key would give it."""
    told = {name: row[name] for name in Entry.__dataclass_fields__ if name != "hash"}
    content = json.dumps(told, separators=(",", ":"))
    return {**told, "hash": store.sha256_text(content)}


EDITS: dict[str, Callable[[Rows, random.Random], Rows]] = {
    "changed": _changed, "changed and rehashed": _rehashed, "deleted": _deleted, "added": _added,
    "swapped": _swapped, "truncated": _truncated, "truncated (head too)": _truncated,
    "chain made anew": _forged, "chain made anew (head too)": _forged}
