"""What AWS customizes, where and with which settings: `models.toml`, data with its sources."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fmcourse.aws.project import Project
from fmcourse.errors import AwsError, meant


@dataclass(frozen=True)
class Base:
    """A model that can be customized; its attributes are explained in `models.toml`."""

    id: str
    regions: tuple[str, ...]
    settings: str | None = None
    teachers: tuple[str, ...] = ()
    reinforced: bool = False


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("fmcourse.aws").joinpath("models.toml").read_text(encoding="utf-8"))


@cache
def bases() -> dict[str, Base]:
    """Every model, by name."""
    return {name: Base(**{key: tuple(value) if isinstance(value, list) else value
                          for key, value in entry.items()})
            for name, entry in _table()["models"].items()}


def base(name: str) -> Base:
    """A model by its name.

    Raises:
        AwsError: no model has it; the nearest is suggested.

    >>> base("nova-lite").regions
    ('us-east-1',)
    """
    if name not in bases():
        raise AwsError(f"No model is called {name!r} here.", where="model",
                       fix=meant(str(name), bases()))
    return bases()[name]


def settings(name: str) -> dict[str, dict[str, Any]]:
    """Hyperparameters of a model with their `least`, `most` and `default`; {} if none is known."""
    return _table()["settings"].get(base(name).settings, {})


def check_settings(name: str, given: Mapping[str, float | str]) -> dict[str, str]:
    """Hyperparameters within a model's limits, as the texts that the request wants.

    Raises:
        AwsError: one that the model does not have, or a value that it does not take.

    >>> check_settings("nova-lite", {"epochCount": 3, "learningRate": 1e-5})
    {'epochCount': '3', 'learningRate': '1e-05'}
    """
    known = settings(name)
    for key, value in given.items():
        if known and key not in known:
            raise AwsError(f"{name} has no setting {key}.", where="settings", fix=meant(key, known))
        if key in known:
            _check_setting(name, key, value, known[key])
    return {key: str(value) for key, value in given.items()}


def _check_setting(name: str, key: str, value: object, limit: Mapping[str, Any]) -> None:
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    whole = limit.get("whole", False)
    if not limit["least"] <= number <= limit["most"] or (whole and not str(value).isdigit()):
        raise AwsError(f"{name} does not take {value!r} for {key}.", where=f"settings.{key}",
                       fix=f"Give {'a whole number' if whole else 'a number'} from "
                           f"{limit['least']:g} to {limit['most']:g}; AWS's own choice is "
                           f"{limit['default']:g}.")


def teacher_arn(project: Project, name: str | None) -> str:
    """What a request calls a teacher: its model, or the profile that AWS asks it through."""
    known = _table()["teachers"]
    if name not in known:
        raise AwsError(f"No teacher is called {name!r} here.", where="models.toml",
                       fix=meant(str(name), known))
    model = known[name]
    if "profile" in model:
        return project.arn("bedrock", f"inference-profile/{model['profile']}.{model['id']}")
    return f"arn:{project.partition}:bedrock:{project.region}::foundation-model/{model['id']}"
