"""Requests with a constraint on form, and replies that keep to it: made to teach format (M2).

After the training data of instruction models that have learnt form (Tülu 3, Lambert et al. 2024,
arXiv:2411.15124, section "Precise Instruction Following"): a request, and a constraint that a
program can verify. Here a program also writes the reply. A request is always "what is this text
about?", in several wordings; its reply is the text's first sentence, the plainest summary there
is, or some of its words; the constraint gives it a form.

Trade-off: texts are short, since a small model copies a short sentence far better than a long one,
and the content of replies is copied: what is learnt is form and no more. Wordings and what fills
their gaps differ from those of `evaluate.constraint_items`, and some forms that it asks for are
never taught here, to tell obedience from habit. Two controls have the same texts: without
constraints every reply is a plain sentence; with *swapped* ones the replies have every form, and
each constraint is another row's, so that forms can be learnt and obedience cannot.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
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
_KEYS = ("content", "point", "result", "gist", "reply", "what", "message", "note", "short")

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
    most = rng.randint(4, 12)
    return {"most": most}, " ".join(text.sentences[0].split()[:most])


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
        "Open with \"{word}\".", "\"{word}\" comes first, the rest after it.",
        "Before all else, write \"{word}\".", "Let it open on \"{word}\".",
        "Make \"{word}\" its opening word.", "Lead with \"{word}\".",
        "Say \"{word}\" and then go on.", "It opens with \"{word}\".", "Put \"{word}\" in front.",
        "Commence with \"{word}\".")),
    "end_phrase": (_end_phrase, (
        "Let \"{phrase}\" be its last words.", "At the very end put \"{phrase}\".",
        "Stop after saying \"{phrase}\".", "\"{phrase}\" comes last.",
        "Close on \"{phrase}\".", "It ends in \"{phrase}\".", "Round it off by \"{phrase}\".",
        "Let nothing follow \"{phrase}\".", "Put \"{phrase}\" behind it.",
        "Conclude by saying \"{phrase}\".")),
    "in_quotes": (_in_quotes, (
        "Quote it: one \" before it and one after.", "Set quotation marks (\") around it all.",
        "Wrap it in double quotes.", "It should stand between two \" signs.",
        "Use \" as its first and its last sign.", "Everything in quotation marks.",
        "As a quotation, in \"double\" marks.", "Inside \" and \", please.",
        "Double-quote it all.", "Quotation marks on both ends.")),
    "json_key": (_json_key, (
        "In JSON please; the key is \"{key}\".", "Format: a JSON object, its only key \"{key}\".",
        "Give back JSON and file it under \"{key}\".", "I need JSON with one key, \"{key}\".",
        "As JSON: {{\"{key}\": …}}.", "JSON only, \"{key}\" being the key.",
        "An object in JSON: \"{key}\" and its value.", "Make it JSON under the name \"{key}\".",
        "Write JSON. Call the key \"{key}\".", "Machine-readable, JSON, key \"{key}\".")),
    "bullets": (_bullets, (
        "{count} bullets, each a word of it.",
        "List {count} of its words, every one after a \"- \".",
        "As bullets, {count} of them.", "Bullet list, {count} words.",
        "{count} bullets, please.", "A list with {count} bullets.", "Use {count} bullets.",
        "{count} lines, a dash before each.", "Dashes in front, {count} of them.",
        "Give me {count} bullets.")),
    "commas": (_commas, (
        "{count} of its words in a row, commas between.", "A comma list of {count} words.",
        "Only {count} words, and a comma after each but the last.",
        "{count} keywords, parted by commas.",
        "{count} words, commas in between.", "{count} words of it, comma by comma.",
        "{count} terms, a comma between each.", "Give me {count} words, set apart by commas.",
        "{count} words like this: one, two.", "List {count} words, commas between.")),
    "exact_words": (_exact_words, (
        "Length: {count} words.", "Take {count} words for it, not one more or less.",
        "It should be {count} words long.", "Exactly {count} words, please.",
        "{count} words.", "No more than {count} words and no less.", "Give me {count} words.",
        "Use {count} words, I count them.", "{count} words is the length I want.",
        "Precisely {count} words.")),
    "max_words": (_max_words, (
        "Limit: {most} words.", "Stop at {most} words or before.",
        "{most} words are the most I will read.", "Up to {most} words.",
        "At {most} words I stop reading.", "{most} words or less.", "No longer than {most} words.",
        "Spend {most} words at the most.", "Keep below {most} words or just there.",
        "Maximum: {most} words.")),
    "sentences": (_sentences, (
        "{count} sentences, please.", "Length: {count} sentences.",
        "Take {count} sentences for it.", "It should be {count} sentences long.",
        "{count} sentences.", "Give me {count} sentences.", "Use {count} sentences, I count them.",
        "{count} sentences is the length I want.", "Precisely {count} sentences.",
        "Make it {count} sentences.")),
    "one_line": (_one_line, (
        "Keep to one line.", "Do not break the line.", "No line ends in it.",
        "Everything in a row, on a single line.",
        "A single line.", "No new lines.", "One row of text.", "Without a line end.",
        "Put it all in one line.", "It must fit one line.")),
    "no_commas": (_no_commas, (
        "Commas are forbidden.", "Not one comma, please.", "Write it comma-free.",
        "Leave commas out.",
        "No commas.", "Use no comma.", "Do without commas.", "Avoid commas.", "Zero commas.",
        "I do not want commas.")),
    "lower_case": (_lower_case, (
        "All in lower-case letters.", "Capitals are forbidden.", "Write it small, like this.",
        "Not one capital letter, please.",
        "No capitals.", "Use no capital letter.", "Small letters throughout.",
        "Avoid capital letters.",
        "Only small letters.", "lower case only, thanks.")),
    "title": (_title, (
        "Start with a title like <<this>>.", "Put a <<title>> on top.",
        "First line: a title in << >>.",
        "Head it with a title, << on its left and >> on its right.",
        "Give it a <<title>>.", "Title first, in << and >>.", "<<Title>> and then the text.",
        "It needs a title in << >>.", "Above it all: <<a title>>.",
        "A title, marked << >>, opens it.")),
    "postscript": (_postscript, (
        "Add a P.S. below.", "After it, a line that starts with P.S.", "Do not forget a P.S.",
        "Then write a P.S. too.",
        "With a P.S.", "P.S. included.", "Last line: P.S. and a remark.", "It needs a P.S.",
        "A P.S. closes it.", "Finish by a P.S.")),
}
CONSTRAINTS = ("kept", "swapped", "none")
_LONGEST, _LONGEST_FIRST = 250, 80  # characters of a text and of its first sentence
_TRIES = 1000  # texts drawn for a form before it is said that none lends itself


def constrained_records(rows: int = 4096, seed: int = 0, part: str = "train",
                        constraints: str = "kept") -> Dataset:
    """Conversations in which the user asks about a text and says which form the reply must have.

    Args:
        rows: conversations, an equal share for each of the forms in `FORMS`.
        seed: which texts, in which wordings.
        part: 'train', 'validation' or 'test'; they share no document.
        constraints: 'kept' by the replies; 'swapped' between the requests, so that they are not;
            or 'none', where every reply is the first sentence.

    Returns:
        Columns `messages`, `kind` (the form), `instruction`, `answer`, `parameters` (JSON: the
        form's, empty unless constraints are kept), `document`, `source` and `text`.

    Raises:
        DataError: no such part or choice of constraints, or less than one row a form.
    """
    return records_from(material(part), rows, seed, part, constraints)


def records_from(given: Material, rows: int, seed: int, part: str, constraints: str = "kept"
                 ) -> Dataset:
    """`constrained_records` from given material."""
    if rows < len(FORMS):
        raise DataError(f"{rows} rows can't be shared by {len(FORMS)} forms.",
                        where="data.constrained_records", fix=f"Ask for {len(FORMS)} or more.")
    if constraints not in CONSTRAINTS:
        raise DataError(f"Constraints cannot be {constraints!r}.", where="data.constrained_records",
                        fix=f"Use {', '.join(CONSTRAINTS)}.")
    rng = random.Random(f"{seed} {part} constrained")
    drawn = [_draw(given, rng, list(FORMS)[place % len(FORMS)]) for place in range(rows)]
    made = [_row(row, drawn[place - 1], constraints) for place, row in enumerate(drawn)]
    random.Random(seed).shuffle(made)
    used = sorted({row["source"] for row in made})
    licences = tuple(dict.fromkeys(sources.get(name).licence for name in used))
    step = {"step": "constraints", "kept": len(made), "dropped": 0,
            "note": f"{constraints}; {len(FORMS)} forms, {part}, seed {seed}"}
    return with_card(Dataset.from_list(made), Card(
        "constrained", {name: sources.get(name).sha256 for name in used}, licences,
        tuple(dict.fromkeys(sources.get(name).attribution for name in used)), (step,)))


def _draw(given: Material, rng: random.Random, kind: str) -> dict[str, Any]:
    """A text, a request, a constraint, and the reply that keeps it."""
    text, parameters, answer = _drawn(given, rng, kind)
    return {"kind": kind, "text": text, "parameters": parameters, "answer": answer,
            "request": rng.choice(REQUESTS), "first": rng.random() < 0.5,
            "said": rng.choice(FORMS[kind][1]).format(**parameters)}


def _row(row: dict[str, Any], other: dict[str, Any], constraints: str) -> dict[str, Any]:
    """A row of the data set; the other row, which has another form, lends its constraint."""
    text, answer, said = row["text"], row["answer"], row["said"]
    if constraints == "none":
        answer, said = text.sentences[0], ""
    elif constraints == "swapped":
        said = other["said"]
    shown = "\n".join(text.sentences) if row["kind"] == "one_line" else text.text
    asked = f"{row['request']} {said}".strip()
    instruction = f"{asked}\n\n{shown}" if row["first"] else f"{shown}\n\n{asked}"
    parameters = row["parameters"] if constraints == "kept" else {}
    return {"messages": conversation(instruction, answer), "kind": row["kind"],
            "instruction": instruction, "answer": answer,
            "parameters": json.dumps(parameters), "text": f"{instruction}\n\n{answer}",
            "document": text.document, "source": text.source}


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
