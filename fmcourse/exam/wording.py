"""How items are worded: grammar that rules options out, and items that ask the same twice.

Both are rough on purpose. The check of grammar knows articles, number and the form in which options
begin and end; it finds what a reader would stumble over, not what a grammarian would. Doubles are
told by the words that stem and key share, cut to five letters as in `giveaways`: two items that
ask the same in other words are left for a reader to find.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations

from fmcourse.exam import item as items
from fmcourse.exam.giveaways import words
from fmcourse.exam.item import Item
from fmcourse.exam.reading import last_sentence

ALIKE = 0.33  # of all content words of two items' stems and keys, so much is shared at most
SPELT = re.compile(r"[A-Z][A-Z0-9]")  # an acronym: read by letters, unless it is known as a word
READ_AS_WORDS = ("LoRA", "NIST", "RAG", "RAM", "ROUGE", "SHA")
ARTICLE = re.compile(r"\b([Aa]n?) [`“\"(]*([A-Za-z][\w-]*)")
PREPOSITIONS = {"at", "by", "for", "from", "in", "into", "of", "on", "through", "with", "without"}
NO_VERBS = {"nothing", "training", "tuning", "string", "prompting", "checking", "reading",
            "pre-training", "fine-tuning", "oversampling", "undersampling", "masking", "indexing",
            "clustering", "overfitting", "underfitting", "pruning", "during", "something"}


def faults(item: Item) -> list[str]:
    """What is wrong with an item's grammar, in sentences; empty where nothing is seen.

    The options of a question are held against each other: one that ends or begins in a form that
    no other has is chosen, or ruled out, without reading it.
    """
    texts = [*item.options.values()]
    found = [f"'{fault}': the article does not agree."
             for text in (item.stem, *texts, *item.prompts.values()) for fault in _articles(text)]
    last = re.search(r"\b(an?)[?.:…]*$", item.stem)
    if last:
        found += [f"The stem's '{last[1]}' does not agree with '{text}'."
                  for text in texts if _articles(f"{last[1]} {text[0].lower()}{text[1:]}")]
    if len({text.endswith(".") for text in texts}) > 1:
        found.append("Some options end with a full stop, and some do not.")
    if item.type in (items.CHOICE, items.RESPONSE):
        found += _number(item) + _forms(item)
    return found


def _articles(text: str) -> list[str]:
    """Articles that don't agree with the sound of the next word.

    >>> _articles("A hour of an model, a unit, an SQL query and a LoRA adapter")
    ['A hour', 'an model']
    """
    return [f"{article} {word}" for article, word in ARTICLE.findall(text)
            if (article.lower() == "an") != _sounds_open(word) and len(word) > 1]


def _sounds_open(word: str) -> bool:
    if SPELT.match(word) and not word.startswith(READ_AS_WORDS):
        return word[0] in "AEFHILMNORSX"
    return bool(re.match(r"(?!uni(?!n)|us[aei]|eu|one\b|once|ut[io])[aeiou]|hour|honest|heir",
                         word, re.I))


def _number(item: Item) -> list[str]:
    """A question about one thing that asks for several, or the other way round."""
    found = re.search(r"\bwhich (?:of (?:these|the) )?(\w+) "
                      r"(is|are|do|does|has|have|was|were|fits?|holds?)\b",
                      last_sentence(item.stem), re.I)
    if not found:
        return []
    several = found[1].endswith("s")
    if item.type == items.CHOICE and several and not found[2].endswith("s"):
        return [f"'{found[0]}' asks for several, and one is right."]
    if item.type == items.RESPONSE and not several:
        return [f"'{found[0]}' asks for one, and several are right."]
    return []


def form(text: str) -> str:
    """The form that an option begins in: a participle, an infinitive, a preposition, or another.

    >>> [form(text) for text in ("Mixing data", "To mix data", "By a mixture", "A mixture")]
    ['-ing', 'to', 'preposition', 'other']
    """
    first = text.split()[0].lower().strip("`“\"',;:.")
    if first in PREPOSITIONS:
        return "preposition"
    if first == "to":
        return "to"
    return "-ing" if re.fullmatch(r"[a-z-]{2,}ing", first) and first not in NO_VERBS else "other"


def _forms(item: Item) -> list[str]:
    """Options of which one alone begins in its form, while the others share one; not sentences."""
    if all(text.endswith(".") for text in item.options.values()):
        return []
    forms = {name: form(text) for name, text in item.options.items()}
    single = [name for name in forms if [*forms.values()].count(forms[name]) == 1]
    rest = {forms[name] for name in forms if name not in single}
    return [f"'{item.options[name]}' begins in a form that no other option has."
            for name in single if len(single) == 1 and len(rest) == 1]


def alike(bank: Iterable[Item], least: float = ALIKE) -> list[tuple[float, Item, Item]]:
    """Pairs of items that share so much of their stems' and keys' words (Jaccard), most first."""
    told = [(item, words(f"{item.stem} {key_text(item)}")) for item in bank]
    found = [(len(one & other) / len(one | other), first, second)
             for (first, one), (second, other) in combinations(told, 2)]
    return sorted((pair for pair in found if pair[0] > least), key=lambda pair: -pair[0])


def key_text(item: Item) -> str:
    """What the key says, prompts included."""
    said: Sequence[str] = [item.options[name] for name in dict.fromkeys(item.key)]
    return " ".join([*item.prompts.values(), *said])
