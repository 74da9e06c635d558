"""Lists: pick an item, change the list, or write it in another form.

The items are telling words of one real text, in random order. Lists come as commas, bullets or
numbers, so that a model has read each form before it is asked to write one: numbers and JSON are
never written in training.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

from fmcourse.data.tasks.family import Family, Item, one_of
from fmcourse.data.tasks.material import Material

_KIND = "lists"
_MARKS = ("commas", "bullets", "numbers")


def written(items: Sequence[str], marks: str) -> str:
    """A list in one of three forms.

    >>> written(["tea", "salt"], "numbers")
    '1. tea\\n2. salt'
    """
    if marks == "commas":
        return ", ".join(items)
    return "\n".join(f"- {item}" if marks == "bullets" else f"{n}. {item}"
                     for n, item in enumerate(items, 1))


def _item_at(place: int) -> Callable[[random.Random, Material], Item]:
    """A maker of items that ask for one item of a list."""
    def make(rng: random.Random, material: Material) -> Item:
        words, text = material.words(rng, rng.choice((3, 4, 5)))
        wanted = words[place]
        return Item({"input": written(words, rng.choice(_MARKS))}, wanted, one_of(wanted),
                    text.document, text.source)

    return make


def _rewritten(given: Sequence[str], wanted: str) -> Callable[[random.Random, Material], Item]:
    """A maker of items that ask for a list in another form."""
    def make(rng: random.Random, material: Material) -> Item:
        words, text = material.words(rng, rng.choice((3, 4)))
        return Item({"input": written(words, rng.choice(given))}, written(words, wanted),
                    {"items": words, "marks": wanted}, text.document, text.source)

    return make


def _json(rng: random.Random, material: Material) -> Item:
    words, text = material.words(rng, rng.choice((2, 3, 4)))
    return Item({"input": written(words, rng.choice(_MARKS))}, json.dumps(words),
                {"items": words}, text.document, text.source)


def _changed(rng: random.Random, material: Material, size: int,
             change: Callable[[list[str], str], list[str]]) -> Item:
    """A list of `size` words, another word (the last drawn), and what the change makes of both."""
    words, text = material.words(rng, size + 1)
    given, other = words[:-1], words[-1]
    wanted = change(given, other)
    return Item({"input": written(given, "commas"), "item": other}, written(wanted, "commas"),
                {"items": wanted, "marks": "commas"}, text.document, text.source)


def _added(rng: random.Random, material: Material) -> Item:
    return _changed(rng, material, rng.choice((2, 3, 4)), lambda words, item: [*words, item])


def _reversed(rng: random.Random, material: Material) -> Item:
    return _changed(rng, material, rng.choice((3, 4)), lambda words, item: words[::-1])


def _removed(rng: random.Random, material: Material) -> Item:
    words, text = material.words(rng, rng.choice((3, 4, 5)))
    gone = rng.choice(words)
    wanted = [word for word in words if word != gone]
    return Item({"input": written(words, "commas"), "item": gone}, written(wanted, "commas"),
                {"items": wanted, "marks": "commas"}, text.document, text.source)


def _count(rng: random.Random, material: Material) -> Item:
    words, text = material.words(rng, rng.choice((2, 3, 4, 5)))
    count, name = str(len(words)), {2: "two", 3: "three", 4: "four", 5: "five"}[len(words)]
    return Item({"input": written(words, rng.choice(("commas", "bullets")))}, count,
                {"accepted": [count, name]}, text.document, text.source)


LISTS = (
    Family("first_item", _KIND, _item_at(0), phrasings=(
        "What is the first item of this list?\n\n{input}",
        "Copy only the first item.\n\n{input}",
        "{input}\n\nWhich item of the list comes first?",
        "List:\n{input}\n\nGive its first item and nothing else.",
        "Read the list and write down its first item.\n\n{input}",
        "{input}\n\nWith which item does the list begin?",
    )),
    Family("second_item", _KIND, _item_at(1), held_out=True, phrasings=(
        "What is the second item of this list?\n\n{input}",
        "Copy only the second item.\n\n{input}",
        "{input}\n\nWhich item of the list comes second?",
        "List:\n{input}\n\nGive its second item and nothing else.",
        "Read the list and write down its second item.\n\n{input}",
        "{input}\n\nWhich item follows the first one?",
    )),
    Family("last_item", _KIND, _item_at(-1), phrasings=(
        "What is the last item of this list?\n\n{input}",
        "Copy only the last item.\n\n{input}",
        "{input}\n\nWhich item of the list comes last?",
        "List:\n{input}\n\nGive its last item and nothing else.",
        "Read the list and write down its last item.\n\n{input}",
        "{input}\n\nWith which item does the list end?",
    )),
    Family("bullets", _KIND, _rewritten(("commas", "numbers"), "bullets"), checker="listed",
           phrasings=(
        "Write this list with bullets, one item a line.\n\n{input}",
        "{input}\n\nTurn this into a list with a dash before each item.",
        "Put each item on a line of its own that begins with \"- \": {input}",
        "Make a bullet list of these.\n\n{input}",
        "List:\n{input}\n\nWrite it again as bullet points.",
        "{input}\n\nI need these as bullets, please.",
    )),
    Family("numbers", _KIND, _rewritten(("commas", "bullets"), "numbers"), checker="listed",
           held_out=True, phrasings=(
        "Write this list with numbers, one item a line.\n\n{input}",
        "{input}\n\nTurn this into a list with a number before each item, like \"1. \".",
        "Put each item on a line of its own that begins with \"1. \", \"2. \" and so on: {input}",
        "Make a numbered list of these.\n\n{input}",
        "List:\n{input}\n\nWrite it again as a numbered list.",
        "{input}\n\nI need these with numbers, please.",
    )),
    Family("commas", _KIND, _rewritten(("bullets", "numbers"), "commas"), checker="listed",
           phrasings=(
        "Write this list on one line, with commas.\n\n{input}",
        "{input}\n\nTurn this into one line with a comma between the items.",
        "Put all items on one line, separated by commas.\n\n{input}",
        "Join these with commas.\n\n{input}",
        "List:\n{input}\n\nWrite it again in one line with commas.",
        "{input}\n\nI need these with commas between them, please.",
    )),
    Family("json_list", _KIND, _json, checker="json_list", held_out=True, phrasings=(
        "Write this list as a JSON array of strings.\n\n{input}",
        "{input}\n\nTurn this into JSON: an array with each item in quotes.",
        "Put the items in square brackets, each in double quotes, separated by commas.\n\n{input}",
        "Make a JSON list of these.\n\n{input}",
        "List:\n{input}\n\nWrite it again as a JSON array.",
        "{input}\n\nI need these as an array in JSON, please.",
    )),
    Family("remove_item", _KIND, _removed, checker="listed", phrasings=(
        "Remove \"{item}\" from this list: {input}",
        "{input}\n\nWrite the list again without \"{item}\".",
        "Take \"{item}\" out of the list and write down the rest, with commas.\n\n{input}",
        "List: {input}\n\nDelete the item \"{item}\".",
        "Leave out {item} and copy the other items: {input}",
        "{input}\n\nEverything but \"{item}\", please.",
    )),
    Family("add_item", _KIND, _added, checker="listed", held_out=True, phrasings=(
        "Add \"{item}\" to the end of this list: {input}",
        "{input}\n\nWrite the list again with \"{item}\" as its last item.",
        "Put \"{item}\" after the last item and write down the whole list, with commas.\n\n{input}",
        "List: {input}\n\nAppend the item \"{item}\".",
        "Copy the items and then write {item}: {input}",
        "{input}\n\nAll of these and then \"{item}\", please.",
    )),
    Family("reverse", _KIND, _reversed, checker="listed", phrasings=(
        "Write this list in reverse order: {input}",
        "{input}\n\nTurn the order of the list round, from last to first.",
        "Begin with the last item and end with the first, with commas.\n\n{input}",
        "List: {input}\n\nReverse it.",
        "Copy the items backwards, the last one first: {input}",
        "{input}\n\nThe same list from its end to its beginning, please.",
    )),
    Family("count_items", _KIND, _count, chance=0.3, phrasings=(
        "How many items are in this list?\n\n{input}",
        "Count the items.\n\n{input}",
        "{input}\n\nHow long is the list? Answer with a number.",
        "List:\n{input}\n\nGive the number of items and nothing else.",
        "Read the list and write down how many items it has.\n\n{input}",
        "{input}\n\nWhat is the number of items above?",
    )),
)
