"""From a run and its records to the requests that would do the same on AWS, three ways at once.

Managed (Bedrock): AWS's model, your records, a handful of settings. Own control (SageMaker AI):
your model and recipe, AWS's machines. Import: the model that was made here, answering on Bedrock.
What can be known before anything is sent is checked here: records against the model's format and
limits, the exported folder against the import's rules, requests against AWS's own API models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmcourse import data, store
from fmcourse.aws.checks import check
from fmcourse.aws.import_check import import_check
from fmcourse.aws.jobs import CHANNEL, INPUT, MODEL, import_job, job_role, training_job
from fmcourse.aws.models import settings
from fmcourse.aws.project import Project
from fmcourse.aws.requests import Request, customization_job
from fmcourse.errors import AwsError

OPTIONS = {"epochs": "--epochs", "learning_rate": "--learning-rate", "max_length": "--max-length",
           "seed": "--seed"}  # of a recipe, as `fmcourse train instruct` takes them


@dataclass(frozen=True)
class Plan:
    """Requests by the names of their files, in the order in which they would be sent."""

    requests: Mapping[str, Request]

    def write(self, folder: Path | str) -> list[Path]:
        """Write them as JSON; `fmcourse aws check` and `submit` read them."""
        return [store.write_json(Path(folder) / name, request.as_dict())
                for name, request in self.requests.items()]


def plan(project: Project, recipe: Mapping[str, Any], records: Path | str, model: str, image: str,
         exported: Path | str | None = None, instance: str = "ml.g5.xlarge") -> Plan:
    """The requests for a run that was tried here.

    Args:
        project: names on AWS.
        recipe: of the run: `run.recipe`.
        records: file that it learnt from, to be uploaded to the training prefix.
        model: of AWS, to customize with the same records, such as 'nova-micro'.
        image: of a container with the course, in Amazon ECR.
        exported: folder that `ship.export` wrote, to be imported; None leaves the import out.
        instance: machine of the training job.

    Raises:
        AwsError: a request or the exported folder that AWS would refuse.
        DataError: records that the model would refuse.
    """
    records = Path(records)
    _check_records(records, model)
    made = dict(zip(("1-trust.json", "2-rights.json"), job_role(project, image), strict=True))
    made["3-bedrock-customize.json"] = customization_job(
        project, model, training=records.name, settings=managed_settings(recipe, model))
    made["4-sagemaker-train.json"] = training_job(
        project, image, arguments(recipe, records.name), instance=instance)
    if exported is not None:
        _refuse(import_check(exported, project.region), exported)
        made["5-bedrock-import.json"] = import_job(project)
    for name, request in made.items():
        _refuse(check(request), name)
    return Plan(made)


def managed_settings(recipe: Mapping[str, Any], model: str) -> dict[str, float]:
    """What a managed job can take over from a recipe: its epochs, within the model's limits.

    Learning rates are not carried over: one that suits a small model is wrong for a large one.

    >>> managed_settings({"epochs": 12.0, "learning_rate": 3e-3}, "nova-micro")
    {'epochCount': 5}
    """
    limit = settings(model).get("epochCount")
    if limit is None or not recipe.get("epochs"):
        return {}
    return {"epochCount": max(limit["least"], min(limit["most"], round(recipe["epochs"])))}


def arguments(recipe: Mapping[str, Any], name: str) -> list[str]:
    """`fmcourse train instruct` with a recipe, as a container on SageMaker AI would run it.

    >>> arguments({"epochs": 3.0, "seed": 0}, "train.jsonl")[:4]
    ['train', 'instruct', '--data', '/opt/ml/input/data/training/train.jsonl']
    """
    said = ["train", "instruct", "--data", f"{INPUT}/{CHANNEL}/{name}", "--folder", MODEL]
    for key, option in OPTIONS.items():
        if recipe.get(key) is not None:
            said += [option, str(recipe[key])]
    adapter = recipe.get("adapter")
    return [*said, "--method", adapter["method"], "--rank", str(adapter["rank"])] if (
        adapter) else said


def _check_records(records: Path, model: str) -> None:
    reading, faults = data.check_file(records, limits=data.limits(model))
    if reading.dropped:
        faults = [reading.complaint(), *faults]
    _refuse(faults, records)


def _refuse(found: list[Any], where: object) -> None:
    if found:
        raise AwsError("\n".join(["AWS would not take this:", *map(str, found)]), where=where,
                       fix="Correct these, and plan again.")
