"""Fresh cases of lesson 07."""

from __future__ import annotations

import json

from fmcourse.classroom.hidden import Case, Draw

WORDS = ["stone", "bridge", "river", "old", "spring", "fall", "saw", "hurt", "cat", "sleeps"]


def _sketches(draw: Draw) -> Case:
    rows, bands = draw.choice([2, 3]), draw.randint(2, 4)
    made = [[draw.randrange(3) for _ in range(rows * bands)] for _ in range(draw.randint(4, 8))]
    return [*made, [*made[0]]], rows


def _line(draw: Draw) -> str:
    """A line that is good, or bad in one of the ways that the exercise names."""
    prompt, completion = (" ".join(draw.choices(WORDS, k=draw.randint(1, 5))) for _ in range(2))
    good = json.dumps({"prompt": prompt, "completion": completion})
    return draw.choice([
        good, good, f" {good} ",
        good.replace(" ", "\u2028", 1).replace('"prompt":\u2028', '"prompt": '),
        good.replace('", "', '" "'), good[:draw.randint(2, len(good) - 2)],
        good[:-1] + ', "id": 3}',
        good[:-1] + f', "prompt": "{prompt}"}}', json.dumps({"prompt": prompt}), "[1]", "7", "",
        json.dumps({"prompt": prompt, "completion": len(completion)}),
        json.dumps({"prompt": draw.choice(["", " "]), "completion": completion}),
        json.dumps({"prompt": f"{prompt}\u2028", "completion": completion}, ensure_ascii=False)])


def _file(draw: Draw) -> Case:
    text = "\n".join(_line(draw) for _ in range(draw.randint(4, 9)))
    return (text + "\n" + json.dumps({"prompt": "a", "completion": "b"}) + draw.choice(["", "\n"]),)


def _text(draw: Draw) -> Case:
    """Letters of three scripts among other signs; at the bound only with five signs or ten."""
    if draw.random() < 0.25:
        return (draw.choice(["abC 1-", "Ωλ β\n2 3", "A1 B2\tc", " \t\n", "abC __ - 1",
                             "ж_Л _"]),)
    letters = draw.choice(["abcdefgh", "ABCDEFGH", "αβγδεζΩΛ", "жзийкЛМН"])
    count = draw.choice([14, 16, 17, 19, 20, 22, 28])  # of 30 signs: 18 would be the bound
    signs = draw.choices(letters, k=count) + draw.choices("0123456789.,|-", k=30 - count)
    draw.shuffle(signs)
    return (" ".join(signs) if draw.random() < 0.5 else "".join(signs),)


def _pages(draw: Draw) -> Case:
    names = [f"{draw.choice(WORDS)}-{draw.randrange(100)}" for _ in range(draw.randint(5, 9))]
    records = [{"document": name, "text": f"Page {draw.randrange(1000)} of {name}."}
               for name in draw.choices(names, k=20)]
    return records, draw.choice([0.3, 0.4, 0.5])


def _texts(draw: Draw) -> Case:
    n = draw.choice([3, 4])
    train = [draw.choices(WORDS, k=draw.randint(5, 12)) for _ in range(3)]
    test = [draw.choices(WORDS, k=draw.randint(2, 8)) for _ in range(5)]
    for near in (n, n - 1):
        test.append(["new", *train[0][1:1 + near], "words"])
    test.append(draw.sample(train[1], len(train[1])))
    test.append(["so", *train[0][:n - 1], train[0][n - 1] + ","])
    test.append([train[2][0][1:], *train[2][1:n]])  # begins within a word
    return [" ".join(text) for text in train], [
        draw.choice([str, str.title])(" ".join(text)) for text in test], n


FRESH = {"candidates": _sketches, "faults": _file, "keep_text": _text, "split_places": _pages,
         "contaminated": _texts}
