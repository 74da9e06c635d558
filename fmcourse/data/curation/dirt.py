"""Dirt planted with known truth, so that a pipeline can be graded: what did it find, what did it
spoil? Planted dirt is easier to find than the real kind (`raw`), and copies are found by the
very measure they were planted with: what is graded is that the steps do what they say.

Repairable dirt is put on clean records, and the truth is kept beside; other dirt is records added
after them, and the truth is that they should go. Each has the step that is for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import ftfy.bad_codecs
import pandas as pd
from datasets import Dataset, Features, Value

from fmcourse.data.card import card, with_card
from fmcourse.data.clean import normalise_text
from fmcourse.data.curation.pipeline import Curated
from fmcourse.data.near_duplicates import features, jaccard
from fmcourse.errors import DataError

ftfy.bad_codecs.ok()  # registers the encoding that browsers call Windows-1252
CLEAN = "clean"
_ABOVE = ("Home > Docs > Reference", "Please enable JavaScript to view this page.")
_BELOW = ("Share | Tweet | Print", "This site uses cookies to improve your experience.")
_CURLY = ((" - ", " – "), ("'", "’"), (' "', " “"), ('"', "”"))


@dataclass(frozen=True)
class Dirt:
    """A kind of dirt.

    Attributes:
        step: the one that is for it.
        make: from a clean text and a source of chance to a dirty one, or None where this text
            cannot carry it.
        repairable: the text can be had back; otherwise the record should go.
    """

    step: str
    make: Callable[[str, random.Random], str | None]
    repairable: bool = False


def _mojibake(text: str, _: random.Random) -> str | None:
    for plain, curly in _CURLY:
        text = text.replace(plain, curly)
    if text.isascii():
        return None
    return text.encode("utf-8").decode("sloppy-windows-1252")


def _html(text: str, draw: random.Random) -> str:
    words = [word.replace("&", "&amp;").replace("<", "&lt;") for word in text.split(" ")]
    for i in draw.sample(range(len(words)), min(2, len(words))):
        tag = draw.choice(("code", "b", "i"))
        words[i] = f"<{tag}>{words[i]}</{tag}>"
    return f"<div class=\"text\"><p>{' '.join(words)}</p></div>"


def _page(text: str, draw: random.Random) -> str:
    return f"{draw.choice(_ABOVE)}\n{text}\n{draw.choice(_BELOW)}"


def near_copy(text: str, draw: random.Random) -> str | None:
    """The text with a word replaced, or None where that would be no near duplicate."""
    words = text.split(" ")
    words[draw.randrange(len(words))] = f"item{draw.randrange(1000)}"
    changed = " ".join(words)
    return changed if jaccard(features(text), features(changed)) >= 0.8 else None


def _salad(text: str, draw: random.Random) -> str:
    words = text.split()
    return " ".join(draw.sample(words, len(words)))


def _symbols(text: str, draw: random.Random) -> str:
    cells = [str(draw.randrange(10_000)) for _ in text.split()]
    return " | ".join(cells) + " ###"


DIRT = {
    "mojibake": Dirt("encoding", _mojibake, repairable=True),
    "HTML": Dirt("markup", _html, repairable=True),
    "boilerplate": Dirt("boilerplate", _page, repairable=True),
    "missing": Dirt("text is there", lambda text, draw: draw.choice(("", "  \n"))),
    "exact duplicate": Dirt("exact duplicates", lambda text, _: text),
    "near duplicate": Dirt("near duplicates", near_copy),
    "numbers and symbols": Dirt("heuristics", _symbols),
    "word salad": Dirt("quality", _salad),
}
FOREIGN, LEAKED = "other language", "leaked test item"
_HANDED_IN = {FOREIGN: "language", LEAKED: "decontamination"}


def plant(clean: Dataset, foreign: Sequence[str] = (), tests: Sequence[str] = (),
          each: float = 0.03, seed: int = 0) -> Dataset:
    """Clean records made dirty: every kind of dirt on, or beside, a share of them.

    Args:
        clean: columns text, document, source, of single paragraphs; a card.
        foreign: texts in other languages to add; none, and there is no such dirt.
        tests: texts of an evaluation set to leak.
        each: share of the clean records, for each kind of dirt.
        seed: which records.

    Returns:
        The clean records, some of them dirty, and then the added ones; besides their columns
        `planted` (the kind, or 'clean') and `truth` (what the text should be; None where the
        record should go).

    Raises:
        DataError: there are too few records for so much dirt.
    """
    rows, draw = clean.select_columns(["text", "document", "source"]).to_list(), random.Random(seed)
    count = round(each * len(rows))
    if count < 1 or count * sum(kind.repairable for kind in DIRT.values()) > len(rows):
        raise DataError(f"{each:g} of {len(rows)} records is no possible share.", where="plant",
                        fix="Give more records, or a share below a third.")
    rows = [{**row, "planted": CLEAN, "truth": row["text"]} for row in rows]
    free, added = draw.sample(range(len(rows)), len(rows)), []
    for name, kind in DIRT.items():
        able = ((i, text) for i in free
                if (text := kind.make(rows[i]["truth"], draw)) is not None)
        made = list(islice(able, count))
        if kind.repairable:
            for i, text in made:
                rows[i].update(text=text, planted=name)
            free = [i for i in free if rows[i]["planted"] == CLEAN]
        else:
            added += [_extra(text, name, rows[i]) for i, text in made]
            free = free[len(made):] + free[:len(made)]  # others for the next kind
    for name, texts in ((FOREIGN, foreign), (LEAKED, tests)):
        some = draw.sample(list(texts), min(count, len(texts)))
        added += [_extra(text, name, {"document": f"{name} {i}", "source": "planted"})
                  for i, text in enumerate(some)]
    kinds = Features({name: Value("string") for name in rows[0]})
    dirty = Dataset.from_list(rows + added, kinds)
    return with_card(dirty, card(clean).step("dirt planted", len(dirty), 0, f"seed {seed}"))


def _extra(text: str, kind: str, like: dict[str, str]) -> dict[str, str | None]:
    return {"text": text, "document": like["document"], "source": like["source"],
            "planted": kind, "truth": None}


def plant_copies(clean: Dataset, copied: Sequence[str], exact: int, near: int, seed: int = 0
                 ) -> Dataset:
    """Records of a data set, and after them copies of some texts, in random order.

    Args:
        clean: columns text, document, source; a card.
        copied: the texts, each of a line.
        exact, near: copies of each, word for word, and with a word replaced (those near enough to
            be near duplicates).
        seed: of the words and the order.

    Returns:
        Columns text, document, source.
    """
    draw, added = random.Random(seed), []
    for number, text in enumerate(copied):
        changed = (near_copy(text, draw) for _ in range(near))
        added += [{"text": copy, "document": f"copies {number}", "source": "planted"}
                  for copy in (*[text] * exact, *changed) if copy is not None]
    draw.shuffle(added)
    rows = clean.select_columns(["text", "document", "source"]).to_list() + added
    return with_card(Dataset.from_list(rows), card(clean).step(
        "copies planted", len(rows), 0, f"{len(added):,} of {len(copied):,} texts, seed {seed}"))


def grade(curated: Curated, dirty: Dataset) -> pd.DataFrame:
    """What a pipeline made of planted dirt: a row a kind.

    Args:
        curated: what came out.
        dirty: what went in: columns `planted` and `truth`; rows where `planted` is None (nobody
            knows what they are) are left out.

    Returns:
        kind, step (the one that is for it), planted, right (repaired to the truth, or dropped by
        whichever step), recall, touched (records that the step changed or dropped), precision (of
        those, the share with any planted dirt; a lower bound, since what was thought clean may not
        be). The last row is of clean records: right are those kept with their words.
    """
    kept = dict(zip(curated.rows, curated.kept["text"][:], strict=True))
    planted, truth = dirty["planted"][:], dirty["truth"][:]
    touched = {name: set(rows) for name, rows in curated.changed.items()}
    for row, step in zip(curated.dropped["row"][:], curated.dropped["step"][:], strict=True):
        touched[step].add(row)
    steps = {**{name: kind.step for name, kind in DIRT.items()}, **_HANDED_IN, CLEAN: ""}
    rows = []
    for kind, step in steps.items():
        own = [i for i, name in enumerate(planted) if name == kind]
        right = sum(_is_right(kept.get(i), truth[i]) for i in own)
        acted = [planted[i] for i in touched.get(step, ()) if planted[i] is not None]
        if own:
            rows.append({"kind": kind, "step": step, "planted": len(own), "right": right,
                         "recall": right / len(own), "touched": len(acted),
                         "precision": sum(name != CLEAN for name in acted) / len(acted)
                         if acted else float("nan")})
    return pd.DataFrame(rows)


def _is_right(text: str | None, truth: str | None) -> bool:
    if truth is None or text is None:
        return text is truth
    return normalise_text(text).split() == normalise_text(truth).split()
