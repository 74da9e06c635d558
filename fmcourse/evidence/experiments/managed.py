"""K8: what one brings to managed fine-tuning and to a training job of one's own, right and broken.

The same pairs of request and command in the formats of both, and the requests that would start a
customization job (Bedrock), a training job (SageMaker AI) and an import. What a JSON parser and
botocore let through tells what the checks are worth.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from fmcourse import aws, data, store, train
from fmcourse.aws.plan import OPTIONS, arguments
from fmcourse.data.formats import PAIR
from fmcourse.evidence.experiments.feedback_faults import File
from fmcourse.evidence.experiments.feedback_on_aws import said, tried_out
from fmcourse.evidence.experiments.least_privilege import example
from fmcourse.evidence.experiments.managed_faults import file_faults, job_faults
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import Adapter

ROOM = "settings of the recipe that a job takes"
MANAGED, OWN = "managed (Bedrock)", "own control (SageMaker AI)"
FILES = (("bedrock-nova", "bedrock-conversation", "nova-micro"),  # format, and for which model
         ("bedrock-llama", "prompt-completion", "llama-3.1-8b"), ("sagemaker", "messages", None))
SAME = {"epochs": "epochCount", "learning_rate": "learningRate"}  # what Bedrock calls them
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fmcourse:latest"


def managed(seed: int = 0, records: int = 120) -> Outcome:
    """Records and jobs, accepted or not; the same with one fault each; and what a job takes over.

    Nothing that is judged is left to chance: a seed draws other records, and breaks another one.

    Args:
        records: of each file, enough for every model.
    """
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as work:
        files, tried = exported(seed, records, Path(work)), jobs()
        broken = [*file_faults(files, seed), *(one for job in first_of_each(tried)
                                               for one in job_faults(job))]
        found = tried_out(files, tried, broken, lambda thing: said(thing, Path(work)))
    return replace(found, arms={**found.arms, **room()})


def exported(seed: int, records: int, folder: Path) -> list[File]:
    """The same pairs in every format, each file written by the converter and read back."""
    wanted = data.sample(data.commands(seed)["train"], records, seed)
    pairs = File("pairs", PAIR, [{"prompt": row["prompt"], "completion": row["completion"]}
                                 for row in wanted])
    source = store.atomic_write(folder / "pairs.jsonl",
                                "".join(f"{line}\n" for line in pairs.lines()))
    read = []
    for name, form, model in FILES:
        data.convert_file(source, data.record_format(form), folder / f"{name}.jsonl")
        reading = data.Reading(folder / f"{name}.jsonl", lambda _, record, parts: record,
                               data.record_format(form))
        read.append(File(name, data.record_format(form), [record for _, record in reading], model))
    return read


def jobs() -> list[aws.Request]:
    """A customization job for every model with AWS's own settings, then training and import."""
    made = []
    for name, base in aws.bases().items():
        home = replace(example(), region=base.regions[0])
        made.append(aws.customization_job(home, name, settings={
            key: limit["default"] for key, limit in aws.settings(name).items()}))
    bare = replace(example(), key=None, network=None)
    said = arguments(recipe().as_dict(), "sagemaker.jsonl")
    return made + [job for home in (example(), bare) for job in (
        aws.training_job(home, IMAGE, said), aws.import_job(home))]


def first_of_each(tried: list[aws.Request]) -> list[aws.Request]:
    """One job of each operation."""
    return list({job.operation: job for job in reversed(tried)}.values())


def recipe() -> train.InstructRecipe:
    """What is tuned by hand: every setting that the course's command takes, chosen."""
    return train.InstructRecipe(adapter=Adapter("lora", rank=8))


def room() -> dict[str, dict[str, float]]:
    """How much of a recipe either job takes: by AWS's table of settings, and by our command."""
    chosen = recipe().as_dict()
    command = arguments(chosen, "train.jsonl")
    wanted = {**{name: str(chosen[name]) for name in OPTIONS},
              **{key: str(chosen["adapter"][key]) for key in ("method", "rank")}}
    known = [aws.settings(name) for name in aws.bases() if aws.settings(name)]
    return {MANAGED: {ROOM: max(sum(SAME.get(name) in one for name in wanted) for one in known)},
            OWN: {ROOM: sum(value in command for value in wanted.values())}}
