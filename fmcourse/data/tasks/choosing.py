"""Choosing: the instruction names the options, and the text decides between them.

A model that picks any of the options is right as often as `chance` says: read these scores against
it. Options stand in random order, so that none wins by its place.
"""

from __future__ import annotations

import random

from fmcourse.data.tasks.family import TEXTS, Family, Item, one_of
from fmcourse.data.tasks.material import ORIGINS, Material

_KIND = "choosing"


def _origin(rng: random.Random, material: Material) -> Item:
    options = sorted(set(ORIGINS.values()))
    origin = rng.choice(options)
    text = rng.choice(material.texts[origin])
    rng.shuffle(options)
    return Item({"input": text.text, "options": f"{', '.join(options[:-1])} or {options[-1]}"},
                origin, one_of(origin), text.document, text.source)


def _service(rng: random.Random, material: Material) -> Item:
    services = list(material.by_service)
    page = rng.choice(material.by_service[rng.choice(services)])
    other = rng.choice(services)
    while other in page.text or page.service in other:
        other = rng.choice(services)
    first, second = rng.sample((page.service, other), 2)
    return Item({"input": page.text, "first": first, "second": second}, page.service,
                one_of(page.service), page.document, page.source)


def _strange(rng: random.Random, material: Material, text: str) -> str:
    """A word of another text that doesn't stand in this one."""
    while (word := material.words(rng, 1)[0][0]) in text:
        pass
    return word


def _occurs(rng: random.Random, material: Material) -> Item:
    (word,), text = material.words(rng, 1)
    wanted = rng.choice(("yes", "no"))
    asked = word if wanted == "yes" else _strange(rng, material, text.text)
    return Item({"input": text.text, "word": asked}, wanted, one_of(wanted), text.document,
                text.source)


def _which(rng: random.Random, material: Material) -> Item:
    (word,), text = material.words(rng, 1)
    first, second = rng.sample((word, _strange(rng, material, text.text)), 2)
    return Item({"input": text.text, "first": first, "second": second}, word, one_of(word),
                text.document, text.source)


CHOOSING = (
    Family("origin", _KIND, _origin, origins=(*TEXTS, "pubmed"), chance=0.25, phrasings=(
        "Which label fits this text: {options}?\n\n{input}",
        "{input}\n\nWhat kind of text is this: {options}?",
        "Choose one label, {options}, for this text.\n\n{input}",
        "Text: {input}\n\nLabels: {options}\n\nWhich is the right label?",
        "Sort this text under {options}: {input}",
        "{input}\n\nWould you file it under {options}?",
    )),
    Family("service_choice", _KIND, _service, origins=("aws-docs",), chance=0.5, phrasings=(
        "Is this page about {first} or {second}?\n\n{input}",
        "{input}\n\nWhich service is meant, {first} or {second}?",
        "Choose the service that the page describes: {first} or {second}.\n\n{input}",
        "Page: {input}\n\nDoes it belong to {first} or to {second}?",
        "{first} or {second}? Read the page and decide: {input}",
        "{input}\n\nOf {first} and {second}, which one is it?",
    )),
    Family("word_occurs", _KIND, _occurs, chance=0.5, phrasings=(
        "Does the word \"{word}\" occur in this text? Answer yes or no.\n\n{input}",
        "{input}\n\nIs \"{word}\" one of the words above? Answer yes or no.",
        "Look for the word \"{word}\" in the text, and say yes if you find it, no if not: {input}",
        "Text: {input}\n\nYes or no: the text has the word \"{word}\".",
        "Say yes or no. Can you read \"{word}\" in this text?\n\n{input}",
        "{input}\n\nHave you read the word \"{word}\", yes or no?",
    )),
    Family("which_word", _KIND, _which, chance=0.5, held_out=True, phrasings=(
        "Which of the words \"{first}\" and \"{second}\" occurs in this text?\n\n{input}",
        "{input}\n\nWhich is one of the words above, \"{first}\" or \"{second}\"?",
        "Look for \"{first}\" and \"{second}\" in the text, and write the one you find: {input}",
        "Text: {input}\n\nDoes the text have the word {first} or the word {second}?",
        "{first} or {second}? Choose the word that you can read in this text.\n\n{input}",
        "{input}\n\nOf {first} and {second}, which word have you read?",
    )),
)
