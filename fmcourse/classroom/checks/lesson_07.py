"""Lesson 07, curation and formats: copies, strict records, a filter, a split, contamination."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import combinations
from typing import Any

from fmcourse.classroom.check import Exercise, chosen

Sketch = list[int]


def _bands(sketch: Sketch, rows: int, step: int | None = None) -> list[tuple[int, ...]]:
    return [tuple(sketch[i:i + rows]) for i in range(0, len(sketch) - rows + 1, step or rows)]


def _pairs(alike: Callable[[Sketch, Sketch, int], bool], both: bool = False) -> Callable:
    def candidates(sketches: list[Sketch], rows: int) -> set[tuple[int, int]]:
        found = {(i, j) for (i, one), (j, other) in combinations(enumerate(sketches), 2)
                 if alike(one, other, rows)}
        return found | {(j, i) for i, j in found} if both else found
    return candidates


def _at_place(one: Sketch, other: Sketch, rows: int, step: int | None = None,
              enough: Callable = any) -> bool:
    return enough(a == b for a, b in zip(
        _bands(one, rows, step), _bands(other, rows, step), strict=True))


CANDIDATES = Exercise(
    "candidates", _pairs(_at_place),
    {"bands of two": ([[1, 2, 3, 4, 5, 6], [1, 2, 9, 9, 9, 9], [0, 2, 3, 0, 5, 0],
                       [7, 7, 1, 2, 0, 8], [1, 2, 3, 4, 5, 6]], 2),
     "bands of three": ([[1, 2, 3, 4, 5, 6], [0, 2, 3, 4, 0, 0], [4, 5, 6, 1, 2, 3],
                         [8, 8, 8, 4, 5, 6]], 3)},
    {"One equal number is enough for you. A whole band must agree.":
        _pairs(lambda one, other, rows: any(a == b for a, b in zip(one, other, strict=True))),
     "You want all bands to agree: that finds copies to the letter only.":
        _pairs(lambda one, other, rows: _at_place(one, other, rows, enough=all)),
     "You compare a band with bands at other places. Those come of other hash functions.":
        _pairs(lambda one, other, rows: bool({*_bands(one, rows)} & {*_bands(other, rows)})),
     "Your bands overlap. They lie side by side: the next begins where one ends.":
        _pairs(lambda one, other, rows: _at_place(one, other, rows, 1)),
     "You give each pair twice. The smaller place comes first.": _pairs(_at_place, both=True)},
    ("What would two equal bands have to be, so that a dictionary brings them together?",
     "A key needs two things: where the band begins, and what is in it. Its value are the "
     "places seen so far; pair each of those with the new one before that is added."))


def _strict(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return pairs


def _last_of_equals(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [*dict(pairs).items()]


def _faults(lines: Callable[[str], list[str]] = lambda text: text.split("\n"), start: int = 1,
            column: int = 0, good: Callable[[Any], bool] = lambda said: isinstance(
                said, str) and bool(said.strip()),
            seen: Callable = _strict, others: bool = False, first: bool = False) -> Callable:
    def record(line: str) -> bool:
        made = json.loads(line, object_pairs_hook=lambda pairs: (seen(pairs),))
        if not isinstance(made, tuple):
            return False
        keys = sorted(key for key, _ in made[0])
        known = {"prompt", "completion"} <= {*keys} if others else keys == ["completion", "prompt"]
        return known and all(good(said) for key, said in made[0]
                             if key in ("prompt", "completion"))

    def faults(text: str) -> list[tuple[int, int]]:
        found = []
        for number, line in enumerate(lines(text.removesuffix("\n")), start):
            try:
                if not record(line):
                    found.append((number, 1 + column))
            except json.JSONDecodeError as error:
                found.append((number, error.colno + column))
        return found[:1] if first else found
    return faults


_GOOD = '{"prompt": "Hello", "completion": "Hi."}'
FAULTS = Exercise(
    "faults", _faults(),
    {"good lines": (f"{_GOOD}\n{_GOOD}\n",),
     "a comma is lacking, and a line cut off": (
         f'{_GOOD}\n{{"prompt": "Hello" "completion": "Hi."}}\n{_GOOD}\n{{"prompt": "Hel',),
     "no object": (f"{_GOOD}\n[1]\n7\n[]",),
     "another key, and one too few": (
         f'{_GOOD[:-1]}, "id": 3}}\n{{"prompt": "Hello"}}',),
     "a number for a text": (f'{_GOOD}\n{{"prompt": "Six?", "completion": 6}}',),
     "a blank completion": (f'{{"prompt": "Hello", "completion": " "}}\n{_GOOD}',),
     "a key twice": (f'{_GOOD[:-1]}, "prompt": "Bye"}}\n',),
     "blanks around an object": (f"  {_GOOD} \n{_GOOD}\n",),
     "an empty line": (f"{_GOOD}\n\n{_GOOD}\n",),
     "a line separator within a text": (_GOOD.replace("Hello", "Hello\u2028you"),)},
    {"You count lines from 0. Editors count from 1.": _faults(start=0),
     "You count columns from 0. Editors count from 1.": _faults(column=-1),
     "Blanks before an object are no fault: the parser passes over them.":
        lambda text: sorted({*_faults()(text), *(
            (n, 1) for n, line in enumerate(text.split("\n"), 1) if line.startswith(" "))}),
     "You stop at the first fault. Whoever mends a file wants to see them all.":
        _faults(first=True),
     "You take any text, also a blank one: it teaches the model to say nothing.":
        _faults(good=lambda said: isinstance(said, str)),
     "You take whatever stands there for a text. A number is none.":
        _faults(good=lambda said: bool(str(said).strip())),
     "A key that comes twice gets through: the parser keeps the last one without a word. "
     "object_pairs_hook sees both.": _faults(seen=_last_of_equals),
     "You let other keys through. Strict means these two only.": _faults(others=True),
     "You pass over empty lines. Bedrock's reader may not; say where they are.":
        _faults(lines=lambda text: [line for line in text.split("\n") if line]),
     "`splitlines` also breaks at signs that may stand within a JSON text, such as U+2028. Only a "
     "line feed ends a line here.": _faults(lines=str.splitlines)},
    ("Three things may be wrong with a line: it is no JSON, it is no object, or it is the wrong "
     "object. Which of them has a column of its own?",
     "text.removesuffix(\"\\n\").split(\"\\n\"); json.loads(line, object_pairs_hook=list) in a "
     "try; JSONDecodeError has .colno. Then check the keys, each once, and that both values are "
     "texts with more than white space."))


def _keeps(letter: Callable[[str], bool], blanks: bool = False,
           enough: Callable[[float], bool] = lambda share: share >= 0.6) -> Callable:
    def keep(text: str) -> bool:
        signs = [sign for sign in text if blanks or not sign.isspace()]
        return bool(signs) and enough(sum(map(letter, signs)) / len(signs))
    return keep


def _small(sign: str) -> bool:
    return "a" <= sign <= "z"


KEEP = Exercise(
    "keep_text", _keeps(str.isalpha),
    {"prose": ("The bridge is closed.",), "a headline": ("BRIDGE CLOSED",),
     "Greek": ("Η γέφυρα είναι κλειστή.",), "short words": ("a b c d e f g h i",),
     "a table": ("|--|--| 12.50 | 13.75 | x |",), "a number of a part": ("A1 22 B33 4 C5",),
     "just enough": ("abc 12",), "a form to fill in": ("Name: ______ Date: ______",),
     "nothing": ("",), "only blanks": ("  \n",)},
    {"That is the filter as it was given, mended for nothing but the empty text.":
        _keeps(_small, blanks=True),
     "Blanks are out now. Capitals and other scripts still count as signs that are no letters.":
        _keeps(_small),
     "Capitals are letters for you now; other scripts are not. Ask str.isalpha.":
        _keeps(lambda sign: sign.isascii() and sign.isalpha()),
     "Letters are right now. White space still counts against a text of short words.":
        _keeps(str.isalpha, blanks=True),
     "Digits are no letters: a list of part numbers gets through.": _keeps(str.isalnum),
     "A low line is no letter, though a pattern's \\w takes it for one.":
        _keeps(lambda sign: sign.isalpha() or sign == "_"),
     "At least 60 % means that 60 % is enough.": _keeps(
         str.isalpha, enough=lambda share: share > 0.6)},
    ("Which of the samples should be kept and is not? Ask of each sign in it: counted as a letter? "
     "Counted at all?",
     "Take the signs that are not isspace(). Kept if there are any, and the share of isalpha() "
     "among them is at least 0.6."))


def _part(words: str) -> float:
    return int(hashlib.sha256(words.encode()).hexdigest()[:8], 16) / 16 ** 8


def _split(held: Callable[[list[dict[str, str]], int, float], bool]) -> Callable:
    def split(records: list[dict[str, str]], held_out: float) -> tuple[list[int], list[int]]:
        out = [i for i in range(len(records)) if held(records, i, held_out)]
        return [i for i in range(len(records)) if i not in out], out
    return split


def _last_documents(records: list[dict[str, str]], place: int, share: float) -> bool:
    names = [*dict.fromkeys(record["document"] for record in records)]
    return names.index(records[place]["document"]) >= len(names) - round(share * len(names))


_RECORDS = [{"document": name, "text": f"Page {i} of {name}."}
            for i, name in enumerate(["s3", "ec2", "s3", "sns", "ec2", "iam", "kms", "sns", "sqs",
                                      "s3", "rds", "iam"])]
SPLIT = Exercise(
    "split_places", _split(lambda records, i, share: _part(records[i]["document"]) < share),
    {"seven documents": (_RECORDS, 0.4), "some have gone": (_RECORDS[3:], 0.4),
     "half": (_RECORDS, 0.5), "a document just at the share": (_RECORDS, _part("rds"))},
    {"You hash the text, so pages of one document fall on both sides.":
        _split(lambda records, i, share: _part(records[i]["text"]) < share),
     "You hold out the larger part: below the share is held out.":
        _split(lambda records, i, share: _part(records[i]["document"]) >= share),
     "You cut the list at a place. Pages of one document fall on both sides.":
        _split(lambda records, i, share: i >= len(records) - round(share * len(records))),
     "You hold out the last documents of the list: as soon as some come or go, it is another "
     "split.": _split(_last_documents)},
    ("What may the side of a record depend on? Not on its text, not on its place, and not on the "
     "other records.",
     "hexdigest gives sixty-four digits; int(text, 16) reads the first eight of them. What is "
     "the largest number they can make?"))


def _shares(cut: Callable[[str], list] = lambda text: text.lower().split(),
            least: Callable[[int], int] = int, whole: bool = False,
            ordered: bool = True) -> Callable:
    def runs(text: str, n: int) -> set:
        words = cut(text)
        if not ordered:
            return {*words}
        size = len(words) if whole else n
        return {tuple(words[i:i + size]) for i in range(len(words) - size + 1)}

    def contaminated(train: list[str], test: list[str], n: int) -> list[int]:
        seen = set().union(*(runs(text, least(n)) for text in train))
        return [i for i, text in enumerate(test)
                if len(runs(text, least(n)) & seen) >= (1 if ordered else n)]
    return contaminated


def _as_text(train: list[str], test: list[str], n: int) -> list[int]:
    pages, found = [" ".join(text.lower().split()) for text in train], []
    for place, text in enumerate(test):
        words = text.lower().split()
        runs = [" ".join(words[i:i + n]) for i in range(len(words) - n + 1)]
        if any(run in page for run in runs for page in pages):
            found.append(place)
    return found


CONTAMINATED = Exercise(
    "contaminated", _shares(),
    {"runs of four": (
        ["In spring we saw the old stone bridge fall into the river.", "Nobody was hurt."],
        ["Who saw The Old  stone bridge?", "the old bridge, of stone, we saw in spring",
         "Was nobody hurt?", "Nobody was hurt.", "We saw the fall",
         "fall into the river, they say", "we saw the old stones"], 4),
     "runs of three": (["How many bones has a hand?", "A cat sleeps."],
                       ["how many bones has a foot?", "A cat sleeps.", "a cat", "a hand has many",
                        "A cat sleeps, they say", "ow many bones"], 3)},
    {"Runs of letters are not runs of words: cut at white space first.":
        _shares(cut=lambda text: [*text.lower()]),
     "Capitals hide a copy from you.": _shares(cut=str.split),
     "You want the whole test text to be a training text. It may stand in the middle of a page.":
        _shares(whole=True),
     "You took full stops and commas away. Words are what white space separates.": _shares(
         cut=lambda text: [word.strip(".,?!") for word in text.lower().split()]),
     "You look for a run as a text within a text, so it may begin or end in the middle of a word.":
        _as_text,
     "You count shared words in any order. A run is words in a row.": _shares(ordered=False),
     "Your runs are one word too short.": _shares(least=lambda n: n - 1),
     "Your runs are one word too long.": _shares(least=lambda n: n + 1)},
    ("Cut a text into all its runs of n words. How many does a text of m words have?",
     "A run can be a tuple, so that a set holds it. Of m words there are m - n + 1 runs, or "
     "none. Gather those of all training texts once, then ask of each test text whether it "
     "shares any."),
    sample="3ab190cc1597")

DECISIONS = chosen(
    "decisions",
    {"signs": "repair", "mirror": "keep one", "quiz": "drop", "forum": "ask the owner",
     "doubts": "let a person look", "slang": "leave it"},
    ("Ask of each: is there one right form? Is it good, and merely too much? Does it spoil a "
     "measurement? Is it what the model will meet?",
     "What can be computed back is repaired. What makes a score lie goes. What only a person can "
     "know, a person is asked."),
    slips={"A third of the corpus for one wrong encoding is dear, when it can be computed back.":
           {"signs": "drop"},
           "Both are good text, and one of them is enough.": {"mirror": "drop"},
           "Repeated text is learnt by heart; leaving both pays for that.": {"mirror": "leave it"},
           "Train on them and the benchmark measures memory.": {"quiz": "leave it"},
           "No licence is no permission. Silence of the source is not consent.":
           {"forum": "leave it"},
           "Half of the doubted labels are right: dropping all loses good records, and hard ones "
           "first.": {"doubts": "drop"},
           "Letters in use will have such mistakes. A model that only read clean ones will meet "
           "them unprepared.": {"slang": "repair"}})

EXERCISES = (CANDIDATES, FAULTS, KEEP, SPLIT, CONTAMINATED, DECISIONS)
