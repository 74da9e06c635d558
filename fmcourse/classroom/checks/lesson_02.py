"""Lesson 02, continued pre-training: replay, forgetting, what is graded, and keeping up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fmcourse.classroom.check import Exercise, chosen

PREDICTED = chosen(
    "predicted_changes",
    {"domain": "better", "general": "worse", "instructions": "same",
     "replay keeps": "more than half", "replay costs": "less than a tenth"},
    ("Nothing tells the weights to keep what they are not asked for. And nothing in a document "
     "shows how to do as one is told.",
     "A quarter of old rows is a quarter less of new ones: but the first documents teach most, "
     "and a little reminding goes a long way."),
    slips={"General text does not stay as it was: this is catastrophic forgetting. No old text is "
           "read, so nothing holds the weights where they were.": {"general": "same"},
           "General text gets no better from a manual: the weights move towards the manual, away "
           "from the rest.": {"general": "better"},
           "A manual holds instructions, but the model learns to *continue* it. Following takes "
           "pairs of an instruction and its reply (lesson 04).": {"instructions": "better"},
           "It followed none before, so there was nothing to lose.": {"instructions": "worse"},
           "A quarter of replay keeps far more than a quarter: forgetting is undone by a few "
           "reminders.": {"replay keeps": "about a quarter"},
           "Replay does not keep everything: three quarters of the rows still pull away.":
           {"replay keeps": "all of it"},
           "A quarter fewer documents does not cost a quarter of the gain: most of it comes with "
           "the first ones.": {"replay costs": "about a quarter"}})


def _mix(new: Sequence[str], old: Sequence[str], count: int, share: float) -> list[str]:
    """`count` old rows among all new ones, wherever the running share asks for the next."""
    rows, fresh, replayed = [], iter(new), iter(old[:count])
    for place in range(len(new) + count):
        due = int((place + 1) * share + 1e-9) > int(place * share + 1e-9)
        rows.append(next(replayed if due else fresh, None) or next(fresh, None) or next(replayed))
    return rows


def _right_mix(new: list[str], old: list[str], share: float) -> list[str]:
    return _mix(new, old, round(len(new) * share / (1 - share)), share)


def _short_mix(new: list[str], old: list[str], share: float) -> list[str]:
    count = round(len(new) * share)
    return _mix(new, old, count, count / (len(new) + count))


def _instead(new: list[str], old: list[str], share: float) -> list[str]:
    count = round(len(new) * share)
    return _mix(new[:len(new) - count], old, count, share)


def _measured(answer: Callable, new: list[str], old: list[str], share: float) -> dict[str, Any]:
    """What is asked of a mixture, whichever even spread it has."""
    rows = answer(new, old, share)
    if not isinstance(rows, list):
        raise TypeError(f"with_replay gives {type(rows).__name__}, where a list is wanted")
    replayed = [row for row in rows if row in old]
    counts = [sum(row in old for row in rows[:n + 1]) for n in range(len(rows))]
    even = all(abs(count - share * (n + 1)) <= 1 for n, count in enumerate(counts))
    ends = [rows[:len(replayed)], rows[len(rows) - len(replayed):]]
    spread = "evenly" if even else "in front" if replayed == ends[0] else (
        "at the end" if replayed == ends[1] else "unevenly")
    return {"all new rows, in order": [row for row in rows if row in new] == new,
            "number of old rows": len(replayed),
            "old rows from the first on, each once": replayed == old[:len(replayed)],
            "old rows are spread": spread}


def _numbered(letter: str, count: int) -> list[str]:
    return [f"{letter}{place}" for place in range(count)]


REPLAY = Exercise(
    "with_replay", _right_mix,
    {"a quarter is to be old": (_numbered("new ", 24), _numbered("old ", 20), 0.25),
     "a half is to be old": (_numbered("new ", 6), _numbered("old ", 9), 0.5),
     "no replay": (_numbered("new ", 4), _numbered("old ", 4), 0.0)},
    {"You took the share of the *new* rows. It is the share of all: with a quarter, three new rows "
     "for each old one.": _short_mix,
     "You put the old rows *in the place of* new ones, so part of the new text is never read.":
        _instead,
     "The number is right, but all old rows stand at the end: what is read last is remembered, and "
     "the new text is forgotten.": lambda new, old, share: [
         *new, *old[:round(len(new) * share / (1 - share))]],
     "The number is right, but all old rows stand at the front: the new text then wipes them out.":
        lambda new, old, share: [*old[:round(len(new) * share / (1 - share))], *new],
     "You replay one row again and again. It will be learnt by heart, and the rest forgotten.":
        lambda new, old, share: [old[0] if row in old else row
                                 for row in _right_mix(new, old, share)]},
    ("How many old rows make `share` of *all* rows? Solve old / (old + new) = share.",
     "Solve for old: it is `new` times something with share in it twice. Then let a counter "
     "grow by `share` at every place of the result; whenever it passes a whole number, an old "
     "row is due."),
    use=_measured)


def _until(breaks: Callable[[list[float], int, float], bool], offset: int = -1) -> Callable:
    def last(general: list[float], rise: float) -> int:
        broken = [i for i in range(1, len(general)) if breaks(general, i, rise)]
        return broken[0] + offset if broken else len(general) - 1
    return last


def _risen(general: list[float], i: int, rise: float) -> bool:
    return general[i] > general[0] + rise


FORGETTING = Exercise(
    "last_good", _until(_risen),
    {"it passes the bound and comes back": ([1.50, 1.52, 1.55, 1.62, 1.58], 0.1),
     "a steep rise": ([2.0, 2.05, 2.35, 2.05, 2.25], 0.1),
     "just at the bound, then above it": ([1.5, 1.75, 1.625, 1.8125, 1.5], 0.25),
     "better first": ([1.5, 1.38, 1.52, 1.56], 0.1),
     "never": ([1.2, 1.21, 1.22], 0.1)},
    {"You compared each look with the one before. A slow decline then passes unseen: compare with "
     "the first.": _until(lambda g, i, rise: g[i] > g[i - 1] + rise),
     "You compared with the best look so far. The promise was made about the model that training "
     "started from: compare with the first.": _until(lambda g, i, rise: g[i] > min(g[:i]) + rise),
     "You gave the look that broke the bound. Wanted is the last one *before* it.":
        _until(_risen, 0),
     "You took `rise` as a share of the first value. It is in bits per byte: add it.":
        _until(lambda g, i, rise: g[i] > g[0] * (1 + rise)),
     "At exactly `rise` the promise is still kept: *no more than* `rise` worse.":
        _until(lambda g, i, rise: g[i] >= g[0] + rise),
     "You gave the last look within the bound, even after it had been broken. Training was stopped "
     "at the break; later looks would not exist.": lambda general, rise: max(
         i for i, bits in enumerate(general) if bits <= general[0] + rise)},
    ("Which value is the yardstick, and what does the run do at the first look above it?",
     "Walk over the looks with enumerate, comparing each with one bound that never changes. "
     "What do you return at the first look above it? And behind the loop?"))


def _labelled(of_prompt: Callable, of_completion: Callable, of_text: Callable = list) -> Callable:
    def labels(record: dict[str, list[int]]) -> list[int]:
        if "text" in record:
            return of_text(record["text"])
        return [*of_prompt(record["prompt"]), *of_completion(record["completion"])]
    return labels


def _none(ids: list[int]) -> list[int]:
    return [-100] * len(ids)


GRADED = Exercise(
    "graded_labels", _labelled(_none, list),
    {"a document": ({"text": [5, 6, 7, 8]},), "a pair": ({"prompt": [5, 6, 7],
                                                         "completion": [8, 9]},)},
    {"You grade the prompt, too: the model learns to ask like your users, not only to answer.":
        _labelled(list, list),
     "It is the other way round: you grade the prompt and leave out the answer.":
        _labelled(list, _none),
     "Your answer lacks its first token: -100 stands one place too far.":
        _labelled(_none, lambda ids: [-100, *ids[1:]]),
     "You took the prompt away. It must stay, marked -100: the answer is an answer *to* it, and "
     "labels must be as long as the input.": _labelled(lambda ids: [], list),
     "You moved the labels by one. Here they are as long as the input; the model's loss moves "
     "them.": _labelled(lambda ids: _none(ids)[1:], lambda ids: [*ids, -100],
                        lambda ids: [*ids[1:], -100]),
     "A document has no prompt: every token of it is a lesson.": _labelled(_none, list, _none)},
    ("Two kinds of record, told apart by their keys. Of which tokens should the model learn?",
     "A document: the ids themselves. A pair: -100 for each token of the prompt, then the ids of "
     "the completion."))


def _pages(read: Callable, replay: Callable, plain: Callable = str.split) -> Callable:
    def pages(old: dict[str, str], new: dict[str, str]) -> dict[str, list[str]]:
        kept = {name for name in new if name in old and plain(old[name]) == plain(new[name])}
        return {"read": sorted(read(old, new, kept)), "replay": sorted(replay(old, new, kept))}
    return pages


RELEASES = ({"buckets": "A bucket holds objects.", "queues": "A queue holds\nmessages.",
             "tables": "A table holds items.", "faxes": "A fax is sent.",
             "keys": "Only users may remove owners and roles.",
             "regions": "Prices differ in US regions.",
             "limits": "There is no way around."},
            {"buckets": "A bucket holds objects.", "queues": "A queue holds messages.",
             "tables": "A table holds items, indexed.", "agents": "An agent acts.",
             "keys": "Only owners may remove users and roles.",
             "regions": "Prices differ in us regions.",
             "limits": "There is noway around."})

REFRESH = Exercise(
    "refresh", _pages(lambda old, new, kept: new.keys() - kept, lambda old, new, kept: kept),
    {"one page of each sort": RELEASES, "a first release": ({}, {"a": "x", "b": "y"})},
    {"You read only pages with a new name. One that was rewritten is news, too.":
        _pages(lambda old, new, kept: new.keys() - old.keys(), lambda old, new, kept: kept),
     "You replay a page that has been withdrawn: the model would be taught what is no longer so.":
        _pages(lambda old, new, kept: new.keys() - kept,
               lambda old, new, kept: kept | (old.keys() - new.keys())),
     "You replay the old text of a page that has changed, and so teach both.":
        _pages(lambda old, new, kept: new.keys() - kept, lambda old, new, kept: old.keys()),
     "A page whose line breaks alone differ has not changed. Compare words.":
        _pages(lambda old, new, kept: new.keys() - kept, lambda old, new, kept: kept, str),
     "You compare which words there are, not where they stand. The same words in another order say "
     "something else.": _pages(lambda old, new, kept: new.keys() - kept,
                               lambda old, new, kept: kept, lambda text: {*text.split()}),
     "You lower all letters first. A word with other capitals is another word here.":
        _pages(lambda old, new, kept: new.keys() - kept, lambda old, new, kept: kept,
               lambda text: text.lower().split()),
     "You take all white space away. Two words are not one.":
        _pages(lambda old, new, kept: new.keys() - kept, lambda old, new, kept: kept,
               lambda text: "".join(text.split())),
     "You read the whole new release. What is unchanged is for replay: a part of it is enough.":
        _pages(lambda old, new, kept: new.keys(), lambda old, new, kept: kept)},
    ("Four sorts of page: added, rewritten, unchanged, withdrawn. Which are news, which reminders?",
     "unchanged: in both, with the same text.split(). Read the new release's pages that are not "
     "unchanged; replay the unchanged ones. Withdrawn pages are in neither list."),
    sample="5106e93c0547")

ROUTES = chosen(
    "routes",
    {"reports": "continued pre-training", "answers": "fine-tuning", "prices": "retrieval",
     "tone": "prompt", "prototype": "published model"},
    ("For each, ask what you have: nothing yet, raw documents, or pairs; and how often it changes.",
     "Documents without labels: their language is learnt by reading on. Pairs: fine-tuning. What "
     "changes daily is looked up. A wish that fits into a sentence is said."),
    slips={"Reports are not pairs: nobody has labelled them, so there is nothing to fine-tune on.":
           {"reports": "fine-tuning"},
           "Retrieval would find passages in the reports, but the wish was that the model reads "
           "and writes their language.": {"reports": "retrieval"},
           "You have pairs of a question and an approved answer. Continued pre-training would "
           "read them as plain text and waste the labels.": {"answers": "continued pre-training"},
           "Whatever is trained into weights tonight is wrong tomorrow. Prices are looked up.":
           {"prices": "continued pre-training"},
           "A model tuned on today's prices quotes today's prices for ever. They are looked up.":
           {"prices": "fine-tuning"},
           "For one sentence of instruction there is a cheaper way than training.":
           {"tone": "fine-tuning"},
           "Nothing is known yet of what will be needed. Before training anything, try a model "
           "that exists.": {"prototype": "continued pre-training"}})

EXERCISES = (PREDICTED, GRADED, REPLAY, FORGETTING, REFRESH, ROUTES)
