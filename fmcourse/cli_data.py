"""`fmcourse data …`: records of your own checked, converted and measured, before anything is paid;
and the audit of a governed project.

Every command is a thin layer over `fmcourse.data`, and fails where a file is not good.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fmcourse.errors import CourseError

if TYPE_CHECKING:
    from fmcourse.data import Reading

records = typer.Typer(no_args_is_help=True, help="Check, convert and measure files of records; "
                                                "audit a project.")

File = Annotated[Path, typer.Argument(
    help="JSON lines, a .json list, a manifest, CSV or TXT; or a JumpStart instruction folder.")]
Form = Annotated[str | None, typer.Option(
    "--format", help="The format that it must have; by default the first good record decides. "
                     "See: fmcourse data formats.")]


@records.command("formats")
def list_formats() -> None:
    """List the formats, with the pages that their rules are from."""
    from fmcourse.data import formats

    for form in formats.FORMATS.values():
        typer.echo(f"{form.name:22} {form.title}")
        for source in form.sources:
            typer.echo(f"{'':22} {source}")


@records.command("check")
def check(file: File, form: Form = None, model: Annotated[str | None, typer.Option(
        "--for", help="Also hold it against what this model accepts, such as nova-lite.")] = None,
        ) -> None:
    """Check every record, and say line, column, fault and remedy."""
    from fmcourse import data

    limits = data.limits(model) if model else None
    reading, faults = data.check_file(file, form and data.record_format(form), limits)
    typer.echo(_counts(reading))
    if limits:
        typer.echo(limits)
    _complain(reading, faults)


@records.command("convert")
def convert(file: File,
            out: Annotated[Path, typer.Argument(help="File or folder to write.")],
            to: Annotated[str, typer.Option("--to", help="The format to write.")],
            form: Form = None,
            skip_bad: Annotated[bool, typer.Option(
                "--skip-bad", help="Leave out what is wrong, or would lose something.")] = False,
            force: Annotated[bool, typer.Option(
                "--force", help="Replace what is there.")] = False) -> None:
    """Write records in another format, losing nothing; what would be lost is said instead."""
    from fmcourse import data

    reading = data.convert_file(file, data.record_format(to), out,
                                form and data.record_format(form), skip_bad, force)
    typer.echo(f"{_counts(reading)}; wrote {out}")
    if reading.dropped:
        typer.echo(f"left out:\n{reading.complaint()}", err=True)


@records.command("stats")
def stats(file: File, form: Form = None) -> None:
    """Count records and characters, by who says them."""
    from fmcourse import data

    found = data.file_statistics(file, form and data.record_format(form))
    typer.echo(found)
    _complain(found.reading, [] if found.reading.kept else ["There is no good record here."])


@records.command("audit")
def audit(folder: Annotated[Path, typer.Argument(
        help="A governed project: the folder with governance.toml.")] = Path(".")) -> None:
    """Print what an auditor asks of a governed project, and the evidence; no legal advice."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from fmcourse.data import governance
    from fmcourse.data.governance.report import DISCLAIMER

    found = governance.audit(folder)
    table = Table("", "asked", "evidence", box=box.SIMPLE, padding=(0, 1),
                  title=f"Compliance report of {found.project.name}", caption=DISCLAIMER)
    for one in found.answers:
        table.add_row(one.state, f"{one.asks}\n({one.rule})", one.evidence, end_section=True)
    Console(markup=False, highlight=False).print(table)
    if found.gaps:
        raise CourseError(f"Questions without evidence: {len(found.gaps)} of "
                          f"{len(found.answers)}.", where=folder,
                          fix="Close the gaps above, and audit again.")


def _counts(reading: Reading) -> str:
    title = f" ({reading.format.title})" if reading.format else ""
    return (f"records of {reading.path.name}{title}: {reading.read:,} read = {reading.kept:,} kept "
            f"+ {reading.dropped:,} dropped")


def _complain(reading: Reading, faults: list[str]) -> None:
    """Say what is wrong, and fail if anything is."""
    if reading.dropped:
        faults = [f"Records that cannot be used: {reading.dropped:,}", reading.complaint(), *faults]
    if faults:
        what = "Correct" if reading.dropped else "Add or change"
        raise CourseError("\n".join(faults), where=reading.path,
                          fix=f"{what} records, and check again.")
