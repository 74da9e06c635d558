"""`fmcourse aws …`: documents for a project of your own on AWS, made and checked without AWS.

A project is a TOML file with at least `account` and `bucket`; every command is a thin layer over
`fmcourse.aws`, and only `submit --submit` leaves this machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fmcourse.errors import CourseError

aws = typer.Typer(no_args_is_help=True, help="Make and check what a customization job on AWS "
                                             "needs; nothing is sent.")

ProjectFile = Annotated[Path, typer.Argument(
    help='TOML: account = "111122223333", bucket = "my-team-data"; region, key … as '
         "aws.Project has them, and a table [network].")]


Force = Annotated[bool, typer.Option("--force", help="Replace files that say something else.")]


@aws.command("policies")
def policies(project: ProjectFile,
             out: Annotated[Path, typer.Argument(help="Folder to write.")],
             force: Force = False) -> None:
    """Write the policies of a project, and the requests that set it up."""
    from fmcourse import aws as room

    for path in room.write_documents(room.read_project(project), out, force):
        typer.echo(f"wrote {path}")


@aws.command("request")
def request(project: ProjectFile,
            out: Annotated[Path, typer.Argument(help="File to write.")],
            model: Annotated[str, typer.Option(help="Such as nova-lite.")],
            method: Annotated[str, typer.Option(
                help="fine-tuning, distillation or reinforcement.")] = "fine-tuning",
            training: Annotated[str, typer.Option(
                help="File under the training prefix.")] = "train.jsonl",
            validation: Annotated[str | None, typer.Option(help="Another.")] = None,
            setting: Annotated[list[str] | None, typer.Option(
                help="A hyperparameter, such as epochCount=2; may be repeated.")] = None,
            teacher: Annotated[str | None, typer.Option(
                help="For distillation, such as nova-pro.")] = None,
            grader: Annotated[str | None, typer.Option(
                help="For reinforcement, ARN of a Lambda function.")] = None,
            force: Force = False) -> None:
    """Write the request that would start a customization job."""
    from fmcourse import aws as room

    made = room.customization_job(
        room.read_project(project), model, method, training=training, validation=validation,
        settings=dict(map(_setting, setting or [])), teacher=teacher, grader=grader)
    typer.echo(made)
    typer.echo(f"wrote {room.write_request(made, out, force)}; nothing was sent")


@aws.command("check")
def check(paths: Annotated[list[Path], typer.Argument(
        help="Files of policies or requests, or folders of them.")]) -> None:
    """Check policies and requests against IAM's grammar and botocore's API models."""
    from fmcourse import aws as room

    files = [one for path in paths for one in (sorted(path.rglob("*.json")) if path.is_dir()
                                               else [path])]
    faults = []
    for path in files:
        found = room.check_file(path)
        typer.echo(f"{path}: {'good' if not found else f'{len(found)} wrong'}")
        faults += [f"{path.name}: {one}" for one in found]
    if faults or not files:
        raise CourseError("\n".join(faults) or "There is no .json here.", where=paths[0],
                          fix="Correct these, and check again.")


@aws.command("import-check")
def import_check(folder: Annotated[Path, typer.Argument(help="With a Hugging Face model.")],
                 region: Annotated[str | None, typer.Option(
                     help="Where it is to be imported.")] = None) -> None:
    """Check a folder for Amazon Bedrock Custom Model Import, before anything is uploaded."""
    from fmcourse import aws as room

    found = room.import_check(folder, region)
    if found:
        raise CourseError("\n".join(map(str, found)), where=folder,
                          fix="Correct these, and check again.")
    read = room.import_rules()["read"]
    typer.echo(f"{folder}: good, by the rules that AWS's pages gave on {read:%d %B %Y}")


@aws.command("plan")
def plan(project: ProjectFile,
         run: Annotated[Path, typer.Argument(help="Folder of a run of fmcourse train instruct.")],
         records: Annotated[Path, typer.Argument(
             help="What it learnt from, in the model's format, to be uploaded.")],
         out: Annotated[Path, typer.Argument(help="Folder to write.")],
         model: Annotated[str, typer.Option(
             help="To customize on Bedrock with the same records.")] = "nova-micro",
         base: Annotated[str | None, typer.Option(
             help="What the run started from: base, smollm2 or a folder; by default what its name "
                  "says. Its hash is checked.")] = None,
         image: Annotated[str, typer.Option(
             help="A container with the course in Amazon ECR, for SageMaker AI.")] = "",
         exported: Annotated[Path | None, typer.Option(
             help="What fmcourse export wrote, to import into Bedrock.")] = None,
         instance: Annotated[str, typer.Option(help="Of the training job.")] = "ml.g5.xlarge",
         force: Force = False) -> None:
    """Write the requests that would do a run on AWS: managed, on SageMaker AI, and imported.

    They need what the requests of `fmcourse aws policies` make: submit those first, once.
    """
    from fmcourse import aws as room

    names, done = room.read_project(project), room.read_run(run)
    image = image or f"{names.account}.dkr.ecr.{names.region}.amazonaws.com/fmcourse:latest"
    made = room.plan(names, done, records, model, image, exported, instance, base)
    written = made.write(out, force)
    for path in written:
        typer.echo(f"wrote {path}")
    for note in made.notes:
        typer.echo(f"note: {note}")
    steps = [f"fmcourse aws policies {project} FOLDER, then submit FOLDER/setup/*.json, if bucket "
             "and roles are not there yet",
             *(f"upload {place} to {to}" for place, to in (made.uploads or {}).items()),
             "fmcourse aws submit --submit, for " + ", ".join(path.name for path in written)]
    typer.echo("nothing was sent. In this order:")
    for number, step in enumerate(steps, 1):
        typer.echo(f"{number}. {step}")


@aws.command("submit")
def submit(path: Annotated[Path, typer.Argument(metavar="REQUEST", help="Its file.")],
           really: Annotated[bool, typer.Option(
               "--submit", help="Send it, with this machine's credentials. It costs money.",
               )] = False) -> None:
    """Say what would be sent to AWS, or send it."""
    from fmcourse import aws as room

    room.submit(room.read_request(path), really, say=typer.echo)


def _setting(text: str) -> tuple[str, float | int | str]:
    """Name and value; numbers become numbers, since some requests want them so."""
    name, equals, value = text.partition("=")
    if not equals:
        raise CourseError(f"{text!r} has no value.", where="--setting",
                          fix="Write such as --setting epochCount=2")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
