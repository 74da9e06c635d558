"""Requests with a constraint on form, and replies that keep to it: made to teach format (M2).

After the training data of instruction models that have learnt form (Tülu 3, Lambert et al. 2024,
arXiv:2411.15124, section "Precise Instruction Following"): a request, and a constraint that a
program can verify. Here a program also writes the reply. A request is always "what is this text
about?", in several wordings; its reply is the text's first sentence, the plainest summary there
is, or a few of its telling words; the constraint gives it a form.

Trade-off: texts are short, since a small model copies a short sentence far better than a long one,
and the content of replies is copied: what is learnt is form and no more. Eight forms that
`evaluate.constraint_items` asks for are never taught here, to tell obedience from habit.
`constrained=False` is the control: the same texts, requests and sentences, with no constraint.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from datasets import Dataset

from fmcourse import sources
from fmcourse.data.card import Card, with_card
from fmcourse.data.chat import conversation
from fmcourse.data.tasks.material import Material, Text, material
from fmcourse.errors import DataError

REQUESTS = (
    "Say what this text tells.", "What happens in this text?", "Tell me what is written here.",
    "What does this text say?", "Give the main point of this text.", "What is the text about?",
    "Retell the text.", "Put this text in short.",
)
_WORDS = ("Indeed", "First", "Today", "Once", "Briefly", "Remember", "Now", "So", "Clearly",
          "Surely", "Hence", "True", "Mostly", "Again")
_PHRASES = ("that is all", "as it is written", "so they say", "and nothing more", "in short",
            "if I read well", "for the time being", "that much is sure", "to be exact")
_KEYS = ("summary", "content", "point", "result", "gist", "reply", "what", "message", "text")

# A form draws its gap's filling and forms the reply; None where the text does not lend itself.
Made = tuple[dict[str, Any], str] | None


def _begin_word(rng: random.Random, text: Text) -> Made:
    word = rng.choice(_WORDS)
    return {"word": word}, f"{word}: {text.sentences[0]}"


def _end_phrase(rng: random.Random, text: Text) -> Made:
    phrase = rng.choice(_PHRASES)
    return {"phrase": phrase}, f"{text.sentences[0][:-1]}, {phrase}."


def _in_quotes(rng: random.Random, text: Text) -> Made:
    return None if '"' in text.sentences[0] else ({}, f'"{text.sentences[0]}"')


def _json_key(rng: random.Random, text: Text) -> Made:
    key = rng.choice(_KEYS)
    return {"key": key}, json.dumps({key: text.sentences[0]}, ensure_ascii=False)


def _bullets(rng: random.Random, text: Text) -> Made:
    return _listed(rng, text, "\n", "- ")


def _commas(rng: random.Random, text: Text) -> Made:
    return _listed(rng, text, ", ", "")


def _listed(rng: random.Random, text: Text, between: str, before: str) -> Made:
    count = rng.randint(2, 5)
    if len(text.words) < count:
        return None
    return {"count": count}, between.join(f"{before}{word}" for word in text.words[:count])


def _exact_words(rng: random.Random, text: Text) -> Made:
    count = rng.randint(3, 6)
    found = text.sentences[0].split()
    if len(found) <= count or not " ".join(found[:count]).replace(" ", "").isalpha():
        return None
    return {"count": count}, " ".join(found[:count])


def _max_words(rng: random.Random, text: Text) -> Made:
    size = len(text.sentences[0].split())
    return ({"most": size + rng.randint(0, 2)}, text.sentences[0]) if size <= 15 else None


def _sentences(rng: random.Random, text: Text) -> Made:
    if len(text.sentences) < 3:
        return None
    count = rng.randint(2, 3)
    return {"count": count}, " ".join(text.sentences[:count])


def _one_line(rng: random.Random, text: Text) -> Made:
    return {}, " ".join(text.sentences[:2])


def _no_commas(rng: random.Random, text: Text) -> Made:
    return ({}, text.sentences[0].replace(",", "")) if "," in text.sentences[0] else None


def _lower_case(rng: random.Random, text: Text) -> Made:
    return {}, text.sentences[0].lower()


def _title(rng: random.Random, text: Text) -> Made:
    if len(text.words) < 2:
        return None
    return {}, f"<<{' and '.join(text.words[:2])}>>\n{text.sentences[0]}"


def _postscript(rng: random.Random, text: Text) -> Made:
    return {}, f"{text.sentences[0]}\nP.S. {text.sentences[1]}"


FORMS: dict[str, tuple[Callable[[random.Random, Text], Made], tuple[str, ...]]] = {
    "begin_word": (_begin_word, (
        "Begin with the word \"{word}\".", "Your first word must be \"{word}\".",
        "Start with \"{word}\".", "Let \"{word}\" be the word that your reply begins with.")),
    "end_phrase": (_end_phrase, (
        "End with the words \"{phrase}\".", "Your last words must be \"{phrase}\".",
        "Finish with \"{phrase}\".", "Close with \"{phrase}\" and write nothing after it.")),
    "in_quotes": (_in_quotes, (
        "Put your reply in double quotation marks.", "Write it between double quotes.",
        "Begin and end with a double quotation mark.", "All of it must stand in quotes (\").")),
    "json_key": (_json_key, (
        "Reply with a JSON object that has the key \"{key}\".", "Answer in JSON, under \"{key}\".",
        "As a JSON object with the key \"{key}\" and nothing else.",
        "Use JSON, with \"{key}\" as the key.")),
    "bullets": (_bullets, (
        "Name {count} words of it as bullet points.", "Make a bullet list with {count} items.",
        "In {count} bullet points, please.",
        "{count} points, each on a line that begins with \"- \".")),
    "commas": (_commas, (
        "Name {count} words of it, separated by commas.", "{count} words with commas between them.",
        "Reply with {count} telling words on one line, with commas.",
        "Only {count} words, a comma after each but the last.")),
    "exact_words": (_exact_words, (
        "Use exactly {count} words.", "In {count} words, neither more nor fewer.",
        "Your reply must have {count} words.", "Write {count} words and no more.")),
    "max_words": (_max_words, (
        "Use at most {most} words.", "No more than {most} words.",
        "Your reply must not be longer than {most} words.", "Keep to {most} words or fewer.")),
    "sentences": (_sentences, (
        "Use exactly {count} sentences.", "In {count} sentences, no more and no fewer.",
        "Your reply must have {count} sentences.", "Write {count} sentences.")),
    "one_line": (_one_line, (
        "On one line.", "Without line breaks.", "In a single paragraph.",
        "All on one line, please.")),
    "no_commas": (_no_commas, (
        "Do not use a comma.", "Without commas.", "There must be no commas in it.",
        "Leave out all commas.")),
    "lower_case": (_lower_case, (
        "Use small letters only.", "In lower case.", "No capital letters are allowed.",
        "Write every letter in lower case.")),
    "title": (_title, (
        "Give it a title between << and >>.", "Above it write a title in << and >>.",
        "With a title in double angle brackets, << and >>.",
        "Put << before and >> after a title, and the text below.")),
    "postscript": (_postscript, (
        "Add a postscript that begins with \"P.S.\".", "Close with one more remark after \"P.S.\".",
        "Let a postscript, marked P.S., follow.", "With a P.S. at the end.")),
}
_LONGEST, _LONGEST_FIRST = 250, 80  # characters of a text and of its first sentence
_TRIES = 1000  # texts drawn for a form before it is said that none lends itself


def constrained_records(rows: int = 4096, seed: int = 0, part: str = "train",
                        constrained: bool = True) -> Dataset:
    """Conversations in which the user asks about a text and says which form the reply must have.

    Args:
        rows: conversations, an equal share for each of the forms in `FORMS`.
        seed: which texts, in which wordings.
        part: 'train', 'validation' or 'test'; they share no document.
        constrained: False leaves the constraint out and lets every reply be the first sentence.

    Returns:
        Columns `messages`, `kind` (the form), `instruction`, `answer`, `parameters` (JSON: the
        form's, empty without constraint), `document`, `source` and `text`.

    Raises:
        DataError: no such part, or less than one row a form.
    """
    return records_from(material(part), rows, seed, part, constrained)


def records_from(given: Material, rows: int, seed: int, part: str, constrained: bool = True
                 ) -> Dataset:
    """`constrained_records` from given material."""
    if rows < len(FORMS):
        raise DataError(f"{rows} rows can't be shared by {len(FORMS)} forms.",
                        where="data.constrained_records", fix=f"Ask for {len(FORMS)} or more.")
    made = list(_rows(given, rows, random.Random(f"{seed} {part} constrained"), constrained))
    random.Random(seed).shuffle(made)
    used = sorted({row["source"] for row in made})
    licences = tuple(dict.fromkeys(sources.get(name).licence for name in used))
    step = {"step": "constraints", "kept": len(made), "dropped": 0,
            "note": f"{len(FORMS)} forms, {part}, seed {seed}" if constrained else "no constraint"}
    return with_card(Dataset.from_list(made), Card(
        "constrained", {name: sources.get(name).sha256 for name in used}, licences,
        tuple(dict.fromkeys(sources.get(name).attribution for name in used)), (step,)))


def _rows(given: Material, rows: int, rng: random.Random, constrained: bool
          ) -> Iterator[dict[str, Any]]:
    """The forms in turn; with and without constraint the same texts and wordings are drawn."""
    for place in range(rows):
        kind = list(FORMS)[place % len(FORMS)]
        text, parameters, answer = _drawn(given, rng, kind)
        request, said = rng.choice(REQUESTS), rng.choice(FORMS[kind][1]).format(**parameters)
        first, shown = rng.random() < 0.5, text.text
        if kind == "one_line":
            shown = "\n".join(text.sentences)
        if not constrained:
            said, parameters, answer = "", {}, text.sentences[0]
        asked = f"{request} {said}".strip()
        instruction = f"{asked}\n\n{shown}" if first else f"{shown}\n\n{asked}"
        yield {"messages": conversation(instruction, answer), "kind": kind,
               "instruction": instruction, "answer": answer,
               "parameters": json.dumps(parameters), "document": text.document,
               "source": text.source, "text": f"{instruction}\n\n{answer}"}


def _drawn(given: Material, rng: random.Random, kind: str) -> tuple[Text, dict[str, Any], str]:
    """A text that lends itself to the form, what fills the form's gaps, and the reply."""
    for _ in range(_TRIES):
        text = given.text(rng)
        if len(text.text) > _LONGEST or len(text.sentences[0]) > _LONGEST_FIRST:
            continue
        if (made := FORMS[kind][0](rng, text)) is not None:
            return text, *made
    raise DataError(f"None of {_TRIES} texts lends itself to {kind!r}.",
                    where="data.constrained_records", fix="Give other texts.")
