"""Items read from YAML, strictly: what a writer got wrong is said with its place and remedy.

Checked by hand and not by a JSON schema, because half of the rules tie fields together (a key
must be among the options, each distractor needs its reason), and a schema says such things badly.
YAML itself is read more strictly than usual: a key given twice is an error, and a value that YAML
turns into something else (`no`, `3.3`) is refused with the advice to quote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from fmcourse.errors import ExamError, meant
from fmcourse.exam import item as items
from fmcourse.exam.item import Cell, Item, Mistake
from fmcourse.exam.keys import read_key

REQUIRED: dict[str, type | tuple[type, ...]] = {
    "id": str, "task": str, "claims": list, "type": str, "difficulty": int, "stem": str,
    "options": dict, "key": (str, list, dict), "why": str, "wrong": (dict, list),
    "sources": list, "verified": date}
OPTIONAL: dict[str, type | tuple[type, ...]] = {
    "prompts": dict, "constraint": str, "exam_says": str, "today": str, "shown": str,
    "beyond": bool}
KINDS = {str: "text", list: "a list", dict: "a mapping", int: "a whole number",
         date: "a date such as 2026-11-26", bool: "true or false"}
# A small 'a' is an article, too: "the answer a model gives".
BY_LETTER = re.compile(r"\b(?:option|answer|choice|response|prompt)s? "
                       r"(?:[A-Hb-hp-v]\b|a(?=[.,;:)]|\s(?:is|and|or)\b|$))")
DATED = re.compile(r"\b(?:January|February|March|April|May|June|July|August|September|October|"
                   r"November|December) 20\d\d\b")
CATCH_ALL = re.compile(r"\b(?:all|none|both|neither) of (?:the|these|those)\b.{0,9}\b"
                       r"(?:above|options|answers)\b|\bof the above\b", re.I)


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # in C where it was built
    """YAML's safe types only, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_file(path: Path) -> list[tuple[str, Any]]:
    """A file's items as YAML has them, each with its place ('K1.yaml:12').

    Raises:
        ExamError: it is not YAML, or not a list.
    """
    try:
        loader = _StrictLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        raw = loader.construct_document(node) if node else None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-31
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else path.name
        problem = getattr(error, "problem", None) or error
        raise ExamError(f"This is not valid YAML: {problem}.", where=place,
                        fix="Quote a text that holds a colon and a space, or begins with a sign; "
                            "indent by two spaces.") from error
    if not isinstance(raw, list) or not raw:
        raise ExamError("A file of items is a list.", where=path.name,
                        fix="Begin each item with '- id: …'; see fmcourse/exam/items/README.md.")
    lines = [entry.start_mark.line + 1 for entry in node.value]
    return [(f"{path.name}:{line}", one) for line, one in zip(lines, raw, strict=True)]


def read_item(raw: Any, where: str, claims: Iterable[str]) -> Item:
    """Check one item, and make it of what YAML gave.

    Args:
        raw: a mapping with the fields of `fmcourse/exam/items/README.md`.
        where: for messages, such as 'K1.yaml:12'.
        claims: ids that exist.

    Raises:
        ExamError: with the file, the item, what is wrong and what to do.
    """
    if isinstance(raw, dict) and isinstance(raw.get("id"), str):
        where = f"{where} ({raw['id']})"
    try:
        _check_fields(raw)
        _check_texts(raw)
        _check_labels(raw, tuple(claims))
        options, prompts = _texts(raw, "options"), _texts(raw, "prompts")
        key, wrong = read_key(raw["type"], options, prompts, raw["key"], raw["wrong"])
        return _made(raw, options, prompts, key, wrong)
    except ExamError as error:
        raise ExamError(error.what, where=where, fix=error.fix) from error


def _check_fields(raw: Any) -> None:
    if not isinstance(raw, dict):
        raise ExamError("An item is a mapping.", fix="Begin it with '- id: …'.")
    known = REQUIRED | OPTIONAL
    for field in raw:
        if field not in known:
            raise ExamError(f"There is no field '{field}'.", fix=meant(str(field), known))
    for field, kind in known.items():
        if field not in raw:
            if field in REQUIRED:
                raise ExamError(f"The field '{field}' is missing.", fix=f"Add it: {field}: …")
        elif not isinstance(raw[field], kind) or (
                kind is not bool and isinstance(raw[field], (bool, datetime))):
            wanted = " or ".join(KINDS[one] for one in (kind if isinstance(kind, tuple)
                                                        else (kind,)))
            raise ExamError(f"'{field}' is not {wanted}, but {raw[field]!r}.",
                            fix=f"Put quotes around it: {field}: \"…\"" if kind is str
                                else f"Write {wanted}.")


def _check_texts(raw: Mapping[str, Any]) -> None:
    """What holds for every text, wherever it stands."""
    for field, text in _all_texts(raw):
        if not isinstance(text, str):
            raise ExamError(f"'{field}' is not text, but {text!r}.", fix="Put quotes around it.")
        if not text.strip() or text != text.strip():
            raise ExamError(f"'{field}' is empty, or has blanks at its ends.",
                            fix="Write >- before a text of several lines.")
        if BY_LETTER.search(text):
            raise ExamError(f"'{field}' names an option by its letter, but options are shuffled.",
                            fix="Name it by its words.")
        if CATCH_ALL.search(text):
            raise ExamError(f"'{field}' speaks of all or none of the options.",
                            fix="Ask for several (multiple_response), or write another option.")


