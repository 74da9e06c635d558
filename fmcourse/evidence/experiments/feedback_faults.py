"""Faults of records and jobs of human feedback for AWS, one at a time, and where each of them is.

The ranges of a job's settings are written down here as AWS's page has them, not taken from the API
model that jobs are held against: were the two to part, H6 would fail.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from fmcourse import aws, data
from fmcourse.data import formats
from fmcourse.data.formats import REINFORCEMENT

WHOLE_FILE, WHOLE_RECORD = "the file", "the record"
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_RFTHyperParameters.html
RANGES = {"batchSize": (16, 512), "epochCount": (1, 50), "learningRate": (1e-7, 1e-3),
          "trainingSamplePerPrompt": (2, 16), "evalInterval": (1, 100)}
FEWEST = 100  # records of reinforcement fine-tuning
Record = dict[str, Any]
Change = Callable[[Record], Record]


@dataclass(frozen=True)
class File:
    """Records of one format, for a model of `data.limits` if one is named."""

    name: str
    form: data.Format
    records: list[Record]
    model: str | None = None

    def lines(self) -> list[str]:
        """As they are written."""
        return [formats.as_line(record) for record in self.records]


@dataclass(frozen=True)
class Fault:
    """A file or a request with one thing broken: what it is, and the place that should be named."""

    what: str
    place: str
    thing: File | aws.Request


def _without(key: str) -> Change:
    return lambda record: {name: value for name, value in record.items() if name != key}


def _with(**changes: Any) -> Change:
    return lambda record: {**record, **changes}


def _turn(key: str, at: int, **changes: Any) -> Change:
    return lambda record: {**record, key: [{**turn, **changes} if i == at else turn
                                           for i, turn in enumerate(record[key])]}


def _equal(record: Record) -> Record:
    return {**record, "rejected": record["chosen"]}


def _misspelt(record: Record) -> Record:
    return {"choosen" if key == "chosen" else key: value for key, value in record.items()}


def _as_pair(record: Record) -> Record:
    return {"prompt": record["messages"][-1]["content"], "completion": record["reference_answer"]}


PROMPTS: dict[str, tuple[str, Change]] = {
    "no reference answer": (WHOLE_RECORD, _without("reference_answer")),
    "an empty reference answer": ("reference_answer", _with(reference_answer="")),
    "no messages": (WHOLE_RECORD, _without("messages")),
    "an unknown role": ("messages[0].role", _turn("messages", 0, role="human")),
    "content in blocks": ("messages[0].content",
                          _turn("messages", 0, content=[{"text": "Who am I?"}])),
    "a pair, as for supervised": (WHOLE_RECORD, _as_pair)}
RECORDS: dict[str, dict[str, tuple[str, Change]]] = {  # file → what is broken → place, change
    "comparisons": {
        "no chosen answer": (WHOLE_RECORD, _without("chosen")),
        "no rejected answer": (WHOLE_RECORD, _without("rejected")),
        "an empty chosen answer": ("chosen", _with(chosen="")),
        "a key misspelt": ("choosen", _misspelt),
        "the same answer twice": ("rejected", _equal)},
    "comparisons-in-messages": {
        "no chosen answer": (WHOLE_RECORD, _without("chosen")),
        "an unknown role": ("chosen[1].role", _turn("chosen", 1, role="bot")),
        "the user's answer": ("chosen[1].role", _turn("chosen", 1, role="user")),
        "answers to different prompts": ("rejected[0]", _turn("rejected", 0, content="And now?")),
        "the same answer twice": ("rejected", _equal)},
    "tasks": PROMPTS, "commands": PROMPTS}


def record_faults(file: File, changes: dict[str, tuple[str, Change]], draw: random.Random
                  ) -> Iterator[Fault]:
    """The file with one record broken, a random one for each change."""
    for what, (place, change) in changes.items():
        at = draw.randrange(len(file.records))
        some = [*file.records[:at], change(file.records[at]), *file.records[at + 1:]]
        yield Fault(what, f"line {at + 1}, {place}", replace(file, records=some))


def file_faults(files: list[File], seed: int) -> Iterator[Fault]:
    """Files of which one record is broken, or which are too small or go to the wrong place."""
    draw = random.Random(seed)
    for file in files:
        yield from record_faults(file, RECORDS[file.name], draw)
        if file.form is REINFORCEMENT:
            few = file.records[:FEWEST - 1]
            yield Fault("too few records", WHOLE_FILE, replace(file, records=few))
            yield Fault("sent to supervised", WHOLE_FILE, replace(file, model="nova-lite"))
        else:
            yield Fault("sent to Bedrock", WHOLE_FILE, replace(file, model="nova-2-lite-rft"))


def job_faults(job: aws.Request) -> Iterator[Fault]:
    """A job with one fault: a setting beyond its range, or what AWS's pages say it must have."""
    rft = job.parameters["customizationConfig"]["rftConfig"]
    inside = "customizationConfig.rftConfig"
    beyond = [("reasoningEffort", "highest")]
    for key, (least, most) in RANGES.items():
        beyond += [(key, least - 1), (key, most + 1)] if isinstance(least, int) else [
            (key, least / 10), (key, most * 10)]
    for key, value in beyond:
        settings = {**rft["hyperParameters"], key: value}
        yield Fault(f"{key} {value}", f"{inside}.hyperParameters.{key}",
                    job.with_parameters(customizationConfig={
                        "rftConfig": {**rft, "hyperParameters": settings}}))
    judge = {"lambdaGrader": {"lambdaArn": job.parameters["baseModelIdentifier"]}}
    for what, place, parts in (
            ("no grader", inside, _without("graderConfig")(rft)),
            ("a model in the grader's place", f"{inside}.graderConfig.lambdaGrader.lambdaArn",
             {**rft, "graderConfig": judge})):
        yield Fault(what, place, job.with_parameters(customizationConfig={"rftConfig": parts}))
    for what, place, value in (
            ("the method's part missing", "customizationConfig", None),
            ("the method misspelt", "customizationType", "REINFORCEMENT_FINETUNING"),
            ("a model that is not for it", "baseModelIdentifier", aws.bases()["nova-lite"].id),
            ("no role", "roleArn", None), ("no output", "outputDataConfig", None)):
        yield Fault(what, place, job.with_parameters(**{place: value}))
    yield Fault("data outside S3", "trainingDataConfig.s3Uri", job.with_parameters(
        trainingDataConfig={"s3Uri": "https://example.com/tasks.jsonl"}))
    yield Fault("another region", "region", replace(job, region="eu-central-1"))
