"""Constraints on form that a program can verify, after IFEval, and what a reply needs besides.

IFEval (Zhou et al. 2023, "Instruction-Following Evaluation for Large Language Models",
arXiv:2311.07911) asks for things like "no commas" or "at most 12 words" and checks just these.
Each check here reads a whole reply, strictly; the code and the wordings are ours. Words are told
apart regardless of case, quotation marks and other marks around them.

Many a constraint is met by a reply that says nothing: an empty one has no commas. So `constraint`
first asks for substance. A reply needs three different words, at least every second word must be
a new one, one must be a telling word of the text that was given (found in no other text, nor in
the request), and no five words in a row may come from the request, save what is to be quoted.

Trade-off: whether the reply is *good* isn't asked, as in IFEval; a right form with silly content
passes, and no judge is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

_RUN = 5  # so many words in a row taken over from the request are an echo
_WORDS = 3  # so many different words make a reply
_NEW = 0.5  # share of different words below which a reply is mere repetition
_FEW = 4  # an item of a list separated by commas has at most so many words
_QUOTES = {'"': '"', "“": "”"}


def max_words(reply: str, most: int) -> bool:
    """At most so many words."""
    return word_count(reply) <= most


def min_words(reply: str, least: int) -> bool:
    """At least so many words."""
    return word_count(reply) >= least


def exact_words(reply: str, count: int) -> bool:
    """Exactly so many words."""
    return word_count(reply) == count


def sentences(reply: str, count: int) -> bool:
    """Exactly so many sentences, all of them finished."""
    return sentence_count(reply) == count and re.search(r"[.!?][\"'”’)]*\s*$", reply) is not None


def lower_case(reply: str) -> bool:
    """Letters, and none of them a capital."""
    return reply.islower()


def capitals(reply: str) -> bool:
    """Letters, and all of them capitals."""
    return reply.isupper()


def no_commas(reply: str) -> bool:
    """No comma."""
    return "," not in reply


def include_word(reply: str, word: str, times: int) -> bool:
    """This word, whole, at least so many times."""
    return words(reply).count(word.casefold()) >= times


def without_word(reply: str, word: str) -> bool:
    """Not this word; longer words may contain it."""
    return word.casefold() not in words(reply)


def begin_word(reply: str, word: str) -> bool:
    """This is the first word."""
    return words(reply)[:1] == [word.casefold()]


def end_phrase(reply: str, phrase: str) -> bool:
    """These are the last words."""
    last = words(phrase)
    return words(reply)[-len(last):] == last


def in_quotes(reply: str) -> bool:
    """One pair of double quotation marks, round the whole.

    >>> in_quotes('"It rained."'), in_quotes('He said "yes" and "no"')
    (True, False)
    """
    return any(_between(left, right, reply) for left, right in _QUOTES.items())


def in_brackets(reply: str) -> bool:
    """One pair of square brackets, round the whole."""
    return _between("[", "]", reply)


def json_key(reply: str, key: str) -> bool:
    """A JSON object in which this key has a value; a code fence may hold it.

    >>> json_key('{"topic": "a lost key"}', "topic"), json_key("{'topic': 'key'}", "topic")
    (True, False)
    """
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", reply.strip(), re.DOTALL)
    try:
        found = json.loads(fenced[1] if fenced else reply)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get(key) not in (None, "", [], {})


def bullets(reply: str, count: int) -> bool:
    """So many lines, all different, each with a dash, asterisk or bullet, and nothing else."""
    return _are_points(reply, r"[-*•] *(\S.*)", count)


def numbered(reply: str, count: int) -> bool:
    """So many lines, all different, numbered from 1 on, and nothing else."""
    return _are_points(reply, r"{n}[.)] *(\S.*)", count)


def commas(reply: str, count: int) -> bool:
    """So many different things of one to four words, on one line, with commas between them.

    >>> commas("flour, water, the oven.", 3), commas("flour and water", 2)
    (True, False)
    """
    things = [words(thing) for thing in reply.split(",")]
    return (one_line(reply) and all(1 <= len(thing) <= _FEW for thing in things)
            and len(things) == count == len(set(map(tuple, things))))


def one_line(reply: str) -> bool:
    """No line break."""
    return len(reply.strip().splitlines()) == 1


def title(reply: str) -> bool:
    """A title in double angle brackets, on one line.

    >>> title("<<The lost key>>"), title("<The lost key>"), title("<< >>")
    (True, False, False)
    """
    return any(words(found) for found in re.findall(r"<<([^<>\n]+)>>", reply))


def postscript(reply: str) -> bool:
    """Something, then a last line that begins with P.S. and says something more."""
    *before, last = reply.strip().splitlines() or [""]
    remark = re.search(r"(.*)\bP\. ?S\.(.+)", last, re.IGNORECASE)
    return remark is not None and bool(words(remark[2])) and bool(words(remark[1]) or before)


def repeat_request(reply: str, request: str) -> bool:
    """The request, word for word, and after it an answer."""
    first, said = words(request), words(reply)
    return said[:len(first)] == first and len(said) > len(first)


CONSTRAINTS: dict[str, Callable[..., bool]] = {
    check.__name__: check for check in (
        max_words, min_words, exact_words, sentences, lower_case, capitals, no_commas,
        include_word, without_word, begin_word, end_phrase, in_quotes, in_brackets, json_key,
        bullets, numbered, commas, one_line, title, postscript, repeat_request)
}


def constraint(reply: str, instruction: str, checks: Mapping[str, Mapping], text: str,
               about: Sequence[str]) -> bool:
    """The reply has substance and meets all of these constraints.

    Args:
        checks: names of `CONSTRAINTS`, and their parameters.
        text: the text that the instruction gives.
        about: how telling words of that text begin.

    >>> constraint("a cat sleeps", "Use no more than 5 words.", {"max_words": {"most": 5}}, "",
    ...            ["cat"])
    True
    """
    said = words(reply)
    different = set(said)
    telling = any(word.startswith(tuple(about)) for word in different)
    return (telling and len(different) >= max(_WORDS, _NEW * len(said))
            and not _runs(said) & _runs(_asked(instruction, checks, text))
            and all(CONSTRAINTS[name](reply, **given) for name, given in checks.items()))


CONSTRAINT_CHECKERS: dict[str, Callable[..., bool]] = {"constraint": constraint}


def words(text: str) -> list[str]:
    """The words of a text, in small letters; "don't" is one, "well-known" two.

    >>> words("Don't go, Anna!")
    ["don't", 'go', 'anna']
    """
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.casefold())


def word_count(text: str) -> int:
    """How many words a reader would count: pieces between spaces with a letter or a digit.

    >>> word_count("A well-known dog - really!")
    4
    """
    return sum(any(map(str.isalnum, piece)) for piece in text.split())


def sentence_count(text: str) -> int:
    """Pieces with words that end in a full stop, question or exclamation mark before a space.

    An abbreviation ("Mr. Hill") counts as an end; the course's texts have none.

    >>> sentence_count("It is 3.5 miles. Really?! Yes")
    3
    """
    return sum(bool(words(piece)) for piece in re.split(r"[.!?]+[\"'”’)]*(?:\s+|$)", text))


def _between(left: str, right: str, reply: str) -> bool:
    inside = re.fullmatch(f"{re.escape(left)}(.+){re.escape(right)}", reply.strip(), re.DOTALL)
    return inside is not None and not {left, right} & set(inside[1])


def _are_points(reply: str, mark: str, count: int) -> bool:
    lines = [line.strip() for line in reply.strip().splitlines() if line.strip()]
    points = [re.fullmatch(mark.format(n=n), line) for n, line in enumerate(lines, 1)]
    said = {tuple(words(point[1])) for point in points if point} - {()}
    return len(lines) == count == len(said)


def _asked(instruction: str, checks: Mapping[str, Mapping], text: str) -> list[str]:
    """The words of the request: without the text, and without what a reply has to quote."""
    given = (value for parameters in checks.values() for value in parameters.values())
    for quoted in (text, *filter(lambda value: isinstance(value, str), given)):
        if " " in quoted:  # a single word makes no run
            instruction = instruction.replace(quoted, " ")
    return words(instruction)


def _runs(said: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(said[i:i + _RUN]) for i in range(len(said) - _RUN + 1)}
