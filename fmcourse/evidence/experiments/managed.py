"""K8: what one brings to managed fine-tuning and to a training job of one's own, right and broken.

The same pairs of request and command in the formats of both, and the requests that would start a
customization job (Bedrock), a training job (SageMaker AI) and an import. What a JSON parser and
botocore let through tells what the checks are worth.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmcourse import aws, data, store, train
from fmcourse.aws.plan import managed_settings
from fmcourse.aws.tuned import Tuned, arguments, tuned
from fmcourse.data.formats import PAIR
from fmcourse.evidence.experiments.feedback_faults import File
from fmcourse.evidence.experiments.feedback_on_aws import said, tried_out
from fmcourse.evidence.experiments.least_privilege import example
from fmcourse.evidence.experiments.managed_faults import IMAGE, file_faults, job_faults
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import Adapter

ROOM = "settings of the recipe that a job takes"
MANAGED, OWN = "managed (Bedrock)", "own control (SageMaker AI)"
FILES = (("bedrock-nova", "bedrock-conversation", "nova-micro"),  # format, and for which model
         ("bedrock-llama", "prompt-completion", "llama-3.1-8b"), ("sagemaker", "messages", None))
RECIPE = "the recipe itself"
# Every setting of the recipe and of its adapter, each with another value that a run might have,
# within what Bedrock's models take, so that none is left out for its value. `tokens` is not among
# them: it is `epochs` in another unit, and would count twice.
OTHERWISE: dict[str, Any] = {
    "learning_rate": 5e-5, "optimizer": "muon", "warmup": 0.2, "decay": 0.5, "weight_decay": 0.1,
    "clip": 0.5, "seed": 1, "epochs": 4.0, "least_steps": 10, "max_length": 128,
    "batch_tokens": 2048, "micro_rows": 1, "looks": 3, "patience": 2, "checkpoint_minutes": 5.0,
    "adapter.method": "rslora", "adapter.rank": 4, "adapter.alpha": 8.0,
    "adapter.targets": ("q_proj", "v_proj"), "adapter.tokens": 8}


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
    said = arguments(run(recipe()), "sagemaker.jsonl", "model", "base")
    return made + [job for home in (example(), bare) for job in (
        aws.training_job(home, IMAGE, said), aws.import_job(home))]


def first_of_each(tried: list[aws.Request]) -> list[aws.Request]:
    """One job of each operation."""
    return list({job.operation: job for job in reversed(tried)}.values())


def recipe() -> train.InstructRecipe:
    """Of a run that both jobs can do: its epochs and learning rate are within Bedrock's limits."""
    return train.InstructRecipe(epochs=2.0, learning_rate=1e-5, adapter=Adapter("lora", rank=8))


def run(chosen: train.InstructRecipe) -> Tuned:
    """A run of a recipe, as its folder would tell of it."""
    return tuned({"name": "base on records.jsonl", "recipe": chosen.as_dict(),
                  "metrics": {"epochs": chosen.epochs, "validation_after": 1.0},
                  "parents": {"start": "0" * 64}, "reads": [{"texts": 9}, {"texts": 1}]})


def otherwise(name: str) -> train.InstructRecipe:
    """The recipe with one setting changed."""
    part, _, inner = name.rpartition(".")
    if not part:
        return replace(recipe(), **{name: OTHERWISE[name]})
    return replace(recipe(), adapter=replace(recipe().adapter, **{inner: OTHERWISE[name]}))


def room() -> dict[str, dict[str, float]]:
    """How many settings of a recipe reach either job: those whose change changes the job's request.

    Of Bedrock's models, the one that takes most.
    """
    settled = [name for name in aws.bases() if aws.settings(name)]

    def counted(told: Callable[[Tuned], Any]) -> int:
        before = told(run(recipe()))
        return sum(told(run(otherwise(name))) != before for name in OTHERWISE)

    return {MANAGED: {ROOM: max(counted(lambda done, model=model: managed_settings(done, model))
                                for model in settled)},
            OWN: {ROOM: counted(lambda done: arguments(done, "train.jsonl", "model", "base"))},
            RECIPE: {ROOM: len(OTHERWISE)}}
