"""Weights set aside during training, to go back to: of the best look, or the last within bounds."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fmcourse import store
from fmcourse.models import LanguageModel
from fmcourse.train.stage import first_process

WEIGHTS = "model.safetensors"
BACK_TO = "back_to_share"  # of an observation: the share whose weights the run ended with


class Kept:
    """One set of a model's trained weights in a folder, with their share of training and score.

    In a run's folder it lies among the checkpoints, and so outlives a kill.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def keep(self, model: LanguageModel, share: float, score: float) -> None:
        """Set these weights aside, in place of earlier ones."""
        if first_process():
            about = {"share": repr(share), "score": repr(score)}
            with store.atomic_folder(self.folder) as draft:
                trained = {name: weights.detach().contiguous()
                           for name, weights in model.network.named_parameters()
                           if weights.requires_grad}  # the rest does not change
                save_file(trained, draft / WEIGHTS, metadata=about)

    def forget(self) -> None:
        """Delete what is kept."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def found(self) -> tuple[float, float] | None:
        """The share of training and the score of what is kept; None if nothing is."""
        if not self.folder.exists():
            return None
        with safe_open(self.folder / WEIGHTS, framework="pt") as file:
            about = file.metadata()
        return float(about["share"]), float(about["score"])

    def go_back(self, model: LanguageModel) -> None:
        """Give the model the kept weights."""
        model.network.load_state_dict(load_file(self.folder / WEIGHTS), strict=False)


@contextlib.contextmanager
def workplace(folder: Path | str | None) -> Iterator[Path]:
    """Where to keep weights: with the run's checkpoints, or for as long as the run takes."""
    if folder is not None:
        yield Path(folder) / "checkpoints"
        return
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as place:
        yield Path(place)
