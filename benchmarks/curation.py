"""How long curation takes: all documentation of AWS as raw HTML, through the standard steps.

    python benchmarks/curation.py

About 300,000 pieces of HTML, on one core (seconds of processor time, so that a busy machine changes
little); and near duplicates alone among all its different paragraphs, of which there are about
130,000, for which the course promises less than a minute. Writes benchmarks/results/curation.json.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fmcourse import data, hardware, sources, store
from fmcourse.data import curation
from fmcourse.evidence.ledger import versions

RESULTS = Path(__file__).with_name("results") / "curation.json"
PARAGRAPH = 60  # characters at least


def timed(step: curation.Step, seconds: dict[str, float]) -> curation.Step:
    """The same step, which writes down how long it took."""
    def decide(texts: Sequence[str]) -> list[curation.Decision]:
        decisions, seconds[step.name] = spent(lambda: step.decide(texts))
        return decisions

    return curation.Step(step.name, decide)


def spent(work: Callable[[], Iterable]) -> tuple[list, float]:
    """What some work gives, and the seconds of processor time it took."""
    began = time.process_time()
    found = list(work())
    return found, round(time.process_time() - began, 1)


def main() -> None:
    """Time everything once."""
    raw, seconds = sources.load("aws-docs-html", text_only=True), {}
    tests = data.domain("aws")["test"]["text"][:]
    steps = [timed(step, seconds) for step in curation.standard(tests)]
    curated = curation.curate(raw, steps)
    repairs = [curation.markup(), curation.unicode_form(), curation.exact_duplicates()]
    texts = [text for text in curation.curate(raw, repairs).kept["text"][:]
             if len(text) >= PARAGRAPH]
    originals, near = spent(lambda: data.near_duplicates(texts))
    result = {"texts": len(raw), "characters": data.card(raw).characters,
              "kept": len(curated.kept), "seconds": seconds,
              "paragraphs": len(texts), "near-duplicate seconds": near,
              "near duplicates": sum(original is not None for original in originals),
              "versions": versions(), "hardware": hardware.detect().as_record()}
    store.write_json(RESULTS, result)
    print(curated.table())
    print(result)


if __name__ == "__main__":
    main()
