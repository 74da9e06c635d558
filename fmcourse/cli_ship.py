"""`fmcourse export`, `verify` and `serve`: a finished model sent out, checked and talked to.

Every command is a thin layer over `fmcourse.ship`.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from fmcourse.errors import CourseError

Model = Annotated[str, typer.Argument(help="base, smollm2, a folder (a run's or a model's), or a "
                                           "hub id.")]


def export(model: Model,
           folder: Annotated[Path, typer.Argument(
               help="To write. A folder that is there stays, unless it is an export as it was "
                    "signed.")],
           to: Annotated[str, typer.Option(
               help="hf: a plain Hugging Face folder; gguf: for llama.cpp and its kind.")] = "hf",
           dtype: Annotated[str, typer.Option(
               help="float32, float16, bfloat16; q8_0 for gguf.")] = "float32",
           limits: Annotated[str, typer.Option(
               help="What else the model's card should warn of.")] = "",
           key: Annotated[Path | None, typer.Option(
               help="Private Ed25519 key to sign with; by default this machine's own.")] = None,
           ) -> None:
    """Write a model with its card and a signed list of its files; an adapter is merged."""
    from fmcourse import ship
    from fmcourse.models import compat

    compat.quiet()
    made = ship.export(model, folder, to, dtype, limits, key)
    typer.echo(f"wrote {made}; read {made / 'README.md'}")
    typer.echo(ship.verify(made))


def verify(folder: Annotated[Path, typer.Argument(help="That fmcourse export wrote.")],
           key: Annotated[Path | None, typer.Option(
               help="The signer's public key, got from elsewhere; by default this machine's own is "
                    "the one that is known.")] = None,
           any_signer: Annotated[bool, typer.Option(
               "--any-signer", help="Only ask whether it is as it was signed, by whomever: anybody "
                                    "who changes it can sign it anew.")] = False) -> None:
    """Name every file of a shipped model that changed, is missing or is new; and who signed it."""
    from fmcourse import ship

    found = ship.verify(folder, key)
    if not found.whole:
        raise CourseError(str(found), where=folder, fix="Get it anew from whoever signed it.")
    if not (found.known or any_signer):
        raise CourseError(
            f"{found.files} files are as they were signed, but by a key that this machine does not "
            f"know: {found.signer}. Whoever changes a folder can sign it anew.", where=folder,
            fix="Get the signer's public key from elsewhere, and give it: --key FILE. To ask only "
                "whether it is as somebody signed it: --any-signer.")
    typer.echo(found)


def serve(model: Model,
          port: Annotated[int, typer.Option(help="On loopback.", min=1, max=65535)] = 8000) -> None:
    """Serve a model as OpenAI's API has it, by transformers serve; Ctrl-C ends it."""
    from fmcourse import ship

    folder = ship.ready(model)
    typer.echo(f'base_url="{ship.address(port)}", model="{folder}", api_key: anything')
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as cache:
        ended = subprocess.run(ship.command(folder, port), env=ship.environment(cache), check=False)
    raise typer.Exit(ended.returncode)
