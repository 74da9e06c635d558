"""Fresh cases of lesson 08."""

from __future__ import annotations

from fmcourse.classroom.checks.lesson_08 import _chained
from fmcourse.classroom.hidden import Case, Draw

PEOPLE = ["Ana Ruiz", "Bo Li", "Zoë Müller", "Chidi Obi", "Ravi Rao", "Łucja Żak", "Mai Ito"]


def _names(draw: Draw) -> Case:
    names = [draw.choice([str, str.upper, str.lower])(name).replace(" ", draw.choice([" ", "  "]))
             for name in draw.choices(PEOPLE, k=draw.randint(4, 9))]
    return [draw.choice(["", " "]) + name for name in names], draw.randbytes(16)


def _request(draw: Draw) -> Case:
    """A request and what allows it, beside one other thing: its place, its action, a denial."""
    places = ["arn:aws:s3:::notes", "arn:aws:s3:::notes/private", "arn:aws:s3:::Notes"]
    actions = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
    action, other = draw.sample(actions, 2)
    place = draw.choice(places)
    elsewhere = draw.choice([one for one in places if not one.startswith(place)])
    allow, deny = ({"Effect": effect, "Action": [action], "Resource": [f"{place}/*"]}
                   for effect in ("Allow", "Deny"))
    more = [{"Effect": draw.choice(["Allow", "Deny"]),
             "Action": draw.sample([*actions, "s3:Get*", "s3:*", "S3:getobject"], 2),
             "Resource": [draw.choice(["*", f"{draw.choice(places)}/*"])]} for _ in range(2)]
    within = {"Effect": "Allow", "Action": [f"s3:*{action[6:]}"],
              "Resource": [f"{place}/*/b/*.jsonl"]}
    statements, asked, where = draw.each([
        ([within], action, f"{place}/team/b"), ([within], action, f"{place}/team/c"),
        ([allow], action, place), ([allow], action.lower(), place), ([allow], action, elsewhere),
        ([allow], other, place), ([deny, allow], action, place), ([allow, deny], action, place),
        ([], action, place), (more, action, place), ([allow, *more], action, place)])
    return statements, asked, f"{where}/a.jsonl"


def _log(draw: Draw) -> Case:
    """A log as it was written, or tampered with somewhere."""
    lines = [f"{draw.choice(PEOPLE)} read file {draw.randrange(1000)}" for _ in range(
        draw.randint(3, 8))]
    log = _chained(*lines)
    head, place = log[-1][1], draw.choice([0, draw.randrange(len(log))])
    changed = [*log[:place], (f"nobody did {place}", log[place][1]), *log[place + 1:]]
    return draw.each([log, changed, changed, log[:-1], log[:place] + log[place + 1:],
                        _chained(*lines[:-1], "all is well")]), head


def _lineage(draw: Draw) -> Case:
    sources = ["notes", "web", "laws", "mails"]
    made: dict[str, list[str]] = {}
    for number in range(draw.randint(6, 10)):
        things = [*sources, *made, *made]
        made[f"thing {number}"] = draw.sample(sorted({*things}), draw.randint(1, 2))
    models = {name for name in made if draw.random() < 0.6} | {f"thing {len(made) - 1}"}
    return made, models, draw.choice(sources)


FRESH = {"pseudonyms": _names, "allowed": _request, "broken_at": _log, "to_retrain": _lineage}
