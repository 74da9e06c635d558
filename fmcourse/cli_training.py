"""`fmcourse train …`: the stages of the course, on text and records of your own.

Every command is a thin layer over `fmcourse.train`: it reads and checks what it is given before
anything is trained, keeps its run in a folder named after what decides the result, and goes on
from there when it is called again after a kill.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fmcourse.errors import CourseError

training = typer.Typer(no_args_is_help=True, help="Train models outside of a notebook.")

SMALL = 40_000_000  # weights; larger models want a lower learning rate
RATES = {  # by kind of method, for small models and for larger ones; benchmarks/adapters.py
    "weights": (1e-3, 1e-4), "low rank": (3e-3, 1e-3), "scales": (3e-2, 3e-2),
    "prompt": (3e-2, 3e-2)}
MANY = 2_000  # records; fewer want smaller batches, for they make few steps
Start = Annotated[str, typer.Option("--base", help="base, smollm2, a folder, or a hub id.")]
Method = Annotated[str, typer.Option(
    help="full, 'last block', bitfit, lora, rslora, dora, pissa, qlora, prompt, prefix, ia3.")]
Rank = Annotated[int, typer.Option(help="Of low-rank methods.", min=1)]
Folder = Annotated[Path | None, typer.Option(
    help="Where the run goes; by default below the course's folder.")]


@training.command("base")
def train_base(
        folder: Annotated[Path | None, typer.Option(help="Where the run goes.")] = None,
        tokens: Annotated[int | None, typer.Option(help="Training budget.", min=1)] = None,
        publish: Annotated[bool, typer.Option(
            "--publish", help="Then measure it, and write the model that ships, with its card.",
            )] = False,
        to: Annotated[Path | None, typer.Option(
            help="Folder of the published model; by default the package's own models/base.",
            )] = None) -> None:
    """Train the base model that ships with the course; run it again after a kill to go on."""
    from fmcourse import models, store
    from fmcourse.evidence import base

    if to and not publish:
        raise CourseError("--to says where to publish, and nothing is published.", where=to,
                          fix="Add --publish; the run's own place is set by --folder.")
    if to:
        store.refuse_others(to, lambda there: store.beside_seal(there / "card.json"))
    _refuse_others(folder)
    tokens = tokens or base.TOKENS
    folder = folder or store.folder("runs", f"base-{tokens}")
    typer.echo(base.train_base(folder, tokens))
    if publish:
        place = to or models.BASE
        base.publish_base(folder, place)
        typer.echo(f"published in {place}")


@training.command("continued")
def train_continued(
        text: Annotated[str, typer.Option(
            "--data", help="Text to learn: a file, a folder, hub:owner/name, or a domain of the "
                           "course (aws, aws-2022, medical).")],
        start: Start = "base",
        replay: Annotated[float, typer.Option(
            help="Share of general text among it.", min=0, max=0.99)] = 0.1,
        tokens: Annotated[int | None, typer.Option(
            help="Training budget; by default the text is read once.", min=1)] = None,
        learning_rate: Annotated[float, typer.Option(help="At its peak.", min=1e-9)] = 1e-3,
        general_rise: Annotated[float | None, typer.Option(min=0,
            help="Stop once general bits per byte have risen by more, and go back.")] = None,
        seed: Annotated[int, typer.Option(help="Order of the text.")] = 0,
        folder: Folder = None) -> None:
    """Go on pre-training a model on text of yours; run it again after a kill to go on."""
    from fmcourse import data, models, store, train
    from fmcourse.data.domain import DOMAINS
    from fmcourse.models import compat
    from fmcourse.train.continued import forgotten

    compat.quiet()
    _refuse_others(folder)
    model = models.load(start)
    corpus = data.domain(text) if text in DOMAINS else data.own(text)
    if tokens:  # a token is seldom more than eight characters, and a row must be full
        corpus = {**corpus, "train": data.sized(corpus["train"], 8 * max(tokens, 1024), seed)}
    typer.echo(data.card(corpus["train"]))
    file = data.tokens(corpus["train"], model.tokenizer)
    budget = tokens or round(len(file) / (1 - replay))
    batch = 8192 if budget > 100_000 else 2048
    recipe = train.ContinuedRecipe(
        tokens=budget, batch_tokens=batch, micro_batch_tokens=batch,
        context=min(256, model.context), learning_rate=learning_rate,
        replay_fraction=replay, general_rise=general_rise, seed=seed)
    plan = store.sha256_json([model.sha256(), file.sha256, recipe.as_dict()])[:12]
    folder = folder or store.folder("runs") / f"continued-{plan}"
    _say_if_finished(folder)
    run = train.continued(model, corpus, recipe, folder=folder, name=f"{start} on {text}")
    typer.echo(run)
    typer.echo(forgotten(run.metrics))
    typer.echo(f"model in {folder / 'model'}")


@training.command("instruct")
def train_instruct(
        path: Annotated[Path, typer.Option(
            "--data", help="Records, one JSON object a line: prompt and completion, messages, or "
                           "Bedrock conversations.")],
        start: Start = "base",
        skip_bad: Annotated[bool, typer.Option(
            "--skip-bad", help="Train without the records that cannot be used; they are saved "
                               "aside, with the reasons.")] = False,
        epochs: Annotated[float, typer.Option(
            help="Passes over the records; more, if there are very few.", min=0.01)] = 3.0,
        tokens: Annotated[int | None, typer.Option(
            help="Training budget, in place of --epochs.", min=1)] = None,
        method: Method = "full",
        rank: Rank = 16,
        learning_rate: Annotated[float | None, typer.Option(min=1e-9,
            help="At its peak; by default what suits the method and the model's size.")] = None,
        max_length: Annotated[int | None, typer.Option(
            help="Tokens of the longest conversation; longer ones are left out.", min=8)] = None,
        batch_tokens: Annotated[int | None, typer.Option(min=16,
            help="Tokens per optimiser step; by default what suits how many records there are.",
            )] = None,
        validation: Annotated[float, typer.Option(
            help="Share of the conversations that is held out to measure by.",
            min=0.01, max=0.9)] = 0.1,
        patience: Annotated[int | None, typer.Option(min=1,
            help="Stop after so many looks without a better one, and go back to the best.")] = None,
        seed: Annotated[int, typer.Option(help="Order of the records.")] = 0,
        folder: Folder = None) -> None:
    """Tune a model on records of yours; run it again after a kill to go on."""
    from fmcourse import data, models, store, train
    from fmcourse.models import Adapter, compat
    from fmcourse.train.instruct import VALIDATION

    compat.quiet()
    _refuse_others(folder)
    adapter = Adapter(method, rank=rank)
    read = data.conversations(path, skip_bad=skip_bad)
    typer.echo(data.card(read.records))
    parts, model = data.split_conversations(read.records, validation, seed), models.load(start)
    longest = max_length or min(512, model.context)
    small = model.parameters <= SMALL
    rate = learning_rate or RATES[adapter.kind][0 if small else 1]
    batch = batch_tokens or max(2 * longest, 4096 if len(parts["train"]) > MANY else 0)
    recipe = train.InstructRecipe(epochs=epochs, tokens=tokens, max_length=longest,
                                  learning_rate=rate, batch_tokens=batch, patience=patience,
                                  seed=seed, adapter=None if method == "full" else adapter)
    plan = store.sha256_json([model.sha256(), data.card(read.records).sha256, validation,
                              recipe.as_dict()])[:12]
    folder = folder or store.folder("runs") / f"instruct-{plan}"
    _say_if_finished(folder)
    if read.bad:
        aside = read.save_bad(folder)
        typer.echo(f"{len(read.bad)} records left out, saved in {aside}")
        typer.echo(f"why, in {aside.with_suffix('.txt')}")
    run = train.instruct(model, parts["train"], recipe, validation=parts["validation"],
                         folder=folder, name=f"{start} on {path.name}")
    typer.echo(run)
    often = run.metrics["epochs"]
    why = (f", since {recipe.least_steps} steps are the least that teaches anything"
           if tokens is None and often > 1.5 * epochs else "")
    typer.echo(f"each record was read {often:.1f} times{why}")
    typer.echo("held-out replies  {validation_before:.3f} -> {validation_after:.3f} bits per "
               "byte".format(**run.metrics))
    bits = run.observations[VALIDATION]
    if bits.iloc[-1] > bits.min() and patience is None:
        typer.echo(f"note: they were best at {bits.min():.3f}, after "
                   f"{run.observations['share'][bits.idxmin()]:.0%} of the training; --patience 2 "
                   "goes back there", err=True)
    typer.echo(f"model in {folder / 'model'}; talk to it: fmcourse chat {folder / 'model'}")


def _refuse_others(folder: Path | None) -> None:
    """A run writes and replaces files and folders in its own; it does not go among others' things.
    """
    from fmcourse import store

    if folder is not None and not (folder / "plan.json").is_file():
        store.refuse_others(folder, lambda there: [
            name for name in store.everything(there)
            if not name.endswith((".bad.txt", ".bad.jsonl"))])  # of a run that did not begin


def _say_if_finished(folder: Path) -> None:
    """A run of the same plan is opened and not made again; without a word, it would look new."""
    if (folder / "run.json").is_file():
        typer.echo("this run was finished before; it is opened, and nothing is trained")
