"""Fresh cases of lesson 04."""

from __future__ import annotations

import json

import torch

from fmcourse.classroom.checks.lesson_04 import ASSISTANT, END, START, USER
from fmcourse.classroom.hidden import Case, Draw

WORDS = ["cats", "dogs", "sleep", "run", "often", "never", "far", "Over", "today",
         "rivers", "stones", "sing"]


def _words(draw: Draw, least: int = 2, most: int = 7) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(least, most)))


def _talk(draw: Draw) -> Case:
    asks = draw.random() < 0.5
    roles = ["system"] * draw.randrange(2) + ["user", "assistant"] * draw.randint(1, 3)
    roles += ["user"] * asks
    return [{"role": role, "content": _words(draw) + draw.choice(["", "?", "\nSay."])}
            for role in roles], asks


def _turns(draw: Draw) -> Case:
    ids: list[int] = []
    for _ in range(draw.randint(2, 4)):
        for role in (USER, ASSISTANT):
            ids += [START, role, *(draw.randint(10, 99) for _ in range(draw.randint(1, 5))), END]
    return (ids,)


def _loss(draw: Draw) -> Case:
    rows, time, size = draw.randint(2, 4), draw.randint(4, 9), draw.randint(5, 20)
    numbers = torch.Generator().manual_seed(draw.randrange(10**6))
    kept = torch.zeros(rows, time, dtype=torch.bool)
    for row in range(rows):  # replies of several lengths, none of them all of a row
        kept[row, draw.randint(1, time - 1):draw.randint(1, time)] = True
        kept[row, draw.randint(1, time - 1)] = True
        kept[row, 0] = draw.random() < 0.5  # a text without a prompt
    labels = torch.randint(0, size, (rows, time), generator=numbers).masked_fill(~kept, -100)
    return torch.randn(rows, time, size, generator=numbers), labels


def _rows(draw: Draw) -> Case:
    pad = draw.randint(0, 4)
    sizes = draw.sample(range(1, 9), draw.randint(2, 5))
    return [[draw.randint(5, 99) for _ in range(size)] + [pad] for size in sizes], pad


def _form(draw: Draw) -> Case:
    """A reply and a form that it keeps or just misses."""
    said, end = _words(draw), draw.choice(WORDS).capitalize() + "."
    count = len(said.split())
    whole = json.dumps({draw.choice(WORDS): draw.choice([said, count])})
    return draw.each([
        *((said, {"most_words": most}) for most in (count, count - 1)),
        *((said.replace(" ", blank), {"most_words": most}) for blank, most in (
            ("  ", count), ("\n", count - 1))),
        *((reply, {"json": True}) for reply in (
            whole, whole[:-1], f"{{{said}}}", str(count), f"[{count}]", f"{said}: {whole}")),
        *((f"{said}. {end}{behind}", {"ends_with": end}) for behind in ("", " \n", " And so on.")),
        (f"{said}. {end.lower()}", {"ends_with": end}),
        (f"{said}. {end}", {"most_words": count + draw.randrange(2), "ends_with": end}),
        (whole, {"json": True, "most_words": draw.choice([1, 20])})])


def _records(draw: Draw) -> Case:
    families = draw.sample(["sort", "count", "rhyme", "translate", "spell", "sum", "list"], 6)
    train = [{"family": draw.choice(families[:3]), "text": _words(draw, 5)} for _ in range(4)]
    test = []
    for _ in range(6):
        text = draw.choice([_words(draw, 5), draw.choice(train)["text"]])
        text = draw.choice([text, text.upper(), text.replace(" ", "  "), f" {text}\n",
                            text.replace(" ", "", 1), f"Say, {text}"])
        test.append({"family": draw.choice(families), "text": text})
    return train, test


FRESH = {"as_text": _talk, "reply_labels": _turns, "completion_loss": _loss, "collate": _rows,
         "keeps_form": _form, "leaks": _records}
