"""Where what cannot be made again is kept: labels, rankings, progress, and the key one signs with.

Nobody can make these again, so they do not lie with the downloads: a system may empty a cache
folder, and people do. The place is `$FMCOURSE_DATA`; else `$FMCOURSE_HOME`, which then holds
everything; else the user's data folder (on Linux `$XDG_DATA_HOME`). Earlier versions kept these
rooms in the cache: what is found there is moved over, once, a room at a time, and never on top of
anything. An `$FMCOURSE_DATA` is taken as it is: it may be for one command, and a move is for ever.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import platformdirs

from fmcourse import store
from fmcourse.errors import StoreError

ROOMS = ("labels", "rankings", "progress", "keys")
CHOSEN = "FMCOURSE_DATA"
ELSEWHERE = f"Point {CHOSEN} at a folder you can write to."


def home() -> Path:
    """The folder that holds these rooms; it need not be there yet."""
    if chosen := os.environ.get(CHOSEN):
        return Path(chosen).expanduser()
    return store.home() if os.environ.get("FMCOURSE_HOME") else (
        platformdirs.user_data_path("fmcourse"))


def place(room: str) -> Path:
    """Where a room is, with what an earlier version kept elsewhere; it need not be there yet.

    Raises:
        StoreError: what is elsewhere cannot be moved; it is still there then.
    """
    new, old = home() / room, store.home() / room
    if os.environ.get(CHOSEN) or new == old or new.exists() or not old.is_dir():
        return new
    try:
        with store.lock(new):
            if not new.exists() and old.is_dir():  # or another program has just moved it
                _move(old, new)
    except OSError as error:
        raise StoreError(f"What you did by hand cannot be moved here: {error.strerror}.", where=new,
                         fix=ELSEWHERE) from error
    return new


def _move(old: Path, new: Path) -> None:
    try:
        os.replace(old, new)
    except OSError:  # on another disk: the copy is whole before the old one goes
        with store.atomic_folder(new) as draft:
            shutil.copytree(old, draft, dirs_exist_ok=True)
        shutil.rmtree(old, ignore_errors=True)


def folder(room: str) -> Path:
    """A room, made if missing.

    Raises:
        StoreError: it cannot be made.
    """
    return store.made_folder(place(room), fix=ELSEWHERE)
