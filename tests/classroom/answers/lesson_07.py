"""Other right programs for lesson 07, and edits of the solutions that make known mistakes."""

import hashlib
import json
import unicodedata
from itertools import combinations

import numpy as np


def candidates_with_numpy(sketches, rows):
    bands = np.array(sketches).reshape(len(sketches), -1, rows)
    return {(i, j) for i, j in combinations(range(len(sketches)), 2)
            if (bands[i] == bands[j]).all(axis=1).any()}


class TwiceError(Exception):
    """A key came twice."""


def faults_by_exceptions(text):
    def once(pairs):
        if len(dict(pairs)) < len(pairs):
            raise TwiceError
        return dict(pairs)

    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    found = []
    for i in range(len(lines)):
        try:
            record = json.loads(lines[i], object_pairs_hook=once)
            assert record.keys() == {"prompt", "completion"}
            assert record["prompt"].strip()
            assert record["completion"].strip()
        except json.JSONDecodeError as error:
            found.append((i + 1, error.pos + 1))
        except (AssertionError, AttributeError, TwiceError):
            found.append((i + 1, 1))
    return found


def keep_by_category(text):
    kinds = [unicodedata.category(sign)[0] for sign in "".join(text.split())]
    return 5 * kinds.count("L") >= 3 * len(kinds) > 0


def split_by_bytes(records, held_out):
    def is_out(record):
        first = hashlib.sha256(bytes(record["document"], "utf-8")).digest()[:4]
        return int.from_bytes(first, "big") < held_out * 2 ** 32

    places = range(len(records))
    return ([i for i in places if not is_out(records[i])],
            [i for i in places if is_out(records[i])])


def contaminated_by_search(train, test, n):
    pages = [f" {' '.join(text.lower().split())} " for text in train]
    found = []
    for place, text in enumerate(test):
        words = text.lower().split()
        runs = [f" {' '.join(words[i:i + n])} " for i in range(len(words) - n + 1)]
        if any(run in page for run in runs for page in pages):
            found.append(place)
    return found


OTHERS = {
    "candidates": [candidates_with_numpy],
    "faults": [faults_by_exceptions],
    "keep_text": [keep_by_category],
    "split_places": [split_by_bytes],
    "contaminated": [contaminated_by_search],
}
EDITS = {
    "candidates": [("(other, place) for other in box", "pair for other in box for pair in ("
                    "(other, place), (place, other))", "You give each pair twice"),
                   ("range(0, len(sketch), rows)", "range(len(sketch) - rows + 1)",
                    "Your bands overlap")],
    "faults": [('.split("\\n"), 1)', ".splitlines(), 1)", "`splitlines` also breaks"),
               ('.split("\\n"), 1)', '.split("\\n"))', "You count lines from 0"),
               (" and said.strip()", "", "You take any text"),
               ("isinstance(said, str) and said.strip()", "str(said).strip()",
                "You take whatever stands there")],
    "keep_text": [("map(str.isalpha, signs)", "'a' <= sign <= 'z' for sign in signs",
                   "Blanks are out now"),
                  (" if not sign.isspace()", "", "Letters are right now"),
                  ("isalpha", "isalnum", "Digits are no letters"),
                  (">= 0.6", "> 0.6", "At least 60 %")],
    "split_places": [('record["document"]', 'record["text"]', "You hash the text"),
                     ("share < held_out", "share >= held_out", "You hold out the larger")],
    "contaminated": [("text.lower().split()", "text.split()", "Capitals hide"),
                     ("text.lower().split()", "text.lower()", "Runs of letters"),
                     ("words[i:i + n]) for i in range(len(words) - n + 1)",
                      "words[i:i + n - 1]) for i in range(len(words) - n + 2)",
                      "Your runs are one word too short")],
    "decisions": [('"doubts": "let a person look"', '"doubts": "drop"', "Half of the doubted"),
                  ('"leave it"', '"repair"', "Letters in use")],
}
