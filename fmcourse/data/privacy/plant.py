"""Personal data planted in real text with known truth, to teach and to grade a detector with.

All of it is simulated: names by Faker, numbers that pass their checks and belong to nobody known.
The sentences and ways of writing are in `templates.toml`, in parts that share neither: one to teach
the tagger by, one to develop the detector against, and a hidden one. A grade on planted text is a
guide, not a guarantee: real letters have forms that no list of templates has.
"""

from __future__ import annotations

import ipaddress
import random
import re
import tomllib
from collections.abc import Callable, Collection, Sequence
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from datasets import Dataset
from stdnum import iban, luhn

from fmcourse.data.card import card, with_card
from fmcourse.data.privacy.spans import KINDS, PersonalSpan
from fmcourse.errors import DataError, meant

_BOUNDARY = re.compile(r"(?<=[a-z)][.!?]) (?=[A-Z])")
_SPACE, _NEVER = re.compile(" "), re.compile(r"(?!)")
_BARE = "{name}"
_FORMAT = Formatter()
_PRODUCTS = ("Simple Storage", "Cloud Archive", "Data Pipeline", "Lambda", "Batch Transform",
             "Route Planner", "Night Owl", "Identity Center", "Glue", "Mountain Bike")
_WORDS = ("bluebird", "lattice", "harbor", "tundra", "quartz", "meadow")
_TRIES = 100  # draws of a name whose words are not to be avoided


@cache
def templates() -> dict[str, Any]:
    """The parts of `templates.toml`."""
    with open(Path(__file__).with_name("templates.toml"), "rb") as file:
        return tomllib.load(file)


class Maker:
    """Draws the values of one part, seeded.

    Args:
        part: of `templates.toml`.
        seed: of every draw.
        avoid: words in lower case that no name may have.
    """

    def __init__(self, part: str, seed: int, avoid: Collection[str] = ()):
        from faker import Faker

        if part not in templates():
            raise DataError(f"There are no templates called {part!r}.", where="plant_personal",
                            fix=meant(part, templates()))
        own = templates()[part]
        self.writing, self.titles = own["writing"], own["titles"]
        self.scattered, self.decoyed = own.get("scattered", 0.0), own.get("decoyed", 0.5)
        self.draw, self.avoid = random.Random(seed), frozenset(avoid)
        self.fakes, self.places, self.english = (
            [Faker(locale) for locale in locales]
            for locales in (own["locales"], own["places"], ["en_US"]))
        self.firms = own["firms"]
        for place, fake in enumerate((*self.fakes, *self.places, *self.english)):
            fake.seed_instance(seed * 1000 + place)

    def personal(self, kind: str) -> tuple[str, int, int]:
        """A value of a kind as somebody would write it, and where in that the value itself is."""
        fake, way = self.draw.choice(self.fakes), self.draw.choice(self.writing[kind])
        if "{" not in way:
            written = self._numbered(kind, way, fake)
            return written, 0, len(written)
        written, places = filled(way, _FIELDS[kind](self, fake).__getitem__)
        own = [place for place in places if place[2] != "title"]
        return written, own[0][0], own[-1][1]

    def _numbered(self, kind: str, way: str, fake: Any) -> str:
        if kind == "card":
            written = fake.numerify(way if way[0] == "3" else "4" + way[1:])
            digits = re.sub("[^0-9]", "", written)
            return written[:-1] + luhn.calc_check_digit(digits[:-1])
        if kind == "ssn":
            digits = iter(self._ssn())
            return re.sub("#", lambda _: next(digits), way)
        return fake.numerify(way)

    def _ssn(self) -> str:
        area = self.draw.choice([n for n in range(1, 900) if n != 666])
        return f"{area:03}{self.draw.randrange(1, 100):02}{self.draw.randrange(1, 10_000):04}"

    def names(self, fake: Any) -> dict[str, str]:
        """One person's name in several writings."""
        for _ in range(_TRIES):
            first, last = fake.first_name(), fake.last_name()
            if self.avoid.isdisjoint(re.findall(r"\w+", f"{first} {last}".lower())):
                break
        full = f"{first} {last}"
        return {"first": first, "last": last, "full": full, "upper": full.upper(),
                "lower": full.lower(), "initial": first[0], "title": self.draw.choice(self.titles)}

    def emails(self, fake: Any) -> dict[str, str]:
        """One address in several writings."""
        value = fake.email(safe=False)
        user, _, host = value.partition("@")
        return {"value": value, "upper": value.upper(), "plus": f"{user}+news@{host}",
                "obscured": f"{user} [at] {host.replace('.', ' [dot] ')}"}

    def ibans(self, fake: Any) -> dict[str, str]:
        """One account in several writings."""
        value = fake.iban()
        while not iban.is_valid(value, check_country=False):  # some of Faker's are too short
            value = self.draw.choice(self.fakes).iban()
        groups = [value[i:i + 4] for i in range(0, len(value), 4)]
        return {"value": value, "groups": " ".join(groups), "hyphens": "-".join(groups),
                "hard": "\u00a0".join(groups), "lower": " ".join(groups).lower()}

    def addresses(self, fake: Any) -> dict[str, str]:
        """A host's address of each version."""
        rest = int(ipaddress.IPv6Address(fake.ipv6())) % 2**120
        six = str(ipaddress.IPv6Address((0x2A << 120) + rest))
        return {"v4": fake.ipv4_public(), "v6": six, "v6upper": six.upper()}

    def decoy(self, kind: str) -> str:
        """Something that looks like personal data and is none."""
        fake = self.draw.choice(self.places if kind in ("city", "street") else self.english)
        return str(_DECOYS[kind](self, fake))

    def company(self, fake: Any) -> str:
        """A firm, often called after a person."""
        own = self.draw.choice((fake.last_name(), self.draw.choice(_WORDS).title()))
        return f"{own} {self.draw.choice(self.firms)}"


