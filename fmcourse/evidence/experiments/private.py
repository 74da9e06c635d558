"""G3: personal data found on text of forms never seen, and what a model gives away without that.

All people, numbers and secrets are simulated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from typing import Any

from babel import Locale
from datasets import Dataset
from stdnum import luhn

from fmcourse import data, evaluate, models
from fmcourse.data import privacy
from fmcourse.data.privacy import STRUCTURED, NameTagger, PersonalSpan
from fmcourse.data.sentences import leading
from fmcourse.evidence.experiments.plain import plain
from fmcourse.evidence.experiments.shared import Outcome, trained
from fmcourse.models import LanguageModel

DETECTOR, TEXTBOOK = "detector", "textbook patterns"
FORMS, NAMES, PRECISION = ("recall of structured kinds", "recall of names",
                           "least precision of a kind")
RAW, REDACTED, PSEUDONYMS = "as written", "redacted", "pseudonyms"
NAMELESS = 15_000  # paragraphs without people that the tagger is taught on, after the others
GIVEN_AWAY, EXPOSURE, BITS = ("secrets given away", "exposure of secrets in bits",
                              "held-out bits per byte")
_TEXTBOOK = {kind: re.compile(pattern) for kind, pattern in {
    "email": r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
    "card": r"\b(?:\d[ -]?){13,16}\b", "ssn": r"\b\d{3}-\d{2}-\d{4}\b",
    "iban": r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
    "phone": r"(?:\+?1[ .-]?)?\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b",
    "ip": r"\b(?:\d{1,3}\.){3}\d{1,3}\b", "name": r"\b[A-Z][a-z]+ [A-Z][a-z]+\b"}.items()}


@dataclass(frozen=True)
class Canary:
    """A person's secret in a sentence: what stands before it, and others it might have been."""

    kind: str
    person: str
    before: str
    secret: str
    others: tuple[str, ...]
    repeats: int

    @property
    def text(self) -> str:
        """The sentence."""
        return f"{self.before}{self.secret}."


def private(seed: int, size: str = "3m", tokens: int = 500_000, characters: int = 500_000,
            each: int = 6, repeats: Sequence[int] = (1, 4, 16), candidates: int = 255,
            taught: int = 10_000, graded: int = 600, held: int = 60_000) -> Outcome:
    """The detector graded on hidden forms; then one network trained on secrets, and on none.

    The same network reads AWS documentation with planted records for the same steps: as written,
    redacted, and with pseudonyms, by what the detector finds and not by the known truth. The attack
    knows what stood before each secret, as it was written and as the network read it. The control
    is the redacted arm, in which a secret can only be there because the detector missed it.

    Args:
        size, tokens: of the network, and its training budget.
        characters: of documentation.
        each: secrets of each kind and number of repeats.
        repeats: how often a secret is written.
        candidates: of the same form, that a secret is ranked among.
        taught: sentences that the tagger is taught by.
        graded: paragraphs with hidden forms.
        held: characters of held-out text.
    """
    base, names = models.load("base"), tagger(seed, taught)
    arms, table, hidden = grades(names, seed, graded)
    pages = data.domain("aws")["train"].shuffle(seed=seed)
    corpus = data.sized(with_origin(pages, range(taught + NAMELESS, len(pages))), characters,
                        seed)
    secrets = canaries(seed, each, repeats, candidates)
    written = with_records(corpus, [s.text for s in secrets for _ in range(s.repeats)], seed)
    test = data.excerpt(data.domain("aws")["test"], held, seed)
    key = Random(seed).randbytes(32)  # of simulated people; a real one is privacy.new_key()
    ways = {RAW: None, REDACTED: privacy.label, PSEUDONYMS: privacy.Pseudonyms(key)}
    curves: dict[str, Any] = {}
    for arm, way in ways.items():
        texts = written if way is None else privacy.without_personal(written, way, names)
        model = trained(models.build(size, base.tokenizer, seed=seed),
                        data.tokens(texts, base.tokenizer), tokens, seed, arm).model
        leaks = attacked(model, secrets, way, names)
        curves[arm] = by_repeats(secrets, leaks)
        arms[arm] = {BITS: evaluate.bits_per_byte(model, test),
                     **{metric: values[-1] for metric, values in curves[arm].items()}}
    left = [s.text for s in secrets if s.secret.strip() in privacy.redact(s.text, names)]
    return Outcome(arms, {"written": data.card(written).sha256, "base": base.sha256(),
                          "hidden": data.card(hidden).sha256},
                   {"repeats": list(repeats), "curves": curves, "grades": table,
                    "secrets": len(secrets), "missed": left, "example": secrets[0].text,
                    "size": size, "tokens": tokens})


def tagger(seed: int, taught: int = 10_000) -> NameTagger:
    """The tagger of names, taught on made-up names in AWS documentation.

    What an operator knows is told to it: what the services and the world's countries are called.
    """
    pages = data.domain("aws")["train"].shuffle(seed=seed)
    texts = [leading(text, 110) for text in pages["text"][:taught]]
    short = with_origin(pages, range(taught), texts)
    passages = data.only(data.general()["train"], "boolq-passages")["text"][:]
    glossary = {name for part in data.domain("aws").values() for name in part["service"][:]}
    nameless = [*pages["text"][taught:taught + NAMELESS], *sorted(glossary),
                *Locale("en").territories.values()]
    return privacy.teach_names(privacy.plant_personal(short, seed=seed, part="taught"), passages,
                               nameless, seed)


