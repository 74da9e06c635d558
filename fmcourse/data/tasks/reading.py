"""Reading: find what is asked for in a text. A part of it by place, a year, a name, yes or no.

The right reply stands in the input, word for word, except for the two families whose labels people
gave (BoolQ's and PubMedQA's yes and no). Trained and held-out families share their units (sentence,
word) and their places (first, second, last) in other combinations.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from fmcourse.data.tasks.family import Family, Item, one_of
from fmcourse.data.tasks.material import Material, Question, Text

_KIND = "reading"


def _sentence_at(place: int) -> Callable[[random.Random, Material], Item]:
    """A maker of items that ask for one sentence of three: of two, the second is the last."""
    def make(rng: random.Random, material: Material) -> Item:
        text = material.text(rng)
        while len(text.sentences) < 3:
            text = material.text(rng)
        wanted = text.sentences[place]
        return Item({"input": text.text}, wanted, {"text": wanted}, text.document, text.source)

    return make


def _drawn(rng: random.Random, groups: Mapping[object, Sequence[Text]]) -> Text:
    """A text of a random group: frequent answers don't win by being frequent."""
    return rng.choice(groups[rng.choice(list(groups))])


def _first_word(rng: random.Random, material: Material) -> Item:
    text = _drawn(rng, material.by_opening)
    word = text.text.split()[0].rstrip(",")
    return Item({"input": text.text}, word, one_of(word), text.document, text.source)


def _last_word(rng: random.Random, material: Material) -> Item:
    text = material.sentence(rng)
    while not text.text.removesuffix(".").split()[-1].isalpha():
        text = material.sentence(rng)
    word = text.text.removesuffix(".").split()[-1]
    return Item({"input": text.text}, word, one_of(word), text.document, text.source)


def _first_words(rng: random.Random, material: Material) -> Item:
    count = rng.choice((2, 3, 4))
    text = _drawn(rng, material.by_opening)
    while len(text.text.split()) < 2 * count or "," in " ".join(text.text.split()[:count]):
        text = _drawn(rng, material.by_opening)
    words = " ".join(text.text.split()[:count])
    number = {2: "two", 3: "three", 4: "four"}[count]
    return Item({"input": text.text, "count": number}, words, one_of(words), text.document,
                text.source)


def _year(rng: random.Random, material: Material) -> Item:
    year = rng.choice(list(material.by_year))
    text = rng.choice(material.by_year[year])
    return Item({"input": text.text}, year, one_of(year), text.document, text.source)


def _number(rng: random.Random, material: Material) -> Item:
    number = rng.choice(list(material.by_number))
    text = rng.choice(material.by_number[number])
    return Item({"input": text.text}, number, one_of(number), text.document, text.source)


def _long_form(rng: random.Random, material: Material) -> Item:
    short, words = rng.choice(list(material.by_short_form))
    text = rng.choice(material.by_short_form[short, words])
    return Item({"input": text.text, "short": short}, words, one_of(words), text.document,
                text.source)


def _short_form(rng: random.Random, material: Material) -> Item:
    short, words = rng.choice(list(material.by_short_form))
    text = rng.choice(material.by_short_form[short, words])
    return Item({"input": text.text, "words": words}, short, one_of(short), text.document,
                text.source)


def _service(rng: random.Random, material: Material) -> Item:
    page = rng.choice(material.by_service[rng.choice(list(material.by_service))])
    return Item({"input": page.text}, page.service, one_of(page.service), page.document,
                page.source)


def _operation(rng: random.Random, material: Material) -> Item:
    page = rng.choice(material.by_service[rng.choice(list(material.by_service))])
    return Item({"input": page.text}, page.name, one_of(page.name), page.document, page.source)


def _asked(asked: Question) -> Item:
    return Item({"input": asked.passage, "question": asked.question}, asked.answer,
                one_of(asked.answer), asked.document, asked.source)


def _yes_no(rng: random.Random, material: Material) -> Item:
    return _asked(rng.choice(material.by_answer[rng.choice(("yes", "no"))]))


def _abstract(rng: random.Random, material: Material) -> Item:
    return _asked(rng.choice(material.abstracts))