_FIELDS: dict[str, Callable[[Maker, Any], dict[str, str]]] = {
    "name": Maker.names, "email": Maker.emails, "iban": Maker.ibans, "ip": Maker.addresses}
_DECOYS: dict[str, Callable[[Maker, Any], Any]] = {
    "account": lambda m, f: f.numerify("%###########"),
    "arn": lambda m, f: f.numerify("arn:aws:iam::%###########:role/") + m.draw.choice(_WORDS),
    "city": lambda m, f: f.city(), "company": Maker.company, "country": lambda m, f: f.country(),
    "date": lambda m, f: f.date(), "hash": lambda m, f: f.sha256(), "job": lambda m, f: f.job(),
    "month": lambda m, f: f.month_name(), "network": lambda m, f: f.numerify("10.%#.0.0/16"),
    "order": lambda m, f: (body := f.numerify("4" + "#" * 14)) + luhn.calc_check_digit(body),
    "part": lambda m, f: f.numerify("$##-%#-###%"), "port": lambda m, f: f.numerify("%###"),
    "product": lambda m, f: m.draw.choice(_PRODUCTS), "street": lambda m, f: f.street_name(),
    "time": lambda m, f: f.time(), "tracking": lambda m, f: f.numerify("%###########"),
    "uuid": lambda m, f: f.uuid4(), "version": lambda m, f: f.numerify("%.%#.%#.%#"),
    "weekday": lambda m, f: f.day_of_week(), "word": lambda m, f: m.draw.choice(_WORDS)}


def filled(template: str, value: Callable[[str], str]) -> tuple[str, list[tuple[int, int, str]]]:
    """A template with its fields filled in, and start, end and name of each.

    >>> filled("{{a}} {b}!", {"b": "xy"}.get)
    ('{a} xy!', [(4, 6, 'b')])
    """
    written, places = "", []
    for before, field, _, _ in _FORMAT.parse(template):
        written += before
        if field is not None:
            own = value(field)
            places.append((len(written), len(written) + len(own), field))
            written += own
    return written, places


