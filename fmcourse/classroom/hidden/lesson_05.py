"""Fresh cases of lesson 05."""

from __future__ import annotations

from fmcourse.classroom.hidden import Case, Draw

CALLS = [("ec2", "start-instances"), ("s3api", "list-objects"), ("sns", "publish"),
         ("kms", "encrypt"), ("sqs", "send-message")]
OPTIONS = ["--region", "--name", "--ids", "--message", "--filter", "--limit"]
VALUES = ["eu-west-1", "us-east-2", "i-1", "i-2", "notes", "7", "red", "old"]


def _written(call: tuple[str, str], options: list[tuple[str, list[str]]], mark: str = "'") -> str:
    words = ["aws", *call]
    for name, values in options:
        words += [name, *(f"{mark}{one}{mark}" if " " in one else one for one in values)]
    return " ".join(words)


def _call(draw: Draw) -> Case:
    call, names = draw.choice(CALLS), draw.sample(OPTIONS, 3)
    options = [(names[0], ["Hello you"]), (names[1], draw.sample(VALUES, 2)),
               (names[2], draw.sample(VALUES, 1))]
    wanted = _written(call, options)
    one, two, three = options
    return draw.each([
        wanted, _written(call, [three, one, two]), _written(call, options, '"'),
        _written(call, [one, two]) + f" {three[0]}={three[1][0]}",
        _written(call, [one, (two[0], two[1][::-1]), three]), _written(call, [one, two]),
        _written(call, [one, two, (three[0], ["other"])]),
        _written(call, [one, (two[0], three[1]), (three[0], two[1])]),
        _written((call[0], "describe"), options), wanted + " --dry-run", wanted + " 'open",
        wanted.replace(f" {three[1][0]}", f"={three[1][0]}", 1)]), wanted


def _call_or_tags(draw: Draw) -> Case:
    """A call as above, or one whose value holds an equals sign."""
    if draw.turn % 4:
        return _call(draw)
    start = f"aws {' '.join(draw.choice(CALLS))} {draw.choice(OPTIONS)}"
    key, value = draw.sample(VALUES, 2)
    wanted = f"{start} {key}={value}"
    return draw.choice([f"{start}={key}={value}", f"{start} {key} {value}",
                        f"{start}={key} {value}", f"{start} {value}={key}"]), wanted


def _classes(draw: Draw) -> Case:
    kinds = draw.sample(["yes", "no", "maybe", "never", "often"], 3)
    truth = draw.choices(kinds, [6, 3, 2], k=draw.randint(12, 30)) + kinds
    said = [one if draw.random() < 0.6 else draw.choice(kinds[:2]) for one in truth]
    said = [kinds[0] if one == kinds[2] and draw.random() < 0.8 else one for one in said]
    return truth, [*said[:-1], "unsure"] if draw.each([False, True]) else said


def _summaries(draw: Draw) -> Case:
    words = ["the", "court", "dismissed", "The", "case", "appeal", "of", "Judge", "was", "by",
             "case.", "court,"]
    said, wanted = (draw.choices(words, k=draw.randint(3, 12)) for _ in range(2))
    said = draw.choice([said, said, said, []])
    return draw.choice([str, str.upper])(" ".join(said)), " ".join(wanted)


def _losses(draw: Draw) -> Case:
    losses, level = [], 3.0
    for place in draw.sample(range(999), draw.randint(4, 14)):
        level += draw.choice([-0.2, -0.2, 0.1, 0.1, 0.1])
        losses.append(round(level + place / 10_000, 4))
        if draw.random() < 0.2:
            losses.append(min(losses))  # as low as the best
    return losses, draw.randint(1, 4)


def _rate(draw: Draw) -> Case:
    steps = draw.randint(20, 400)
    warmup = draw.choice([0, draw.randint(2, steps // 3), draw.randint(2, steps // 3)])
    places = [0, warmup, warmup // 2, steps - 1, draw.randrange(steps), draw.randrange(steps)]
    return draw.choice(places), steps, draw.uniform(1e-4, 1), warmup


FRESH = {"same_call": _call_or_tags, "macro_f1": _classes, "rouge_l": _summaries,
         "stop_early": _losses, "rate_at": _rate}
