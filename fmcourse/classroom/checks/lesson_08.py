"""Lesson 08, governance and privacy: flags, pseudonyms, access, an audit log, lineage."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from fmcourse.classroom.check import Exercise, chosen

FLAGS = chosen(
    "predicted_flags", {"right": "half", "luhn": "one in ten", "both": "nine in ten"},
    ("Do not think in shares: count notes. How many true flags are there, how many false ones?",
     "Nine true ones; a hundredth of 990 are false. The last digit is fixed by the others, so of "
     "ten possible last digits one is valid; true cards always are."),
    slips={"Nine of ten cards are *found*: that is recall. Of the flags, count the false ones, "
           "too: a hundredth of 990.": {"right": "nine in ten"},
           "A hundredth of 990 is about ten false flags, beside nine true ones.":
           {"right": "one in ten"},
           "A check digit guards against slips of the pen, not against chance: one of ten last "
           "digits is valid.": {"luhn": "none"},
           "It is one digit, so one of ten possible values is the valid one.":
           {"luhn": "one in a hundred"},
           "The check digit loses no true card, and nine of ten false flags.": {"both": "half"}})


def _fold(name: str) -> str:
    return " ".join(name.lower().split())


def _keyed(key: bytes, name: bytes) -> str:
    return hmac.new(key, name, hashlib.sha256).hexdigest()


def _named(digest: Callable[[bytes, bytes], str] = _keyed,
           fold: Callable[[str], str] = _fold) -> Callable:
    return lambda names, key: [f"P-{digest(key, fold(name).encode())[:8]}" for name in names]


def _numbered(names: list[str], key: bytes) -> list[str]:
    people = [*dict.fromkeys(map(_fold, names))]
    return [f"P-{people.index(_fold(name)) + 1:08}" for name in names]


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


PSEUDONYMS = Exercise(
    "pseudonyms", _named(),
    {"one person twice": (["Ana Ruiz", "Bo Li", "ANA  Ruiz "], b"a key of the project"),
     "another key": (["Bo Li", "Ana Ruiz"], b"another key"),
     "letters beyond English": (["Zoë Müller"], b"a key of the project")},
    {"There is no key in it. Whoever has a list of names hashes them all and looks yours up.":
        _named(lambda key, name: _hash(name)),
     "A hash of key and name glued together is no HMAC. hmac.new does it right.":
        _named(lambda key, name: _hash(key, name)),
     "Key and name have changed places: the key comes first.":
        _named(lambda key, name: _keyed(name, key)),
     "\"ANA  Ruiz \" is Ana Ruiz. Lower the name, and leave single blanks, before you hash.":
        _named(fold=str),
     "White space still makes two people of one.": _named(fold=str.lower),
     "You number people as they come: in the next file they have other numbers.": _numbered},
    ("Two steps: bring all spellings of a name to one, then hash it with the key.",
     "split() without an argument and a join leave single blanks. Then hmac.new: which of its "
     "two first arguments is the key? And both must be bytes."))

Statement = Mapping[str, object]


def _concerned(statements: Sequence[Statement], action: str, resource: str,
               fold: Callable[[str], str] = str.lower,
               fits: Callable[[bool, bool], bool] = lambda does, on: does and on,
               match: Callable[[str, str], bool] = fnmatchcase) -> list[str]:
    return [one["Effect"] for one in statements if fits(
        any(match(fold(action), fold(part)) for part in one["Action"]),
        any(match(resource, part) for part in one["Resource"]))]


def _beginning(text: str, part: str) -> bool:
    """Whether a text fits a pattern whose `*` counts at its end only."""
    return text.startswith(part[:-1]) if part.endswith("*") else text == part


def _decides(decide: Callable[[list[str]], bool], **how: Callable) -> Callable:
    return lambda statements, action, resource: decide(
        _concerned(statements, action, resource, **how))


def _deny_wins(said: list[str]) -> bool:
    return "Allow" in said and "Deny" not in said


_ARN = "arn:aws:s3:::notes"
_READ = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:List*"],
         "Resource": [_ARN, f"{_ARN}/training/*"]}
_OTHERS = {"Effect": "Allow", "Action": ["*Object"], "Resource": [f"{_ARN}/*/train.jsonl"]}
_ALL = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}
_GUARD = {"Effect": "Deny", "Action": ["s3:*"], "Resource": [f"{_ARN}/private/*"]}

ALLOWED = Exercise(
    "allowed", _decides(_deny_wins),
    {"said so": ([_READ], "s3:GetObject", f"{_ARN}/training/a.jsonl"),
     "another action": ([_READ], "s3:PutObject", f"{_ARN}/training/a.jsonl"),
     "another place": ([_READ], "s3:GetObject", f"{_ARN}/private/pay.csv"),
     "nobody said anything": ([], "s3:GetObject", f"{_ARN}/training/a.jsonl"),
     "denied before it is allowed": ([_GUARD, _ALL], "s3:GetObject", f"{_ARN}/private/pay.csv"),
     "allowed before it is denied": ([_ALL, _GUARD], "s3:GetObject", f"{_ARN}/private/pay.csv"),
     "the denial concerns others": ([_GUARD, _READ], "s3:GetObject", f"{_ARN}/training/a.jsonl"),
     "a star within": ([_OTHERS], "s3:PutObject", f"{_ARN}/team-a/train.jsonl"),
     "a star within, and another end": ([_OTHERS], "s3:PutObject", f"{_ARN}/team-a/pay.csv"),
     "a star in front": ([_OTHERS], "s3:PutBucket", f"{_ARN}/team-a/train.jsonl"),
     "an action in small letters": ([_READ], "s3:getobject", f"{_ARN}/training/a.jsonl"),
     "a place in other letters": ([_READ], "s3:GetObject", f"{_ARN}/Training/a.jsonl")},
    {"The first statement that fits decides for you. A Deny wins wherever it stands.":
        _decides(lambda said: said[:1] == ["Allow"]),
     "The last statement that fits decides for you. A Deny wins wherever it stands.":
        _decides(lambda said: said[-1:] == ["Allow"]),
     "One Allow is enough for you. An explicit Deny wins over any number of them.":
        _decides(lambda said: "Allow" in said),
     "You allow what nobody has denied. Where nobody said anything, the answer is no.":
        _decides(lambda said: "Deny" not in said),
     "You look at actions and not at resources.": _decides(
         _deny_wins, fits=lambda does, on: does),
     "You look at resources and not at actions.": _decides(_deny_wins, fits=lambda does, on: on),
     "For you a `*` stands at the end only. It may stand anywhere in a pattern, more than once.":
        _decides(_deny_wins, match=_beginning),
     "Capitals do not matter in actions.": _decides(_deny_wins, fold=str)},
    ("First collect the effects of all statements that concern the request. Only then decide.",
     "A statement concerns the request if *any* of its actions fits and *any* of its "
     "resources; fnmatchcase knows the star. Gather the effects in a set. Two questions to "
     "that set decide."))


def _seal(before: str, line: str) -> str:
    return hashlib.sha256(f"{before} {line}".encode()).hexdigest()


def _chained(*lines: str) -> list[tuple[str, str]]:
    made, before = [], "start"
    for line in lines:
        before = _seal(before, line)
        made.append((line, before))
    return made


def _broken(first: int = 0, end: Callable[[int], int | None] = int,
            at: Callable[[int, int], int] = lambda place, size: place) -> Callable:
    """`end` and `at` say what is given for a wrong head, and for a place that does not fit."""
    def broken(log: list[tuple[str, str]], head: str) -> int | None:
        hashes = ["start", *(kept for _, kept in log)]
        wrong = [i for i, (line, kept) in enumerate(log)
                 if i >= first and _seal(hashes[i], line) != kept]
        if wrong:
            return at(wrong[0], len(log))
        return None if hashes[-1] == head else end(len(log))
    return broken


def _nothing(size: int) -> None:
    """The head is not looked at."""


_LOG = _chained("ann read notes", "bo trained a model", "bo was refused", "ann deleted a record")
_HEAD = _LOG[-1][1]

BROKEN = Exercise(
    "broken_at", _broken(),
    {"as it was written": (_LOG, _HEAD),
     "the first line changed": ([("bo read notes", _LOG[0][1]), *_LOG[1:]], _HEAD),
     "a line within changed": ([*_LOG[:2], ("bo was praised", _LOG[2][1]), _LOG[3]], _HEAD),
     "a line taken out": ([*_LOG[:2], _LOG[3]], _HEAD), "the end cut off": (_LOG[:3], _HEAD),
     "all made anew": (_chained("ann read notes", "nobody trained a model"), _HEAD),
     "a line changed, and its own hash": (
         [_LOG[0], ("bo slept", _seal(_LOG[0][1], "bo slept")), *_LOG[2:]], _HEAD),
     "nothing was logged": ([], "start"), "everything is gone": ([], _HEAD)},
    {"That is the check as it was given: the first line is not looked at, and the head is not.":
        _broken(1, _nothing),
     "The first line is checked now. A cut end, or a chain made anew, still passes: compare with "
     "the head.": _broken(0, _nothing),
     "The head is compared now. The first line can still be anything: before it comes \"start\".":
        _broken(1),
     "You look at the head alone, so you cannot say where it happened.":
        lambda log, head: None if (log[-1][1] if log else "start") == head else len(log),
     "Places are counted from 0.": _broken(at=lambda place, size: place + 1),
     "Where the last hash is not the head, the entry after the last is missing: its place is "
     "len(log).": _broken(end=lambda size: size - 1)},
    ("Which lines does the loop look at? And which argument does it never use?",
     'before = "start"; for each entry: seal(before, line) must be its hash, which is then the '
     "next one's before. After the loop before must be the head."))


def _touched(made_from: Mapping[str, list[str]], source: str,
             through: Callable[[str], bool] = lambda thing: True) -> set[str]:
    found, waiting = set(), [source]
    while waiting:
        part = waiting.pop()
        for thing, parts in made_from.items():
            if part in parts and thing not in found:
                found.add(thing)
                waiting += [thing] * through(thing)
    return found


def _above(made_from: Mapping[str, list[str]], source: str) -> set[str]:
    return {thing for thing, parts in made_from.items() if {*parts} == {source}}


_MADE = {"clean notes": ["notes", "names"], "web text": ["web"],
         "mixed": ["web text", "clean notes"], "base": ["web text"],
         "expert": ["base", "mixed"], "merged": ["expert", "other expert"],
         "other expert": ["base", "laws"], "student": ["merged"], "reader": ["notes"]}
_MODELS = {"base", "expert", "merged", "other expert", "student", "reader"}

RETRAIN = Exercise(
    "to_retrain", lambda made_from, models, source: _touched(made_from, source) & models,
    {"the notes": (_MADE, _MODELS, "notes"), "the web": (_MADE, _MODELS, "web"),
     "the laws": (_MADE, _MODELS, "laws"), "names": (_MADE, _MODELS, "names"),
     "a source nobody used": (_MADE, _MODELS, "mails")},
    {"You look one step far. A set made of the source was read by others in turn.":
        lambda made_from, models, source: {
            thing for thing, parts in made_from.items() if source in parts} & models,
     "You stop at models. One that was tuned, merged or distilled from another has its "
     "knowledge, too.": lambda made_from, models, source: _touched(
         made_from, source, lambda thing: thing not in models) & models,
     "You give data sets as well. Those are deleted or made anew; asked for are the models.":
        lambda made_from, models, source: _touched(made_from, source),
     "You give only models that have nothing else in them. One source of many is enough.":
        lambda made_from, models, source: {
            thing for thing in models if _above(made_from, source) & {
                thing, *made_from.get(thing, [])}},
     "You give the models that are *not* concerned.":
        lambda made_from, models, source: models - _touched(made_from, source)},
    ("What is made from the source? And from that? When can you stop?",
     "touched = {source}; again and again add every thing one of whose parts is touched, until "
     "nothing is added. Then touched & models."))

MEASURES = chosen(
    "measures",
    {"names": "redaction", "job": "least privilege", "network": "VPC endpoint",
     "who": "audit log", "withdrawn": "lineage", "forgotten": "policy check"},
    ("Ask of each: is it about what the model has read, who may touch, which way bytes take, what "
     "was done, what came of it, or what must be there before?",
     "What a model never read it cannot tell. What was done stands in a log; what came of it, in "
     "lineage. A rule that is asked before each run is code."),
    slips={"Roles guard the records. The model itself has read the name, and answers anybody who "
           "may ask it.": {"names": "least privilege"},
           "An endpoint is a way, and says little about what may be read at its end.":
           {"job": "VPC endpoint"},
           "A role says who may. Which way the bytes take is a matter of the network.":
           {"network": "least privilege"},
           "Lineage says what was made of what, not who read it in March.": {"who": "lineage"},
           "A log says what was done, entry by entry. What was made from what is lineage.":
           {"withdrawn": "audit log"},
           "A log tells you on Monday. It should be refused on Friday.":
           {"forgotten": "audit log"}})

EXERCISES = (FLAGS, PSEUDONYMS, ALLOWED, BROKEN, RETRAIN, MEASURES)
