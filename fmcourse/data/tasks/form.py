"""Form: write the input again, as it is but for one thing that the instruction asks for.

The input is a few words or a sentence of a real text. Here form is what is graded, so each
character of a reply counts. Capital letters are expected to be beyond a model that reads
tokens, not letters.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from fmcourse.data.tasks.family import Family, Item
from fmcourse.data.tasks.material import Material, Text

_KIND = "form"
_PLAIN = re.compile(r"[A-Za-z]+(?: [A-Za-z]+)+")
_OPENINGS = ("Answer:", "Here it is:", "The text says:", "Note:", "I read:", "Result:",
             "As you asked:", "Quote:")
_ENDINGS = ("That is all.", "Over.", "End of text.", "Thank you.", "Done.", "So it is written.",
            "I have finished.", "Nothing more.")


def phrase(rng: random.Random, material: Material) -> tuple[str, Text]:
    """Two to four words in a row out of a sentence, with no mark between them."""
    text = material.sentence(rng)
    while not (found := _PLAIN.findall(text.text)):
        text = material.sentence(rng)
    words = rng.choice(found).split()
    count = min(rng.choice((2, 3, 4)), len(words))
    begin = rng.randrange(len(words) - count + 1)
    return " ".join(words[begin:begin + count]), text


def _wrapped(left: str, right: str) -> Callable[[random.Random, Material], Item]:
    def make(rng: random.Random, material: Material) -> Item:
        words, text = phrase(rng, material)
        wanted = f"{left}{words}{right}"
        return Item({"input": words}, wanted, {"text": wanted}, text.document, text.source)

    return make


def _again(times: int) -> Callable[[random.Random, Material], Item]:
    def make(rng: random.Random, material: Material) -> Item:
        words, text = phrase(rng, material)
        return Item({"input": words}, " ".join([words] * times), {"text": words, "times": times},
                    text.document, text.source)

    return make


def _joined(phrases: Sequence[str], before: bool) -> Callable[[random.Random, Material], Item]:
    def make(rng: random.Random, material: Material) -> Item:
        text, said = material.sentence(rng), rng.choice(phrases)
        wanted = f"{said} {text.text}" if before else f"{text.text} {said}"
        return Item({"input": text.text, "said": said}, wanted, {"text": wanted}, text.document,
                    text.source)

    return make


def _replaced(rng: random.Random, material: Material) -> Item:
    text = material.sentence(rng)
    while not (able := [word for word in text.words if text.text.count(word) == 1]):
        text = material.sentence(rng)
    old = rng.choice(able)
    new = material.words(rng, 1)[0][0]
    while new in text.text:
        new = material.words(rng, 1)[0][0]
    wanted = text.text.replace(old, new)
    return Item({"input": text.text, "old": old, "new": new}, wanted, {"text": wanted},
                text.document, text.source)


def _capitals(rng: random.Random, material: Material) -> Item:
    (word,), text = material.words(rng, 1)
    return Item({"input": word}, word.upper(), {"text": word.upper()}, text.document, text.source)


FORM = (
    Family("in_quotes", _KIND, _wrapped('"', '"'), checker="exactly", phrasings=(
        "Put these words in double quotes: {input}",
        "{input}\n\nWrite the words above between double quotation marks.",
        "Repeat this with a \" before it and a \" after it.\n\n{input}",
        "Words: {input}\n\nWrite them in quotation marks.",
        "Set quotation marks (\") round the following: {input}",
        "{input}\n\nThe same in double quotes, please.",
    )),
    Family("in_brackets", _KIND, _wrapped("[", "]"), checker="exactly", held_out=True, phrasings=(
        "Put these words in square brackets: {input}",
        "{input}\n\nWrite the words above between the brackets [ and ].",
        "Repeat this with a [ before it and a ] after it.\n\n{input}",
        "Words: {input}\n\nWrite them in square brackets.",
        "Set square brackets ([ and ]) round the following: {input}",
        "{input}\n\nThe same in square brackets, please.",
    )),
    Family("begin_with", _KIND, _joined(_OPENINGS, before=True), checker="exactly", phrasings=(
        "Begin with \"{said}\" and then copy this sentence.\n\n{input}",
        "{input}\n\nWrite the sentence again, with \"{said}\" in front of it.",
        "Copy the sentence, but first write \"{said}\"\n\nSentence: {input}",
        "Your reply must begin with \"{said}\" and go on with this sentence: {input}",
        "Put \"{said}\" before the sentence below.\n\n{input}",
        "{input}\n\nRepeat that. Start with \"{said}\"",
    )),
    Family("end_with", _KIND, _joined(_ENDINGS, before=False), checker="exactly", held_out=True,
           phrasings=(
        "Copy this sentence and end with \"{said}\"\n\n{input}",
        "{input}\n\nWrite the sentence again, with \"{said}\" behind it.",
        "Copy the sentence, and then write \"{said}\"\n\nSentence: {input}",
        "Your reply must begin with this sentence and end with \"{said}\": {input}",
        "Put \"{said}\" after the sentence below.\n\n{input}",
        "{input}\n\nRepeat that. Finish with \"{said}\"",
    )),
    Family("twice", _KIND, _again(2), checker="repeated", phrasings=(
        "Write these words twice: {input}",
        "{input}\n\nRepeat the words above two times.",
        "Say this twice.\n\n{input}",
        "Words: {input}\n\nWrite them two times, one after the other.",
        "Copy the following two times: {input}",
        "{input}\n\nTwice, please.",
    )),
    Family("three_times", _KIND, _again(3), checker="repeated", held_out=True, phrasings=(
        "Write these words three times: {input}",
        "{input}\n\nRepeat the words above three times.",
        "Say this three times.\n\n{input}",
        "Words: {input}\n\nWrite them three times, one after the other.",
        "Copy the following three times: {input}",
        "{input}\n\nThree times, please.",
    )),
    Family("replace_word", _KIND, _replaced, checker="text", phrasings=(
        "Replace \"{old}\" with \"{new}\" in this sentence: {input}",
        "{input}\n\nWrite the sentence again with \"{new}\" instead of \"{old}\".",
        "Copy the sentence, but change the word \"{old}\" to \"{new}\".\n\n{input}",
        "Sentence: {input}\n\nPut {new} in the place of {old}.",
        "Use \"{new}\" where the sentence says \"{old}\": {input}",
        "{input}\n\nThe same with {new} for {old}, please.",
    )),
    Family("capitals", _KIND, _capitals, checker="exactly", hard=True, phrasings=(
        "Write this word in capital letters: {input}",
        "{input}\n\nWrite the word above in upper case.",
        "Word: {input}\n\nUse capital letters only.",
        "Change every letter to a capital letter: {input}",
        "Put the following word in capitals.\n\n{input}",
        "{input}\n\nAll in capitals, please.",
    )),
)
