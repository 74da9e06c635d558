"""A run of `fmcourse train instruct` that was kept, read to be done again elsewhere.

`run.json` is read as anybody may have left it: what is missing or of another kind is said, with its
place. Then each setting of the recipe is told by an option of the command; what the command has no
option for, and the run had otherwise, is listed, so that nobody takes another run for this one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from fmcourse.errors import AwsError, CourseError

if TYPE_CHECKING:
    from fmcourse.train import InstructRecipe

OPTIONS = {"learning_rate": "--learning-rate", "max_length": "--max-length",
           "batch_tokens": "--batch-tokens", "patience": "--patience", "seed": "--seed"}
ADAPTER = {"method": "--method", "rank": "--rank"}
PLACES = ("checkpoint_minutes",)  # of the machine: it changes no result
MAKE = "Name the folder of a finished run: fmcourse train instruct --data … --folder FOLDER"
OURS = ("base", "smollm2")  # what the course itself brings; see `models.load`


@dataclass(frozen=True)
class Tuned:
    """A run, checked.

    Attributes:
        recipe: its settings.
        epochs: how often each record was really read.
        start: SHA-256 of the model it started from.
        name: of the run.
        held_out: share of the conversations that it was measured by; None if there were none.
        read: hashes of the conversations that it learnt from, and of those they were a part of.
    """

    recipe: InstructRecipe
    epochs: float
    start: str
    name: str
    held_out: float | None
    read: frozenset[str]


def read_run(folder: Path | str) -> Any:
    """What a run's folder says of it: the contents of `run.json`.

    Raises:
        AwsError: there is none, or it is no JSON.
    """
    path = Path(folder) / "run.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AwsError(f"There is no finished run here: {error.strerror}.", where=path,
                       fix=MAKE) from error
    except ValueError as error:
        raise AwsError(f"This is no JSON: {error}.", where=path, fix=MAKE) from error


def tuned(run: object) -> Tuned:
    """A run as `run.json` or `Run.card` tells it.

    Raises:
        AwsError: it is no run of `fmcourse train instruct`, or something in it is broken.
    """
    told = _table(run, "run.json")
    recipe = _recipe(_table(told.get("recipe"), "run.json: recipe"))
    metrics, parents = (_table(told.get(name), f"run.json: {name}")
                        for name in ("metrics", "parents"))
    epochs, start = metrics.get("epochs"), parents.get("start")
    if not (_fits(epochs, float) and epochs > 0):
        raise _broken("metrics.epochs", epochs, "how often its records were read")
    if not isinstance(start, str):
        raise _broken("parents.start", start, "the hash of the model it started from")
    reads = [one for one in told.get("reads") or [] if isinstance(one, Mapping)] if isinstance(
        told.get("reads"), list) else []
    return Tuned(recipe, float(epochs), start, str(told.get("name", "")),
                 _held_out(metrics, reads), frozenset(_hashes(reads[0])) if reads else frozenset())


def arguments(run: Tuned, records: str, folder: str, base: str) -> list[str]:
    """`fmcourse train instruct`, told to do a run again.

    Args:
        records: file to learn from.
        folder: where the run goes.
        base: what it starts from, as `--base` takes it.
    """
    recipe = run.recipe
    said = ["train", "instruct", "--data", records, "--base", base, "--folder", folder]
    said += ["--epochs", str(recipe.epochs)] if recipe.tokens is None else [
        "--tokens", str(recipe.tokens)]
    for name, option in OPTIONS.items():
        if getattr(recipe, name) is not None:
            said += [option, str(getattr(recipe, name))]
    if recipe.adapter is None:
        said += ["--method", "full"]
    else:
        said += [word for name, option in ADAPTER.items()
                 for word in (option, str(getattr(recipe.adapter, name)))]
    return said if run.held_out is None else [*said, "--validation", f"{run.held_out:.6g}"]


def left_behind(run: Tuned) -> Iterator[str]:
    """What `arguments` cannot tell, in sentences; nothing where the command does the same."""
    recipe = run.recipe
    told = {*OPTIONS, *PLACES, "adapter", "epochs", "tokens"}
    if recipe.tokens is not None:
        told.add("least_steps")  # it is for epochs
    for thing, known in ((recipe, told), (recipe.adapter, {*ADAPTER})):
        for one in fields(thing) if thing else ():
            value = getattr(thing, one.name)
            if one.name not in known and value != one.default:
                yield (f"{one.name.replace('_', ' ')} {value} is not carried over: the command has "
                       f"no option for it, and takes {one.default}.")
    if run.held_out is None:
        yield ("The run held no conversations out; the command holds out a tenth, and learns from "
               "the rest.")


def _table(found: object, where: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        what = "is missing" if found is None else f"is {_kind(found)} and no object"
        raise AwsError(f"This is no run: its {where.rpartition(': ')[2]} {what}.", where=where,
                       fix=MAKE)
    return found


def _recipe(told: Mapping[str, Any]) -> InstructRecipe:
    from fmcourse import train
    from fmcourse.models import Adapter

    known = {one.name for one in fields(train.InstructRecipe)}
    if set(told) - known or not {"epochs", "max_length"} <= set(told):
        kind = next((name for name in train.__all__ if name.endswith("Recipe")
                     and {one.name for one in fields(getattr(train, name))} == set(told)), None)
        raise AwsError(
            "This run did not tune on conversations, so no customization job does the same: its "
            f"recipe is {f'a {kind}' if kind else f'one of {_listed(told)}'}.",
            where="run.json: recipe", fix=MAKE)
    adapter = told.get("adapter")
    if adapter is not None:
        adapter = _made(Adapter, _table(adapter, "run.json: recipe.adapter"), "recipe.adapter")
    return _made(train.InstructRecipe, {**told, "adapter": adapter}, "recipe")


def _made(kind: Any, told: Mapping[str, Any], where: str) -> Any:
    """A frozen object of a table, each value of its kind."""
    kinds, given = get_type_hints(kind), {}
    for name, value in told.items():
        if name not in kinds:
            raise AwsError(f"There is no setting {name!r}.", where=f"run.json: {where}.{name}",
                           fix="Plan with the version of the course that made the run.")
        given[name] = tuple(value) if isinstance(value, list) else value
        if not _fits(given[name], kinds[name]):
            raise _broken(f"{where}.{name}", value, "such a setting")
    try:
        return kind(**given)
    except CourseError as error:
        raise AwsError(error.what, where=f"run.json: {where}", fix=MAKE) from error


def _fits(value: object, kind: Any) -> bool:
    """Whether a value that was read from JSON is of a kind.

    >>> _fits(3, float), _fits(True, int), _fits("three", float), _fits(None, int | None)
    (True, False, False, True)
    """
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    if get_args(kind):
        return any(_fits(value, one) for one in get_args(kind))
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return value is None if kind in (None, NoneType) else type(value) is kind


def _held_out(metrics: Mapping[str, Any], reads: list[Mapping[str, Any]]) -> float | None:
    """The share that was held out, of the cards of what was read: first to learn, then to measure.
    """
    counts = [one.get("texts") for one in reads]
    if "validation_after" not in metrics or len(counts) != 2 or not all(
            type(count) is int and count > 0 for count in counts):
        return None
    return counts[1] / sum(counts)


def _hashes(card: Mapping[str, Any]) -> Iterator[str]:
    for value in (card.get("sha256"), *(card.get("made_of") or ())):
        if isinstance(value, str):
            yield value


def _broken(where: str, value: object, what: str) -> AwsError:
    return AwsError(f"{json.dumps(value, default=str)} cannot be {what}.",
                    where=f"run.json: {where}", fix=MAKE)


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false"}.get(type(value), "a number")


def _listed(told: Mapping[str, Any]) -> str:
    return ", ".join(sorted(map(str, told))[:4]) or "nothing"