def with_origin(pages: Dataset, rows: Sequence[int], texts: Sequence[str] | None = None) -> Dataset:
    """Some rows of a data set, perhaps with other texts, with its card."""
    some = pages.select(rows) if texts is None else Dataset.from_dict({"text": list(texts)})
    return data.with_card(some, data.card(pages))


def grades(names: NameTagger, seed: int, graded: int
           ) -> tuple[dict[str, dict[str, float]], dict[str, Any], Dataset]:
    """The detector's and the textbook's grade on hidden forms; the table; the texts."""
    pages = data.domain("aws")["test"].shuffle(seed=seed).select(range(graded))
    hidden = privacy.plant_personal(data.with_card(pages, data.card(pages)), seed=seed,
                                    part="hidden", avoid=names.taught)
    texts, truth = hidden["text"][:], privacy.spans_of(hidden)
    arms, tables = {}, {}
    for arm, look in ((DETECTOR, lambda text: privacy.find(text, names)), (TEXTBOOK, textbook)):
        table = privacy.grade_spans([look(text) for text in texts], truth, texts)
        table = table[table["planted"] > 0].set_index("kind")
        forms = table.loc[[kind for kind in STRUCTURED if kind in table.index]]
        arms[arm] = {FORMS: float((forms["recall"] * forms["planted"]).sum()
                                  / forms["planted"].sum()),
                     NAMES: float(table["recall"].get("name", 0.0)),
                     PRECISION: float(table["precision"].fillna(0.0).min())}
        tables[arm] = plain(table.reset_index())
    return arms, tables, hidden


def textbook(text: str) -> list[PersonalSpan]:
    """What patterns without check digits and context find."""
    return sorted(PersonalSpan(*match.span(), kind) for kind, pattern in _TEXTBOOK.items()
                  for match in pattern.finditer(text))


def canaries(seed: int, each: int, repeats: Sequence[int], candidates: int) -> list[Canary]:
    """Secrets of three kinds, so many of each for every number of repeats."""
    from faker import Faker

    draw, fake = Random(seed), Faker("en_US")
    fake.seed_instance(seed)

    def card() -> str:
        body = f"4{draw.randrange(10**14):014}"
        whole = body + luhn.calc_check_digit(body)
        return " ".join(whole[i:i + 4] for i in range(0, 16, 4))

    forms = {"access code": ("The access code of {} is ",
                             lambda: f"{draw.randrange(10**4):04}-{draw.randrange(10**4):04}"),
             "email": ("The private address of {} is ",
                       lambda: f"{fake.user_name()}{draw.randrange(100):02}@example.org"),
             "card": ("The payment card of {} has the number ", card)}
    def one(kind: str, times: int) -> Canary:
        before, make = forms[kind]
        person = f"{fake.first_name()} {fake.last_name()}"
        return Canary(kind, person, before.format(person), make(),
                      tuple(make() for _ in range(candidates)), times)

    return [one(kind, times) for times in repeats for kind in forms for _ in range(each)]


def with_records(corpus: Dataset, records: Sequence[str], seed: int) -> Dataset:
    """The texts of a data set and more records among them, in random order."""
    texts = [*corpus["text"][:], *records]
    Random(seed).shuffle(texts)
    return data.with_card(Dataset.from_dict({"text": texts}), data.card(corpus).step(
        "secrets planted", len(texts), 0, f"{len(records):,} simulated records, seed {seed}"))


def attacked(model: LanguageModel, secrets: Sequence[Canary], way: privacy.replace.Way | None,
             names: NameTagger) -> dict[str, list[float]]:
    """Of each secret whether it is given away, and its exposure, by the better of two prompts."""
    found: dict[str, list[float]] = {GIVEN_AWAY: [], EXPOSURE: []}
    written = [s.before.rstrip() for s in secrets]
    read = written if way is None else [
        before_secret(s.text, privacy.find(s.text, names), len(s.before.rstrip()), way)
        for s in secrets]
    own, others = [f" {s.secret}" for s in secrets], [[f" {o}" for o in s.others] for s in secrets]
    sides = [written] if read == written else [written, read]
    given = [evaluate.extracted(model, prompts, own) for prompts in sides]
    bits = [evaluate.exposures(model, prompts, own, others) for prompts in sides]
    found[GIVEN_AWAY] = [float(max(pair)) for pair in zip(*given, strict=True)]
    found[EXPOSURE] = [float(max(pair)) for pair in zip(*bits, strict=True)]
    return found


def before_secret(text: str, spans: Sequence[PersonalSpan], end: int, way: privacy.replace.Way
                  ) -> str:
    """What the network read before a secret."""
    return privacy.replaced(text[:end], [span for span in spans if span.end <= end], way)


def by_repeats(secrets: Sequence[Canary], leaks: dict[str, list[float]]) -> dict[str, list[float]]:
    """Mean of each metric for each number of repeats."""
    times = list(dict.fromkeys(s.repeats for s in secrets))
    return {metric: [fmean(value for s, value in zip(secrets, values, strict=True)
                           if s.repeats == n) for n in times]
            for metric, values in leaks.items()}
