"""H6: records and jobs of human feedback for AWS, as the course makes them and with one fault.

Comparisons are what DPO takes on SageMaker AI; prompts with a reference answer, and a job that
names a grader, are reinforcement fine-tuning on Bedrock.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fmcourse import aws, data, evaluate, store
from fmcourse.data.assistant import assistant_prompts, preferences, rivals
from fmcourse.data.formats import PAIR, PREFERENCE, REINFORCEMENT
from fmcourse.data.record_checks import shown
from fmcourse.data.strict_json import places
from fmcourse.evidence.experiments.aws_documents import GRADER, refused_by_botocore
from fmcourse.evidence.experiments.feedback_faults import (
    RANGES,
    WHOLE_FILE,
    WHOLE_RECORD,
    Fault,
    File,
    Record,
    file_faults,
    job_faults,
)
from fmcourse.evidence.experiments.least_privilege import example
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.evidence.experiments.validated import is_json

ACCEPTED, NAMED = "share accepted", "refusals that name the place"
MADE, BROKEN = "as the course makes them", "one thing broken"
ALONE, ELSEWHERE = "one thing broken, parsers alone", "another place"


def feedback_on_aws(seed: int = 0, records: int = 120) -> Outcome:
    """Comparisons, prompts with answers, and jobs, accepted or not; the same with one fault each.

    Nothing that is judged here is left to chance: a seed draws other records, and another one of
    them is broken. What a JSON parser and botocore let through tells what the checks are worth.

    Args:
        records: of each file, more than the 100 that Bedrock wants: one of them is broken.
    """
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as work:
        files, tried = exported(seed, records, Path(work)), jobs()
        broken = [*file_faults(files, seed), *job_faults(tried[0])]
        return tried_out(files, tried, broken, lambda thing: said(thing, Path(work)))


def tried_out(files: list[File], jobs: list[aws.Request], broken: list[Fault],
              said: Callable[[File | aws.Request], list[tuple[str, str]]]) -> Outcome:
    """What checks say to files and jobs as they are, and to each with one fault.

    Args:
        said: place and sentence of all that the checks have against one.
    """
    good = [not said(thing) for thing in (*files, *jobs)]
    found = [said(fault.thing) for fault in broken]
    named = [({place for place, _ in some}, fault.place)
             for some, fault in zip(found, broken, strict=True)]
    arms = {MADE: {ACCEPTED: _share(good)},
            BROKEN: {ACCEPTED: _share([not some for some in found]),
                     NAMED: _share([some == {place} for some, place in named])},
            ELSEWHERE: {NAMED: _share([bool(some - {place}) for some, place in named])},
            ALONE: {ACCEPTED: _share([parses(fault.thing) for fault in broken])}}
    return Outcome(arms, {"records": store.sha256_json([file.records for file in files]),
                          "jobs": store.sha256_json([job.as_dict() for job in jobs])}, {
        "files": {file.name: len(file.records) for file in files}, "jobs": len(jobs),
        "records": {file.name: file.records[0] for file in files},
        "broken": [{"broken": fault.what, "in": fault.thing.name if isinstance(fault.thing, File)
                    else fault.thing.operation, "said": " ".join(sentence for _, sentence in some)}
                   for fault, some in zip(broken, found, strict=True)]})


def exported(seed: int, records: int, folder: Path) -> list[File]:
    """Real records of the course, each file written by the converter and read back."""
    compared = comparisons(seed, records)
    tasks = assistant_prompts(records, seed, shares={"task": 1.0})
    wanted = data.sample(data.commands(seed)["train"], records, seed)
    made = [
        File("comparisons", PREFERENCE, compared),
        File("comparisons-in-messages", PREFERENCE, [in_messages(row) for row in compared]),
        File("tasks", PAIR, [{"prompt": row["prompt"], "completion": row["answer"]}
                             for row in tasks], "nova-2-lite-rft"),
        File("commands", PAIR, [{"prompt": row["prompt"], "completion": row["completion"]}
                                for row in wanted], "qwen3-32b-rft")]
    read = []
    for file in made:
        source, out = _written(file, folder / "made"), folder / f"{file.name}.jsonl"
        form = REINFORCEMENT if file.form is PAIR else file.form
        data.convert_file(source, form, out)
        reading = data.Reading(out, lambda _, record, parts: record, form)
        read.append(replace(file, form=form, records=[record for _, record in reading]))
    return read


def comparisons(seed: int, records: int) -> list[Record]:
    """Two hands' replies to prompts of all kinds, of which a simulated annotator prefers one."""
    asked = rivals(records, seed)
    sides = asked["first"][:], asked["second"][:]
    likes = [evaluate.rubric(list(asked), some)["utility"].tolist() for some in sides]
    pairs = preferences(asked, *sides, (likes[0], likes[1]), seed=seed)
    return [{key: row[key] for key in ("prompt", "chosen", "rejected")}
            for row in pairs if not row["tie"]]


def in_messages(row: Record) -> Record:
    """A comparison as two whole conversations."""
    return {key: data.conversation(row["prompt"], row[key]) for key in ("chosen", "rejected")}


def jobs() -> list[aws.Request]:
    """For each model that takes it: settings at their least, at their most, and AWS's own."""
    made = []
    for name, base in aws.bases().items():
        if base.reinforced:
            home = replace(example(), region=base.regions[0])
            ends = [{key: span[i] for key, span in RANGES.items()} for i in range(2)]
            made += [aws.customization_job(home, name, "reinforcement", training="tasks.jsonl",
                                           grader=GRADER, settings=settings)
                     for settings in ({**ends[0], "reasoningEffort": "low"},
                                      {**ends[1], "reasoningEffort": "high"}, None)]
    return made


def said(thing: File | aws.Request, folder: Path) -> list[tuple[str, str]]:
    """What the course's checks have against it: place and sentence; nothing if it is accepted."""
    if isinstance(thing, aws.Request):
        return [(one.where, str(one)) for one in aws.check(thing)]
    lines = thing.lines()
    reading, whole = data.check_file(_written(thing, folder / "checked"), thing.form,
                                     thing.model and data.limits(thing.model))
    found = [(f"line {bad.line}, {_path(lines[bad.line - 1], bad.column)}", str(bad))
             for _, bad in reading.bad]
    return found + [(WHOLE_FILE, sentence) for sentence in whole]


def parses(thing: File | aws.Request) -> bool:
    """Whether it passes without the course's checks: as JSON, or botocore's own validator."""
    if isinstance(thing, aws.Request):
        return not refused_by_botocore(thing)
    return all(map(is_json, thing.lines()))


def _written(file: File, folder: Path) -> Path:
    return store.atomic_write(folder / f"{file.name}.jsonl",
                              "".join(f"{line}\n" for line in file.lines()))


def _path(line: str, column: int) -> str:
    """The path of the value or key that begins at a column."""
    return next(shown(path) for path, key_at, at in places(line)
                if column - 1 in (key_at, at)) or WHOLE_RECORD


def _share(some: list[bool]) -> float:
    return sum(some) / len(some)
