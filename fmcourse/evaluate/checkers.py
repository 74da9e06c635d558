"""Strict checks of replies to instructions, by name and parameters: no model judges another.

Each checker reads one reply, whole: everything the model wrote until it ended its text or ran out
of tokens. A right answer followed by further text is no fulfilment of "write nothing else", and a
model that never stops hasn't followed. Tolerated: white space and quotation marks around the
reply, the case of an answer, a full stop at its end, a code fence round JSON.

Trade-off: strictness. A person would forgive "Sure! Green." to "one word only"; here it fails, and
rates are lower than people would give. In return the check cannot be charmed: echoes of the
prompt, repetition and empty replies earn nothing (`tests/evaluate/test_instructions.py` tries).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from fmcourse.errors import DataError
from fmcourse.evaluate.constraint_checks import CONSTRAINT_CHECKERS
from fmcourse.evaluate.task_checkers import TASK_CHECKERS

_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`", "**": "**"}
_RUN = 5  # so many words in a row taken over from the instruction are an echo
_DISTINCT = 0.6  # share of different words below which a reply is mere repetition
_MARKS = {"bullets": r"[-*•] (.+)", "numbers": r"{n}\. (.+)"}

_MEMBERS = {
    "color": "red orange yellow green blue purple violet pink brown black white gray grey gold "
             "silver indigo turquoise crimson magenta cyan maroon beige lavender teal",
    "animal": "dog cat horse cow sheep pig goat lion tiger bear wolf fox deer rabbit mouse rat "
              "elephant giraffe zebra monkey camel donkey bird eagle owl duck chicken hen fish "
              "shark whale dolphin snake lizard frog turtle crocodile kangaroo panda leopard "
              "cheetah bee ant butterfly squirrel penguin gorilla hippopotamus rhinoceros ox",
    "day": "monday tuesday wednesday thursday friday saturday sunday",
    "fruit": "apple orange banana grape pear peach plum cherry lemon lime mango pineapple melon "
             "watermelon strawberry raspberry blueberry blackberry fig date kiwi apricot papaya "
             "pomegranate grapefruit olive coconut avocado tomato",
    "month": "january february march april may june july august september october november "
             "december",
    "body": "head face eye ear nose mouth tooth teeth tongue chin cheek neck shoulder arm elbow "
            "hand wrist finger thumb chest back stomach belly hip leg knee ankle foot feet toe "
            "heart lung brain skin hair liver kidney bone blood muscle skull throat",
}


def answer(reply: str, instruction: str, accepted: Sequence[str]) -> bool:
    """The reply is one of the accepted answers and nothing else.

    >>> answer(" Green.", "What color is grass?", ["green"])
    True
    """
    return _bare(reply).rstrip(".!").casefold() in accepted


def text(reply: str, instruction: str, text: str) -> bool:
    """The reply is this text, letter for letter; only its last full stop may come or go."""
    return bool(_bare(reply)) and _bare(reply).removesuffix(".") == text.removesuffix(".")


def json_object(reply: str, instruction: str, expected: dict) -> bool:
    """The reply is one JSON object with exactly these keys and values (any case, 7 or "7").

    >>> json_object('{"city": "rome"}', "", {"city": "Rome"})
    True
    """
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", reply.strip(), re.DOTALL)
    try:
        found = json.loads(fenced.group(1) if fenced else reply, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return False
    if not _is_object(found):
        return False
    plain = [(key, str(value).casefold()) for key, value in found]
    return sorted(plain) == sorted((key, str(value).casefold()) for key, value in expected.items())


def begins(reply: str, instruction: str, opening: str) -> bool:
    """The reply begins with these words and goes on with at least four of its own."""
    said, first = _words(reply), _words(opening)
    return said[:len(first)] == first and _own(said[len(first):], instruction)


def ends(reply: str, instruction: str, ending: str) -> bool:
    """The reply ends with these words, after at least four of its own."""
    said, last = _words(reply), _words(ending)
    return said[-len(last):] == last and _own(said[:-len(last)], instruction)


def items(reply: str, instruction: str, marks: str, category: str) -> bool:
    """Exactly three different things of a category, marked by commas, bullets or numbers.

    >>> items("red, green, and blue.", "", "commas", "color")
    True
    """
    if marks == "commas":
        found = [part.removeprefix("and ") for part in
                 re.split(r",\s*", reply.strip().removesuffix("."))]
    else:
        lines = [line.strip() for line in reply.strip().splitlines()]
        matches = [re.fullmatch(_MARKS[marks].format(n=n), line) for n, line in enumerate(lines, 1)]
        if not all(matches):
            return False
        found = [match.group(1).strip().removesuffix(".") for match in matches]
    members = _MEMBERS[category].split()
    known = {_member(thing.casefold(), members) for thing in found} - {None}
    return len(found) == 3 and len(known) == 3


def number(reply: str, instruction: str, above: int, below: int) -> bool:
    """The reply is one whole number in digits, strictly between the two bounds.

    >>> number("15", "", 10, 20), number("10", "", 10, 20)
    (True, False)
    """
    found = re.fullmatch(r"\d{1,9}", _bare(reply).removesuffix("."), re.ASCII)
    return found is not None and above < int(found.group()) < below


def states(reply: str, instruction: str, accepted: Sequence[str]) -> bool:
    """The reply is a word or two, or one finished sentence, and names an accepted answer.

    >>> states("It is Paris.", "What is the capital of France?", ["paris"])
    True
    """
    said = _words(reply)
    brief = len(said) <= 2 or (_is_sentence(reply) and _varied(said))
    return brief and len(said) <= 40 and any(word in accepted for word in said)


def sentence(reply: str, instruction: str, about: Sequence[str] = (),
             include: Sequence[str] = ()) -> bool:
    """One finished sentence of 5 to 40 words that isn't an echo.

    A word of it begins with one of the stems `about`, and all of the words `include` occur.

    >>> sentence("The moon goes round the earth.", "Write about the moon.", about=["moon"])
    True
    """
    said = _words(reply)
    named = not about or any(word.startswith(stem) for word in said for stem in about)
    held = set(include) <= {re.sub("['’]s$", "", word) for word in said}
    return (_is_sentence(reply) and named and held and 5 <= len(said) <= 40
            and _own(said, instruction))


CHECKERS: dict[str, Callable[..., bool]] = {
    check.__name__: check
    for check in (answer, text, json_object, begins, ends, items, number, states, sentence)
}


def check(name: str, reply: str, instruction: str, parameters: dict) -> bool:
    """Whether a reply passes the checker of this name.

    Raises:
        DataError: there is no such checker.

    >>> check("number", "15", "Write a number.", {"above": 10, "below": 20})
    True
    """
    known = CHECKERS | TASK_CHECKERS | CONSTRAINT_CHECKERS
    if name not in known:
        raise DataError(f"There is no checker called {name!r}.",
                        fix=f"Use one of {', '.join(known)}.")
    return known[name](reply, instruction, **parameters)


def _bare(reply: str) -> str:
    """Without white space around it and without one pair of quotation marks."""
    reply = reply.strip()
    for left, right in _QUOTES.items():
        if len(reply) > 2 * len(left) and reply.startswith(left) and reply.endswith(right):
            return reply[len(left):-len(right)].strip()
    return reply


def _words(reply: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", reply.casefold())


def _is_sentence(reply: str) -> bool:
    """Whether it is one line with one full stop, question or exclamation mark, at its end."""
    return re.fullmatch(r"[^.!?\n]+[.!?]", _bare(reply)) is not None


def _varied(said: list[str]) -> bool:
    """Whether most words are different ones."""
    return len(set(said)) >= _DISTINCT * len(said)


def _own(said: list[str], instruction: str) -> bool:
    """At least four words, mostly different ones, and no long run taken from the instruction."""
    given = _words(instruction)
    runs = {tuple(given[i:i + _RUN]) for i in range(len(given) - _RUN + 1)}
    echo = any(tuple(said[i:i + _RUN]) in runs for i in range(len(said) - _RUN + 1))
    return len(said) >= 4 and _varied(said) and not echo


def _member(thing: str, members: list[str]) -> str | None:
    """The member that a thing is, or is the plural of.

    >>> _member("cherries", ["apple", "cherry"])
    'cherry'
    """
    forms = (thing, thing.removesuffix("s"), thing.removesuffix("es"),
             re.sub("ies$", "y", thing), re.sub("ves$", "f", thing))
    return next((form for form in forms if form in members), None)


def _is_object(found: object) -> bool:
    """Whether `json.loads` with pairs as lists read an object without nested ones."""
    return (isinstance(found, list) and bool(found)
            and all(isinstance(pair, tuple) for pair in found)
            and not any(isinstance(value, list) for _, value in found))
