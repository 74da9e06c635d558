"""Fresh cases of lesson 02."""

from __future__ import annotations

from fmcourse.classroom.hidden import Case, Draw

WORDS = ["bucket", "queue", "table", "agent", "key", "role", "stream", "topic", "vault", "domain"]


def _replay(draw: Draw) -> Case:
    old, of = draw.choice([(1, 3), (1, 4), (1, 5), (2, 5), (1, 10), (1, 2)])
    rows = draw.randint(3, 6)  # so many times: a whole number of old rows is due
    new = [f"new {i}" for i in range(rows * (of - old))]
    return new, [f"old {i}" for i in range(rows * old + draw.randint(3, 6) + len(new))], old / of


def _last_good(draw: Draw) -> Case:
    """Looks away from the bound; or in sixteenths, which add up exactly, and one just at it."""
    if not draw.turn % 4:
        looks = [draw.randint(16, 40) / 16]
        looks += [looks[0] + draw.randint(-4, 6) / 16 for _ in range(draw.randint(2, 6))]
        looks.insert(1, looks[0] + 0.25)
        return looks, 0.25
    first, rise = round(draw.uniform(1, 2.5), 2), draw.choice([0.0505, 0.1005, 0.1505])
    looks = [first, round(first - draw.uniform(0, 0.9) * rise, 3)]
    looks += [round(first + draw.uniform(-1, 2) * rise, 3) for _ in range(draw.randint(3, 9))]
    return looks, rise


def _record(draw: Draw) -> Case:
    prompt, text = ([draw.randint(5, 999) for _ in range(draw.randint(2, 9))] for _ in range(2))
    return ({"text": text} if draw.random() < 0.4 else {"prompt": prompt, "completion": text},)


def _pages(draw: Draw) -> Case:
    """A page of each sort, and two more: changes of words, of mere white space, and others."""
    sorts = ["added", "rewritten", "same", "wrapped", "withdrawn", "turned", "lowered", "joined"]
    old, new = {}, {}
    for name, sort in zip(draw.sample(WORDS, 10), [*sorts, *draw.choices(sorts, k=2)], strict=True):
        text = f"A {name} holds {draw.randint(2, 99)} {draw.choice(WORDS)}s."
        if sort != "added":
            old[name] = text
        if sort != "withdrawn":
            new[name] = {"rewritten": text + " Not any more.",
                         "wrapped": text.replace(" ", draw.choice(["\n", "  "]), 2),
                         "turned": text.replace(f"A {name}", f"{name} A"),
                         "lowered": text.lower(),
                         "joined": text.replace(" holds", "holds")}.get(sort, text)
    return old, new


FRESH = {"with_replay": _replay, "last_good": _last_good, "graded_labels": _record,
         "refresh": _pages}
