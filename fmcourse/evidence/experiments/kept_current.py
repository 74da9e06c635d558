"""R5: one task over five years of releases, with the training set refreshed and without."""

from __future__ import annotations

import numpy as np
from datasets import Dataset, DatasetDict, concatenate_datasets

from fmcourse import data, train
from fmcourse.data.yearly import YEARS
from fmcourse.evidence.experiments.shared import Outcome

LAST, LASTING = "right on the last release", "right about services of the first release"
LOST = "lost since the first release"
NEVER, REFRESHED, ADDED, TWICE = ("never refreshed", "refreshed every year",
                                  "as many new ones added", "as many old ones added")


def kept_current(seed: int, count: int = 40, each: int = 24, test: int = 12,
                 years: tuple[int, ...] = tuple(YEARS)) -> Outcome:
    """Whose documentation is it, in AWS's releases of 2022 to 2026?

    A router taught on the first release meets services and texts that came after. Refreshed, it is
    taught anew each year on as many records of that year's release. Where old and new ones are
    kept together, the control adds as many records of the first release instead. Part of what is
    lost is owed to services without a label: as much as would be right about them, had they been
    answered as those of the first release were. Refreshed with as many records, the set has fewer
    of each service, which costs what was there all along.

    Args:
        count: services drawn, of those of the last release.
        each: labelled records of a service, a year.
        test: of a service.
        years: the releases.
    """
    parts = data.yearly_paragraphs(seed, count, each, test, years)
    first, last = years[0], years[-1]
    start = parts[first]["train"]
    taught = {NEVER: bag(start)}
    tests = {year: part["test"] for year, part in parts.items()}
    curves = {NEVER: [right(taught[NEVER], tests[year]) for year in years]}
    curves[REFRESHED] = curves[NEVER][:1]
    for year in years[1:]:
        rows = parts[year]["train"]
        taught[REFRESHED] = bag(rows.select(range(min(len(start), len(rows)))))
        curves[REFRESHED].append(right(taught[REFRESHED], tests[year]))
    news, more = parts[last]["train"], parts[first]["more"]
    size = min(len(news), len(more))
    taught[ADDED] = bag(start, news.select(range(size)))
    taught[TWICE] = bag(start, more.select(range(size)))
    known = set(start["label"][:])
    lasting = tests[last].select([i for i, name in enumerate(tests[last]["label"][:])
                                  if name in known])
    unlabelled = 1 - len(lasting) / len(tests[last])
    arms = {name: {LAST: right(one, tests[last]), LASTING: right(one, lasting)}
            for name, one in taught.items()}
    for name, curve in curves.items():
        arms[name][LOST] = curve[0] - curve[-1]
    return Outcome(arms, {f"{part} {year}": data.card(parts[year][part]).sha256
                          for year in years for part in ("train", "test")},
                   {"lost to services without a label": curves[NEVER][0] * unlabelled,
                    "years": list(years), "curves": curves, "records": len(start),
                    "services": {str(year): len(set(rows["label"][:]))
                                 for year, rows in tests.items()},
                    "drift": drifts(parts, years)})


def bag(*sets: Dataset):
    """A bag of words taught on these records."""
    rows = concatenate_datasets(list(sets))
    return train.bag_of_words(rows["text"][:], rows["label"][:])


def right(taught, rows: Dataset) -> float:
    """Share of the records that are answered right."""
    return float(np.mean(taught.predict(rows["text"][:]) == np.array(rows["label"][:])))


def drifts(parts: dict[int, DatasetDict], years: tuple[int, ...]) -> dict[str, list[float]]:
    """How far each year's test is from the first one's, in labels and in words."""
    first = parts[years[0]]["test"]
    tables = [data.drift(first["text"][:], parts[year]["test"]["text"][:], shuffles=5,
                         labels=(first["label"][:], parts[year]["test"]["label"][:]))
              for year in years[1:]]
    return {name: [float(table.set_index("statistic")["value"][name]) for table in tables]
            for name in ("words: JS distance", "labels: JS distance")}
