"""What is kept of a learner's answers: two tables in one SQLite file, on this machine only.

SQLite because an answer must survive a crash right after it was given, and two programs (a
notebook and a terminal) may write at once. Every answer is kept with how it felt, so that cards
can be made anew from them; a card is what the review schedule knows of one item.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fmcourse import store
from fmcourse.errors import StoreError

TABLES = """
create table if not exists exam_answer (
    id integer primary key,
    item text not null,
    at real not null,       -- seconds since 1970
    answer text not null,   -- ids with blanks between them
    rating integer not null);  -- of fsrs: 1 is wrong; 2 hard, 3 good and 4 easy are right
create table if not exists exam_card (
    item text primary key,
    card text not null,     -- JSON, as the library fsrs writes it
    due real not null);
create index if not exists exam_answer_item on exam_answer (item, id);
"""


def path() -> Path:
    """The learner's progress file."""
    return store.folder("progress") / "progress.sqlite"


@contextmanager
def progress() -> Iterator[sqlite3.Connection]:
    """The progress file, open; what the block wrote is kept when it ends without an error.

    Raises:
        StoreError: it is no database, or another program keeps it busy for ten seconds.
    """
    file = path()
    try:
        with closing(sqlite3.connect(file, timeout=10)) as database, database:
            database.executescript(TABLES)
            database.execute("begin immediate")  # no other program between reading and writing
            yield database
    except sqlite3.DatabaseError as error:
        raise StoreError(f"The progress file cannot be used: {error}.", where=file,
                         fix="If another program has it open, close that; if it is damaged, "
                             "move it away, and a new one is begun.") from error
