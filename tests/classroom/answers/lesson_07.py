"""Other right programs for lesson 07, and edits of the solutions that make known mistakes."""

import hashlib
import json
import re
import unicodedata
from collections import defaultdict
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


def candidates_in_boxes(sketches, rows):
    found = set()
    for start in range(0, len(sketches[0]), rows):
        boxes = defaultdict(list)
        for place, sketch in enumerate(sketches):
            boxes[str(sketch[start:start + rows])].append(place)
        for together in boxes.values():
            found.update(combinations(together, 2))
    return found


def faults_by_steps(text):
    found, number, decoder = [], 0, json.JSONDecoder(object_pairs_hook=tuple)
    for line in (text[:-1] if text[-1:] == "\n" else text).split("\n"):
        number += 1
        try:
            record = decoder.decode(line)
        except ValueError as error:
            found.append((number, error.colno))
            continue
        if line.strip()[0] == "{" and len(record) == 2:
            told = dict(record)
            if len(told) == 2 and all(
                    isinstance(told.get(key), str) and not told[key].isspace() and told[key]
                    for key in ("completion", "prompt")):
                continue
        found.append((number, 1))
    return found


def keep_by_counting(text):
    letters = others = 0
    for sign in text:
        if sign.isalpha():
            letters += 1
        elif sign.strip():
            others += 1
    return letters > 0 and letters * 2 >= others * 3


def split_with_a_mask(records, held_out):
    numbers = np.array([int(hashlib.new("sha256", record["document"].encode()).hexdigest(), 16)
                        >> 224 for record in records]) / 16**8
    return np.flatnonzero(numbers >= held_out).tolist(), np.flatnonzero(numbers < held_out).tolist()


def contaminated_run_by_run(train, test, n):
    pages = [text.lower().split() for text in train]

    def shares(words):
        return any(page[j:j + n] == words[i:i + n] for i in range(len(words) - n + 1)
                   for page in pages for j in range(len(page) - n + 1))

    return [place for place, text in enumerate(test) if shares(text.lower().split())]


def keep_by_pattern(text):
    signs = re.findall(r"\S", text)
    return bool(signs) and len(re.findall(r"[^\W\d]", text)) / len(signs) >= 0.6


def contaminated_without_stops(train, test, n):
    return contaminated_by_search(*([re.sub(r"[^\w\s]", "", text) for text in texts]
                                    for texts in (train, test)), n)


def contaminated_within_words(train, test, n):
    pages = [" ".join(text.lower().split()) for text in train]
    return [place for place, text in enumerate(test) for words in [text.lower().split()] if any(
        " ".join(words[i:i + n]) in page for i in range(len(words) - n + 1) for page in pages)]


OTHERS = {
    "candidates": [candidates_in_boxes, candidates_with_numpy],
    "faults": [faults_by_steps, faults_by_exceptions],
    "keep_text": [keep_by_counting, keep_by_category],
    "split_places": [split_with_a_mask, split_by_bytes],
    "contaminated": [contaminated_run_by_run, contaminated_by_search],
}
WRONG = {
    "keep_text": [keep_by_pattern],
    "contaminated": [contaminated_without_stops, contaminated_within_words],
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
