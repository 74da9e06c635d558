"""What a teacher said: asked by one process at a time, and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import classmates
import pytest

from fmcourse import store
from fmcourse.errors import StoreError
from fmcourse.train.teaching import Asking, Price, Said, asked


def test_two_that_ask_the_same_at_once_ask_once():
    begun, times = Event(), []

    def ask(asking: Asking) -> None:
        times.append(1)
        begun.set()
        asking.begin()
        Event().wait(0.2)  # the other one is at the door meanwhile
        store.atomic_write(asking.folder / "a.txt", "said")
        asking.finish(classmates.random_model(), 10, 1)

    def second() -> Said:
        begun.wait()
        return asked("words", ["same"], ask, "*.txt")

    with ThreadPoolExecutor(2) as both:
        later, first = both.submit(second), both.submit(asked, "words", ["same"], ask, "*.txt")
    assert times == [1]
    assert first.result() == later.result()
    assert first.result().price.tokens == 10


@pytest.mark.parametrize("harm", ["nothing", "gone", "cut short"])
def test_a_file_that_is_harmed_after_a_kill_is_asked_for_again(harm):
    parts = []

    def ask(asking: Asking, last: int = 3) -> None:
        for part in range(asking.done, last):
            parts.append(part)
            asking.begin()
            store.atomic_write(asking.folder / f"{part}.txt", "said")
            asking.finish(classmates.random_model(), 10, 1)
        if last < 3:
            store.atomic_write(asking.folder / "2.txt", "sa")  # written, and not yet finished
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked("words", [harm], lambda asking: ask(asking, 2), "*.txt")
    (file,) = store.folder("teachers").glob("*/0.txt")
    if harm == "gone":
        file.unlink()
    elif harm == "cut short":
        file.write_text("sa")
    said = asked("words", [harm], ask, "*.txt")
    assert parts == ([0, 1, 2] if harm == "nothing" else [0, 1, 0, 1, 2])
    assert [path.read_text() for path in sorted(said.folder.glob("*.txt"))] == ["said"] * 3
    assert said.price.tokens == 30


def test_what_is_changed_later_is_not_believed():
    def ask(asking: Asking) -> None:
        store.atomic_write(asking.folder / "a.txt", "said")

    said = asked("words", ["other"], ask, "*.txt")
    assert said.price == Price()
    for name in ("a.txt", "about.json"):
        file = said.folder / name
        whole = file.read_bytes()
        file.write_bytes(whole + b" ")
        with pytest.raises(StoreError, match=rf"changed: {name}"):
            asked("words", ["other"], ask, "*.txt")
        file.write_bytes(whole)
    assert asked("words", ["other"], ask, "*.txt") == said
