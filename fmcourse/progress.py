"""What a learner did: one SQLite file for lessons, exercises and the exam, on this machine only.

SQLite because what was done must survive a crash right after it, and two programs (a notebook and
a terminal) may write at once. Tables of events only grow, so that the files of two machines can be
merged; `exam_card`, what the review schedule knows of an item, can be made anew from the answers.

Lessons and exercises note what happens, and must not fail because that cannot be noted: then a
warning says so. While nbgrader runs somebody's notebook nothing is noted, for it is not the
learner who runs it.
"""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fmcourse import user_data
from fmcourse.errors import CourseWarning, StoreError

VERSION = 1  # of the tables; 0 were those of the exam alone
SECONDS = 10  # to wait for another program that writes
EVENTS = {
    "lesson_begun": {"lesson": str, "at": float, "scale": str},
    "lesson_claim": {"lesson": str, "at": float, "scale": str, "claim": str, "metric": str,
                     "verdict": str},
    "exercise_try": {"lesson": str, "at": float, "exercise": str, "verdict": str},
    "exam_answer": {"item": str, "at": float, "answer": str, "rating": int},
}
TABLES = """
create table if not exists lesson_begun (
    id integer primary key,
    lesson text not null,   -- its number, such as 01
    at real not null,       -- seconds since 1970, here and below
    scale text not null);
create table if not exists lesson_claim (
    id integer primary key,
    lesson text not null,
    at real not null,
    scale text not null,
    claim text not null,
    metric text not null,
    verdict text not null);
create table if not exists exercise_try (
    id integer primary key,
    lesson text not null,
    at real not null,
    exercise text not null,
    verdict text not null   -- a kind of fmcourse.classroom.check
);
create table if not exists exam_answer (
    id integer primary key,
    item text not null,
    at real not null,
    answer text not null,   -- ids with blanks between them
    rating integer not null -- of fsrs: 1 is wrong; 2 hard, 3 good and 4 easy are right
);
create table if not exists exam_card (
    item text primary key,
    card text not null,     -- JSON, as the library fsrs writes it
    due real not null);
create index if not exists exam_answer_item on exam_answer (item, id);
"""


def path() -> Path:
    """The learner's progress file."""
    return user_data.folder("progress") / "progress.sqlite"


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """The progress file; what the block wrote is kept when it ends without an error.

    No other program writes meanwhile.

    Raises:
        StoreError: it is no database, was made by a newer version of the course, cannot be
            written, or another program keeps it busy for ten seconds. It is left as it was.
    """
    file = path()
    try:
        with closing(sqlite3.connect(file, timeout=SECONDS, isolation_level=None)) as database, \
                database:
            database.execute("begin immediate")
            _bring_up_to_date(database, file)
            yield database
    except sqlite3.DatabaseError as error:
        raise StoreError(f"The progress file cannot be used: {error}.", where=file,
                         fix="If another program has it open, close that; if it cannot be written "
                             f"there, set {user_data.CHOSEN} to another folder; if it is damaged, "
                             "move it away, and a new one is begun.") from error


def _bring_up_to_date(database: sqlite3.Connection, file: Path) -> None:
    found = database.execute("pragma user_version").fetchone()[0]
    if found > VERSION:
        raise StoreError("The progress file was made by a newer version of the course.",
                         where=file, fix="Update the course, or set "
                                         f"{user_data.CHOSEN} to another folder.")
    if found < VERSION:
        for statement in TABLES.split(";\n"):
            database.execute(statement)
        database.execute(f"pragma user_version = {VERSION}")


def add(database: sqlite3.Connection, table: str, event: dict[str, object]) -> None:
    """Add a row to one of the tables of events."""
    columns = EVENTS[table]
    database.execute(f"insert into {table} ({', '.join(columns)}) "
                     f"values ({', '.join('?' * len(columns))})", [event[name] for name in columns])


def begun(lesson: str, scale: str) -> None:
    """Note that a lesson was begun."""
    _note("lesson_begun", lesson=lesson, scale=scale)


def claimed(lesson: str, scale: str, claim: str, metric: str, verdict: str) -> None:
    """Note what a lesson's run said of a measure of a claim."""
    _note("lesson_claim", lesson=lesson, scale=scale, claim=claim, metric=metric, verdict=verdict)


def tried(lesson: str, exercise: str, verdict: str) -> None:
    """Note a try of an exercise and what its check said."""
    _note("exercise_try", lesson=lesson, exercise=exercise, verdict=verdict)


def _note(table: str, **event: str) -> None:
    if os.environ.get("NBGRADER_EXECUTION"):
        return
    try:
        with opened() as database:
            add(database, table, {"at": time.time(), **event})
    except (StoreError, OSError) as error:
        warnings.warn(f"This was not noted in your progress. {error}", CourseWarning, stacklevel=3)