READING = (
    Family("first_sentence", _KIND, _sentence_at(0), checker="text", phrasings=(
        "What is the first sentence of this text?\n\n{input}",
        "Copy only the first sentence.\n\n{input}",
        "{input}\n\nWrite down the first sentence of the text above and nothing else.",
        "Text: {input}\n\nHow does this text begin? Give its first sentence.",
        "Read the text and repeat its first sentence: {input}",
        "{input}\n\nWhich sentence comes first?",
    )),
    Family("second_sentence", _KIND, _sentence_at(1), checker="text", phrasings=(
        "What is the second sentence of this text?\n\n{input}",
        "Copy only the second sentence.\n\n{input}",
        "{input}\n\nWrite down the second sentence of the text above and nothing else.",
        "Text: {input}\n\nLeave out the first sentence and give me the second.",
        "Read the text and repeat its second sentence: {input}",
        "{input}\n\nWhich sentence comes second?",
    )),
    Family("last_sentence", _KIND, _sentence_at(-1), checker="text", held_out=True, phrasings=(
        "What is the last sentence of this text?\n\n{input}",
        "Copy only the last sentence.\n\n{input}",
        "{input}\n\nWrite down the last sentence of the text above and nothing else.",
        "Text: {input}\n\nHow does this text end? Give its last sentence.",
        "Read the text and repeat its last sentence: {input}",
        "{input}\n\nWhich sentence comes last?",
    )),
    Family("first_word", _KIND, _first_word, held_out=True, phrasings=(
        "What is the first word of this sentence?\n\n{input}",
        "Copy only the first word.\n\n{input}",
        "{input}\n\nWith which word does the sentence begin?",
        "Sentence: {input}\n\nGive its first word and nothing else.",
        "Read the sentence and write down its first word: {input}",
        "{input}\n\nWhich word comes first?",
    )),
    Family("last_word", _KIND, _last_word, phrasings=(
        "What is the last word of this sentence?\n\n{input}",
        "Copy only the last word.\n\n{input}",
        "{input}\n\nWith which word does the sentence end?",
        "Sentence: {input}\n\nGive its last word and nothing else.",
        "Read the sentence and write down its last word: {input}",
        "{input}\n\nWhich word comes last?",
    )),
    Family("first_words", _KIND, _first_words, phrasings=(
        "What are the first {count} words of this sentence?\n\n{input}",
        "Copy only the first {count} words.\n\n{input}",
        "{input}\n\nWith which {count} words does the sentence begin?",
        "Sentence: {input}\n\nGive its first {count} words and nothing else.",
        "Read the sentence and write down the first {count} words: {input}",
        "{input}\n\nWhich {count} words come first?",
    )),
    Family("year", _KIND, _year, chance=0.05, phrasings=(
        "Which year is named in this sentence?\n\n{input}",
        "Find the year in the text and write it down: {input}",
        "{input}\n\nWhat year does the text speak of?",
        "Sentence: {input}\n\nGive the year in it and nothing else.",
        "Read this and answer with the year that it names.\n\n{input}",
        "{input}\n\nWhich year do you read here?",
    )),
    Family("number", _KIND, _number, chance=0.05, held_out=True, phrasings=(
        "Which number is named in this sentence?\n\n{input}",
        "Find the number in the text and write it down: {input}",
        "{input}\n\nWhat number does the text speak of?",
        "Sentence: {input}\n\nGive the number in it and nothing else.",
        "Read this and answer with the number that it names.\n\n{input}",
        "{input}\n\nWhich number do you read here?",
    )),
    Family("long_form", _KIND, _long_form, chance=0.1, phrasings=(
        "What does {short} stand for in this text?\n\n{input}",
        "{input}\n\nWrite out {short} in full.",
        "Text: {input}\n\nWhich words does {short} shorten?",
        "Find the full form of {short}: {input}",
        "Give the meaning of {short}, in the words of the text.\n\n{input}",
        "{input}\n\n{short} is short for what?",
    )),
    Family("short_form", _KIND, _short_form, chance=0.1, held_out=True, phrasings=(
        "How is {words} shortened in this text?\n\n{input}",
        "{input}\n\nGive the short form of {words}.",
        "Text: {input}\n\nWhich abbreviation does it use for {words}?",
        "Find the letters that stand for {words}: {input}",
        "Give the abbreviation of {words}, as in the text.\n\n{input}",
        "{input}\n\n{words} is written how, in short?",
    )),
    Family("service_of_page", _KIND, _service, origins=("aws-docs",), chance=0.15, phrasings=(
        "Which service is this page about?\n\n{input}",
        "{input}\n\nName the service that the operation belongs to.",
        "Page: {input}\n\nGive the name of the service and nothing else.",
        "Read the documentation and write down the service's name: {input}",
        "To which service does this operation belong? {input}",
        "{input}\n\nWhat is the service called?",
    )),
    Family("operation_of_page", _KIND, _operation, origins=("aws-docs",), held_out=True, phrasings=(
        "Which operation is this page about?\n\n{input}",
        "{input}\n\nName the operation that the page describes.",
        "Page: {input}\n\nGive the name of the operation and nothing else.",
        "Read the documentation and write down the operation's name: {input}",
        "What operation is described here? {input}",
        "{input}\n\nWhat is the operation called?",
    )),
    Family("yes_no", _KIND, _yes_no, origins=("boolq",), chance=0.5, phrasings=(
        "Read the text and answer the question with yes or no.\n\n{input}\n\n{question}",
        "{question} Answer yes or no, using this text: {input}",
        "Text: {input}\n\nQuestion: {question}\n\nIs the answer yes or no?",
        "{input}\n\nYes or no: {question}",
        "Use the passage to decide. {question}\n\nPassage: {input}\n\nSay yes or no.",
        "{input}\n\nBy the text above, would you say yes or no? {question}",
    )),
    Family("medical_yes_no", _KIND, _abstract, origins=("pubmed",), chance=0.65, phrasings=(
        "These are results of a study.\n\n{input}\n\n{question} Answer yes, no or maybe.",
        "{question} Answer yes, no or maybe, by these results: {input}",
        "Results: {input}\n\nQuestion: {question}\n\nYes, no or maybe?",
        "A doctor asks: {question} Say yes, no or maybe.\n\n{input}",
        "{input}\n\nYes, no or maybe: {question}",
        "Does the study say yes, no or maybe? {question}\n\n{input}",
    )),
)
