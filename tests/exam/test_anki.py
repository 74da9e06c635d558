"""The deck in Anki itself: it opens, and a later deck updates its notes and keeps their schedule.

Anki's library is an extra, since nothing of the course needs it: `make test-anki` brings it.
"""

from dataclasses import replace

import genanki.package
import pytest

from fmcourse.exam import bank, export

collections = pytest.importorskip("anki.collection", reason="no Anki; make test-anki brings it")

BANK = bank.load()


@pytest.fixture
def import_deck(tmp_path, monkeypatch):
    """A function that imports items into a learner's collection as of a day, and says what came."""
    learner = collections.Collection(str(tmp_path / "learner.anki2"))

    def come(items, day):
        monkeypatch.setattr(genanki.package.time, "time", lambda: 1.8e9 + 86_400 * day)
        path = tmp_path / f"{day}.apkg"
        path.write_bytes(export.anki(items))
        asked = collections.ImportAnkiPackageRequest(
            package_path=str(path), options=collections.ImportAnkiPackageOptions(
                with_scheduling=False, merge_notetypes=False))
        return learner, learner.import_anki_package(asked).log
    yield come
    learner.close()


def test_the_bank_is_imported_whole(import_deck):
    learner, log = import_deck(BANK, 1)
    assert len(log.new) == learner.note_count() == learner.card_count() == len(BANK)
    assert [deck.name for deck in learner.decks.all_names_and_ids()] == ["Default", export.TITLE]
    assert len(learner.find_notes("tag:task-3.3")) == sum(one.task == "3.3" for one in BANK)
    card = learner.get_card(learner.find_cards(f"Id:{BANK[0].id}")[0])
    assert BANK[0].why.split()[0] in card.answer()
    assert BANK[0].why not in card.question()


def test_a_later_deck_updates_makes_no_doubles_and_keeps_the_schedule(import_deck):
    learner, _ = import_deck(BANK, 1)
    first, second = BANK[:2]
    studied = learner.get_card(learner.find_cards(f"Id:{first.id}")[0])
    learner.sched.set_due_date([studied.id], "9")
    due = learner.get_card(studied.id).due
    later = [replace(first, stem="Is this the new stem?"),
             replace(second, id=f"{second.claim}-99", stem="Is this a new item?"), *BANK[1:]]
    _, log = import_deck(later, 2)
    assert (len(log.new), len(log.updated)) == (1, len(BANK))
    assert learner.note_count() == len(BANK) + 1
    card = learner.get_card(studied.id)
    assert "Is this the new stem?" in card.question()
    assert (card.due, card.ivl) == (due, 9)
    assert import_deck(BANK, 3)[0].note_count() == len(BANK) + 1
