"""From a run and its records to the requests that would do the same on AWS, three ways at once.

Managed (Bedrock): AWS's model, your records, a handful of settings. Own control (SageMaker AI):
your model and recipe, AWS's machines. Import: the model that was made here, answering on Bedrock.
What can be known before anything is sent is checked here: the run's kind, records against the
model's format and limits, the exported folder against the import's rules, requests against AWS's
own API models. What a job cannot take over of the run is listed, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fmcourse import data, ship, store
from fmcourse.aws import folder
from fmcourse.aws.checks import check
from fmcourse.aws.import_check import import_check
from fmcourse.aws.jobs import CHANNEL, INPUT, MODEL, import_job, job_role, training_job
from fmcourse.aws.models import settings
from fmcourse.aws.project import Project
from fmcourse.aws.requests import Request, customization_job
from fmcourse.aws.tuned import OURS, Tuned, arguments, left_behind, tuned
from fmcourse.errors import AwsError, CourseError

SAME = {"epochs": "epochCount", "learning_rate": "learningRate"}  # what Bedrock calls them
CUSTOMIZE, TRAIN, IMPORT = (
    "3-bedrock-customize.json", "4-sagemaker-train.json", "5-bedrock-import.json")


@dataclass(frozen=True)
class Plan:
    """Requests by the names of their files, in the order in which they would be sent.

    Attributes:
        requests: they.
        notes: what of the run they do not carry over, in sentences.
        uploads: what has to be there before they are sent: on this machine → in S3.
    """

    requests: Mapping[str, Request]
    notes: tuple[str, ...] = ()
    uploads: Mapping[Path, str] | None = None

    def write(self, out: Path | str, force: bool = True) -> list[Path]:
        """Write them as JSON; `fmcourse aws check` and `submit` read them.

        Args:
            force: replace files of these names that say something else.

        Raises:
            StoreError: there are such files, and `force` is False.
        """
        return folder.write_all({Path(out) / name: request.as_dict()
                                 for name, request in self.requests.items()}, force)


def plan(project: Project, run: Mapping[str, Any], records: Path | str, model: str, image: str,
         exported: Path | str | None = None, instance: str = "ml.g5.xlarge",
         base: str | None = None) -> Plan:
    """The requests for a run that was tried here.

    Args:
        project: names on AWS.
        run: of `fmcourse train instruct` or `train.instruct`: its `run.card`, or what `run.json`
            has of it.
        records: file that it learnt from, in the model's format, to be uploaded to the training
            prefix.
        model: of AWS, to customize with the same records, such as 'nova-micro'.
        image: of a container with the course, in Amazon ECR.
        exported: folder that `ship.export` wrote, to be imported; None leaves the import out.
        instance: machine of the training job.
        base: what the run started from: 'base', 'smollm2' or a folder. By default what its name
            says; either is held against the hash that the run has kept.

    Raises:
        AwsError: no such run, another start; a request or the exported folder that AWS would
            refuse; a folder that was changed since it was signed, or is of another run.
        StoreError: nobody signed the folder.
        DataError: records that the model would refuse.
    """
    records, done = Path(records), tuned(run)
    _check_records(records, model)
    start, uploads = _start(done, project, base)
    uploads = {records: f"{project.training_uri}{records.name}", **uploads}
    made = dict(zip(("1-trust.json", "2-rights.json"), job_role(project, image), strict=True))
    made[CUSTOMIZE] = customization_job(
        project, model, training=records.name, settings=managed_settings(done, model))
    said = arguments(done, f"{INPUT}/{CHANNEL}/{records.name}", MODEL, start)
    made[TRAIN] = training_job(project, image, said, instance=instance)
    notes = list(_notes(done, records, model, start))
    if exported is not None:
        _refuse(import_check(exported, project.region), exported)
        notes += _check_exported(run, Path(exported))
        made[IMPORT] = import_job(project)
        uploads[Path(exported)] = f"{project.output_uri}model/"
    for name, request in made.items():
        _refuse(check(request), name)
    return Plan(made, tuple(notes), uploads)


def managed_settings(run: Tuned, model: str) -> dict[str, float]:
    """What a managed job can take over from a run: its epochs, and its learning rate where the
    model takes one so high.

    Epochs are those that were really read, whatever the recipe asked for, as a whole number within
    the model's limits.
    """
    known, made = settings(model), {}
    if limit := known.get(SAME["epochs"]):
        made[SAME["epochs"]] = max(limit["least"], min(limit["most"], round(run.epochs)))
    rate, limit = run.recipe.learning_rate, known.get(SAME["learning_rate"])
    if limit and limit["least"] <= rate <= limit["most"]:
        made[SAME["learning_rate"]] = rate
    return made


def _start(run: Tuned, project: Project, base: str | None) -> tuple[str, dict[Path, str]]:
    """What `--base` is in the container, and what must be uploaded for it."""
    from fmcourse import models

    named = run.name.rpartition(" on ")[0]  # `fmcourse train instruct` names its runs so
    there = named in OURS or (named and Path(named, "config.json").is_file())
    name = base or (named if there else "base")
    place = Path(name).expanduser()
    if name not in OURS and not place.is_dir():
        raise AwsError(f"{name!r} is no folder, and the container reaches no network to fetch it.",
                       where="--base", fix=f"Save the model, and give its folder; or one of "
                                           f"{', '.join(OURS)}.")
    try:
        same = models.load(name).sha256() == run.start
    except CourseError as error:
        raise AwsError(f"Whether the run started from {name} cannot be told: {error.what}",
                       where="--base", fix=error.fix) from error
    if not same:
        raise AwsError(f"The run did not start from {name}, but from a model with the SHA-256 "
                       f"{run.start[:12]}….", where="--base",
                       fix="Say what it started from: --base smollm2, or --base FOLDER.")
    if name in OURS:
        return name, {}
    inside = place.resolve().name
    return f"{INPUT}/{CHANNEL}/{inside}", {place: f"{project.training_uri}{inside}/"}


def _notes(run: Tuned, records: Path, model: str, start: str) -> Iterator[str]:
    """What the jobs do otherwise than the run did."""
    taken, known = managed_settings(run, model), settings(model)
    rest = [one.name.replace("_", " ") for one in fields(run.recipe)
            if SAME.get(one.name) not in taken and getattr(run.recipe, one.name) is not None]
    yield (f"The managed job takes over {_listed(taken)}; not: {', '.join(rest)}. It trains "
           f"{model}, not the model that was tuned here.")
    if SAME["epochs"] in taken and taken[SAME["epochs"]] != run.epochs:
        yield (f"Records were read {run.epochs:.3g} times here; {model} takes whole numbers within "
               f"its limits, so {taken[SAME['epochs']]}.")
    if limit := known.get(SAME["learning_rate"]):
        said = (f"is within what {model} takes, and carried over; it suited the model that was "
                "tuned here" if SAME["learning_rate"] in taken else
                f"is not within what {model} takes ({limit['least']:g} to {limit['most']:g}), and "
                "left out")
        yield (f"The learning rate {run.recipe.learning_rate:g} {said}. AWS's own choice is "
               f"{limit['default']:g}.")
    for sentence in left_behind(run):
        yield f"The training job: {sentence}"
    if start == "smollm2":
        yield ("The training job's container reaches no network: bring SmolLM2 into the image "
               "(fmcourse fetch smollm2).")
    if not _same_records(run, records):
        yield (f"By their hash, the records in {records.name} are not (all of) those that the run "
               "learnt from.")


def _check_exported(run: Mapping[str, Any], exported: Path) -> Iterator[str]:
    """Refuse what was changed since it was signed or is of another run; a note if none is said."""
    found = ship.verify(exported)
    if not found.whole:
        raise AwsError(f"This is not as it was signed:\n{found}", where=exported,
                       fix="Export the run anew: fmcourse export RUN FOLDER.")
    of = store.read_json(exported / "card.json")["run"]
    if not of:
        yield (f"{exported.name} was exported from a model, not from a run: whether it is this "
               "run's was not checked.")
    elif of["model"] != run.get("model"):  # SHA-256 of the weights at its end
        raise AwsError(f"This is of another run: {of['name']}, which ended with the weights "
                       f"{of['model'][:12]}….", where=exported,
                       fix="Export the run that is planned: fmcourse export RUN FOLDER.")


def _same_records(run: Tuned, records: Path) -> bool:
    """Whether a file holds the conversations that a run learnt from, in whichever format."""
    found = data.conversations(records, skip_bad=True).records
    return data.card(found).sha256 in run.read


def _listed(taken: Mapping[str, float]) -> str:
    return " and ".join(f"{name} {value:g}" for name, value in taken.items()) or "nothing"


def _check_records(records: Path, model: str) -> None:
    reading, faults = data.check_file(records, limits=data.limits(model))
    if reading.dropped:
        faults = [reading.complaint(), *faults]
    _refuse(faults, records)


def _refuse(found: list[Any], where: object) -> None:
    if found:
        raise AwsError("\n".join(["AWS would not take this:", *map(str, found)]), where=where,
                       fix="Correct these, and plan again.")
