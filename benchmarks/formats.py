"""How fast a million records are checked, and in how much memory.

    python benchmarks/formats.py [--records 1000000] [--format prompt-completion]

Writes lines of made-up records to a temporary folder, then checks, measures and converts them as
`fmcourse data` does, in one thread. Each time is told by the clock and, since a machine may have
other work, as processor time; the peak of this process's memory is printed along the way. Python's
own `json.loads`, which checks nothing, is timed beside it.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fmcourse import data
from fmcourse.data import formats
from fmcourse.hardware import detect

SENTENCE = ("the bucket policy denies access to a role until its trust relationship names the "
            "service that assumes it and the key allows decrypting what was written there")


def write(path: Path, records: int, target: str) -> None:
    """Records of 20 to 120 words, the same on every run."""
    dice, words_of = random.Random(0), SENTENCE.split()
    with open(path, "w", encoding="utf-8") as file:
        for number in range(records):
            words = dice.choices(words_of, k=dice.randrange(20, 120))
            pair = {"prompt": f"{number}: {' '.join(words[:15])}?",
                    "completion": " ".join(words[15:]) + "."}
            record = formats.converted(pair, formats.PAIR, formats.named(target)) \
                if target != formats.PAIR.name else pair
            file.write(json.dumps(record) + "\n")


def timed(name: str, work: Callable[[], object], records: int) -> None:
    """Run once; print seconds, and the peak of this process's memory so far."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{name:<22} {clock:6.1f} s by the clock, {processor:6.1f} s of processor, "
          f"{records / clock:9,.0f} a second, peak memory {peak:,.0f} MB", flush=True)


def parse_only(path: Path) -> None:
    with open(path, "rb") as file:
        for line in file:
            json.loads(line)


def check(path: Path, records: int) -> None:
    reading, faults = data.check_file(path)
    assert (reading.kept, reading.dropped, faults) == (records, 0, [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--format", default="prompt-completion")
    asked = parser.parse_args()
    print(detect())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write(path, asked.records, asked.format)
        print(f"{asked.records:,} records of {asked.format}, {path.stat().st_size / 1e6:,.0f} MB")
        target = formats.CHAT if asked.format != formats.CHAT.name else formats.BEDROCK
        for name, work in {
            "json.loads": lambda: parse_only(path),
            "fmcourse data check": lambda: check(path, asked.records),
            "fmcourse data stats": lambda: data.file_statistics(path),
            f"to {target.name}": lambda: data.convert_file(path, target, path.with_name("o.jsonl")),
        }.items():
            timed(name, work, asked.records)


if __name__ == "__main__":
    main()