def sentence(template: str, maker: Maker) -> tuple[str, list[PersonalSpan]]:
    """A template filled in, with the truth about it."""
    inner: dict[int, tuple[int, int]] = {}

    def value(field: str) -> str:
        if field not in maker.writing:
            return maker.decoy(field)
        written, *inner[len(inner)] = maker.personal(field)
        return written

    text, places = filled(template, value)
    personal = [place for place in places if place[2] in maker.writing]
    return text, [PersonalSpan(start + own[0], start + own[1], kind)
                  for (start, _, kind), own in zip(personal, inner.values(), strict=True)]


def plant_personal(texts: Dataset, kinds: Sequence[str] = KINDS, seed: int = 0, part: str = "dev",
                   avoid: Collection[str] = ()) -> Dataset:
    """Texts with a sentence of personal data in each, and decoys in many.

    Args:
        texts: a column `text`; a card.
        kinds: that may occur.
        seed: of all draws.
        part: of `templates.toml`: 'taught' (names and addresses only), 'dev' or 'hidden'.
        avoid: words in lower case that no planted name may have, such as `tagger.taught`.

    Returns:
        The columns of `texts`, and `spans`: start, end and kind of what was planted. What the texts
        held before is not in it.

    Raises:
        DataError: there is no such part, or it has no sentence of these kinds.
    """
    maker = Maker(part, seed, avoid)
    fields = {line: {field for _, _, field in filled(line, str)[1]} & {*KINDS}
              for line in templates()[part]["sentences"]}
    usable = [line for line, own in fields.items() if own <= {*kinds}]
    if not any(fields[line] for line in usable):
        raise DataError(f"No sentence of {part!r} has only these kinds.", where=list(kinds),
                        fix=f"Choose from {', '.join(KINDS)}.")
    rows = [{**row, **_planted(row["text"], usable, templates()[part]["decoys"], maker)}
            for row in texts.to_list()]
    return with_card(Dataset.from_list(rows), card(texts).step(
        "personal data planted", len(rows), 0, f"simulated; {part}, seed {seed}"))


def _planted(text: str, usable: Sequence[str], decoys: Sequence[str], maker: Maker
             ) -> dict[str, Any]:
    scattered = maker.draw.random() < maker.scattered
    added = [sentence(_BARE if scattered else maker.draw.choice(usable), maker)]
    if decoys and maker.draw.random() < maker.decoyed:
        added.append(sentence(maker.draw.choice(decoys), maker))
    truth: list[PersonalSpan] = []
    for line, own in added:
        bare = scattered and line is added[0][0]
        ends = _SPACE if bare else _NEVER if "\n" in line else _BOUNDARY
        at, before, after = maker.draw.choice(_gaps(text, truth, ends))
        new, start = before + line + after, at + len(before)
        shift = [PersonalSpan(s.start + len(new), s.end + len(new), s.kind) if s.start >= at else s
                 for s in truth]
        truth = [*shift, *(PersonalSpan(s.start + start, s.end + start, s.kind) for s in own)]
        text = text[:at] + new + text[at:]
    return {"text": text, "spans": [{"start": s.start, "end": s.end, "kind": s.kind}
                                    for s in sorted(truth)]}


def _gaps(text: str, truth: Sequence[PersonalSpan], ends: re.Pattern[str]
          ) -> list[tuple[int, str, str]]:
    """Where a sentence may go, and what to write before and after it."""
    free = [match.start() for match in ends.finditer(text)
            if not any(s.start <= match.start() < s.end for s in truth)]
    return [*((place, " ", "") for place in free), (len(text), "\n", ""), (0, "", "\n")]


def spans_of(dataset: Dataset) -> list[list[PersonalSpan]]:
    """The planted spans of each text."""
    return [[PersonalSpan(**span) for span in spans] for spans in dataset["spans"][:]]