def _all_texts(value: Any, field: str = "item") -> Iterable[tuple[str, Any]]:
    """Every leaf below a field, with the field's name; ids, kinds and dates aside."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("difficulty", "verified", "key", "order", "beyond"):
                yield from _all_texts(inner, name if field == "item" else f"{field}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _all_texts(inner, field)
    else:
        yield field, value


def _check_labels(raw: Mapping[str, Any], claims: tuple[str, ...]) -> None:
    """Fields whose values come from a list, or have a form."""
    for field in ("claims", "sources"):
        if not all(isinstance(one, str) for one in raw[field]):
            raise ExamError(f"'{field}' is not a list of texts.", fix="Write a text a line.")
    for field, known in (("type", items.TYPES), ("task", tuple(items.TASKS))):
        if raw[field] not in known:
            raise ExamError(f"There is no {field} '{raw[field]}'.", fix=meant(raw[field], known))
    if not raw["claims"] or len(set(raw["claims"])) < len(raw["claims"]):
        raise ExamError("'claims' is empty, or names one twice.", fix="Name each claim once.")
    for claim in raw["claims"]:
        if claim not in claims:
            raise ExamError(f"The syllabus has no claim '{claim}'.", fix=meant(claim, claims))
    if not re.fullmatch(rf"{raw['claims'][0]}-\d\d", raw["id"]):
        raise ExamError("The id is not the first claim and two digits.",
                        fix=f"Write such as {raw['claims'][0]}-07, a number not yet used.")
    if raw["difficulty"] not in (1, 2, 3):
        raise ExamError(f"There is no difficulty {raw['difficulty']}.",
                        fix="Write 1 (recall), 2 (apply) or 3 (weigh).")
    if ("exam_says" in raw) != ("today" in raw):
        raise ExamError("'exam_says' and 'today' go together.",
                        fix="Write both where they differ, and neither where they do not.")
    if not DATED.search(raw.get("today", "November 2026")):
        raise ExamError("'today' does not say when that was.",
                        fix="Name month and year: As of November 2026 …")
    if not raw["sources"] or not all(re.fullmatch(r"https://[^\s/]+\.\S+", one)
                                     for one in raw["sources"]):
        raise ExamError("'sources' has no web address, or something that is none.",
                        fix="Write at least one, from https:// on.")
    _check_constraint(raw["stem"], raw.get("constraint"))


def last_sentence(text: str) -> str:
    """The last sentence of a text.

    >>> last_sentence("A team has 40 labels. Which route costs least?")
    'Which route costs least?'
    """
    return re.split(r"(?<=[.!?:])\s+", text.strip())[-1]


def _check_constraint(stem: str, constraint: str | None) -> None:
    if constraint is None:
        return
    last = last_sentence(stem)
    if constraint not in last:
        raise ExamError("The constraint is not in the stem's last sentence.",
                        fix=f"Quote words of it as they stand there: {last!r}")
    if last == stem.strip():
        raise ExamError("A scenario has a situation before its last sentence.",
                        fix="Describe one, or leave 'constraint' out.")


def _texts(raw: Mapping[str, Any], field: str) -> dict[str, str]:
    """Options or prompts: ids of one letter, texts that differ."""
    found = raw.get(field, {})
    allowed = "abcdefgh" if field == "options" else "pqrstuv"
    for name in found:
        if name not in tuple(allowed):
            raise ExamError(f"'{name}' is no id for {field}.",
                            fix=f"Use the letters {allowed[0]} to {allowed[-1]}.")
        if not isinstance(found[name], str):
            raise ExamError(f"'{field}.{name}' is not text, but {found[name]!r}.",
                            fix="Write a text for each letter.")
    if len({text.casefold().rstrip(".") for text in found.values()}) < len(found):
        raise ExamError(f"Two {field} say the same.", fix="Change one of them.")
    return dict(found)


def _made(raw: Mapping[str, Any], options: dict[str, str], prompts: dict[str, str],
          key: items.Answer, wrong: tuple[Mistake, ...]) -> Item:
    shown = raw.get("shown")
    place = shown and re.fullmatch(r"(\d\d) (.+)", shown)
    if shown and not place:
        raise ExamError(f"'shown' is not a lesson and a heading, but {shown!r}.",
                        fix="Write such as: shown: 01 The control")
    plain = {field: raw.get(field) for field in (
        "id", "task", "type", "difficulty", "stem", "why", "verified", "constraint", "exam_says",
        "today")}
    plain["beyond"] = raw.get("beyond", False)
    return Item(**plain, options=options, prompts=prompts, key=key, wrong=wrong,
                claims=tuple(raw["claims"]), sources=tuple(raw["sources"]),
                shown=Cell(place[1], place[2]) if place else None)
