"""How long it takes to make the domain corpus: extraction, and removal of near duplicates.

    python benchmarks/domain.py

Whole AWS documentation of the current release, from the fetched archive, on one core (seconds of
processor time, so that a busy machine changes little). Writes benchmarks/results/domain.json.
"""

from __future__ import annotations

import time
from pathlib import Path

from fmcourse import data, hardware, sources, store
from fmcourse.data.domain import body
from fmcourse.evidence.ledger import versions
from fmcourse.sources.archive import Archive
from fmcourse.sources.fetching import fetch
from fmcourse.sources.readers import aws_docs

RESULTS = Path(__file__).with_name("results") / "domain.json"


def main() -> None:
    """Time both steps once."""
    archive = Archive(fetch("aws-docs"), "aws-docs")
    began = time.process_time()
    rows = list(aws_docs.texts(archive))
    extraction = time.process_time() - began
    texts = data.deduplicate(data.normalise(sources.load("aws-docs")))
    began = time.process_time()
    kept = data.drop_near_duplicates(texts, compared=body)
    near = time.process_time() - began
    result = {"texts": len(rows), "characters": sum(len(row["text"]) for row in rows),
              "extraction seconds": round(extraction, 1), "near-duplicate seconds": round(near, 1),
              "near duplicates dropped": len(texts) - len(kept), "versions": versions(),
              "hardware": hardware.detect().as_record()}
    store.write_json(RESULTS, result)
    print(result)


if __name__ == "__main__":
    main()
