"""What every stage returns and what is stored: the model, how it was made, and what it cost."""

from __future__ import annotations

import html
import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fmcourse import models, store
from fmcourse.errors import StoreError
from fmcourse.models import LanguageModel, RewardModel, Stored, TrainedAdapter, bare


@dataclass(frozen=True)
class Cost:
    """The price of a stage.

    Attributes:
        tokens: read in training.
        flops: floating-point operations, by formula (see `flops_per_token`).
        seconds: wall clock of the training loop.
        peak_memory_bytes: largest memory in training (since the last resume, if there was one):
            the allocator's on CUDA, else the whole process's. macOS and Windows cannot start that
            peak anew, so there it is the most the process ever used, before training included.
        parameters, trainable: weights in the model, and those that were trained.
    """

    tokens: int
    flops: float
    seconds: float
    peak_memory_bytes: int
    parameters: int
    trainable: int

    def __str__(self) -> str:
        return (f"{self.tokens:,} tokens · {self.flops:.2e} FLOPs · {self.seconds:.0f} s · "
                f"{self.peak_memory_bytes / 1e9:.1f} GB · {self.trainable:,} of "
                f"{self.parameters:,} weights trained")


def flops_per_token(model: Stored, context: int) -> float:
    """Operations to train on one token: 6 for each weight, 6 · layers · width · context to attend.

    A weight that is not trained counts 4: its own gradient is not computed. That overstates
    training the last block alone, for which nothing goes back through those below (2 each).

    Kaplan et al. 2020 (arXiv:2001.08361, section 2.1): two operations a weight forwards and four
    backwards; attention counts the half of the context a causal position can see. The shared
    embedding is counted once, as the output layer.
    """
    config = model.network.config
    frozen = model.parameters - trainable_parameters(model)
    attention = 6 * config.num_hidden_layers * config.hidden_size * context
    if model.objective == "masked":
        attention *= 2
    return 6 * model.parameters - 2 * frozen + attention


def trainable_parameters(model: Stored) -> int:
    """Number of weights that training may change."""
    return sum(p.numel() for p in model.network.parameters() if p.requires_grad)


@dataclass
class Run:
    """A finished stage.

    Attributes:
        name: for plots and folders.
        model: what came out; `run.json` names its objective.
        recipe: the settings, as a plain dict.
        history: one row a log line: step, tokens, loss (nats a token), learning_rate, seconds,
            tokens_per_second, and what was observed on the way.
        observations: one row for each time the run was looked at: step, tokens, share, and
            whatever `observe` returned.
        adapter: what was trained, where that is a part of the weights; the model has it, too.
        metrics: final numbers.
        cost: what it took.
        parents: name → SHA-256 of the data and the model it started from.
        reads: cards of the data sets it learnt from, as plain values.
        environment: hardware and versions.
    """

    name: str
    model: LanguageModel | RewardModel
    recipe: dict[str, Any]
    history: pd.DataFrame
    metrics: dict[str, float]
    cost: Cost
    parents: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    observations: pd.DataFrame = field(default_factory=pd.DataFrame)
    adapter: TrainedAdapter | None = None
    reads: list[dict[str, Any]] = field(default_factory=list)

    @property
    def card(self) -> dict[str, Any]:
        """Everything about the run except its weights and curves, as plain values."""
        return {"name": self.name, "recipe": self.recipe, "metrics": self.metrics,
                "cost": asdict(self.cost), "parents": self.parents,
                "environment": self.environment, "reads": self.reads}

    def save(self, folder: Path | str) -> Path:
        """Write the run; `run.json` comes last, marks it complete, and seals it.

        The adapter has a seal of its own: it is a thing of its own, and goes elsewhere.
        """
        folder = Path(folder)
        bare(self.model).save(folder / "model")
        if self.adapter:
            self.adapter.save(folder / "adapter")
        store.atomic_write(folder / "history.csv", self.history.to_csv(index=False))
        observed = self.observations.to_json(orient="records", force_ascii=False,
                                             double_precision=15)
        store.atomic_write(folder / "observations.json", observed)
        made = {"objective": self.model.objective, "model": self.model.sha256()}
        if self.adapter:
            made["adapter"] = self.adapter.sha256()
        files = [folder / name for name in ("plan.json", "history.csv", "observations.json")]
        files += (folder / "model").rglob("*")
        store.seal(folder / "run.json", {**self.card, **made}, filter(Path.is_file, files))
        return folder

    @classmethod
    def load(cls, folder: Path | str) -> Run:
        """Read a run back; a `StoreError` says what is missing or broken."""
        folder = Path(folder)
        card = store.read_json(folder / "run.json")
        for name in ("history.csv", "observations.json"):
            if not (folder / name).is_file():
                raise StoreError("This run is incomplete.", where=folder / name,
                                 fix="Delete the run's folder and make it again.")
        history = pd.read_csv(folder / "history.csv")
        text = (folder / "observations.json").read_text(encoding="utf-8")
        observed = pd.read_json(io.StringIO(text), dtype=False, convert_dates=False,
                                precise_float=True)
        scores = card.get("objective") == RewardModel.objective
        model = RewardModel.load(folder) if scores else models.load(folder)
        model.name = card["name"]
        adapter = folder / "adapter"
        return cls(card["name"], model, card["recipe"], history, card["metrics"],
                   Cost(**card["cost"]), card["parents"], card["environment"], observed,
                   TrainedAdapter.load(adapter) if adapter.is_dir() else None,
                   card.get("reads", []))

    def plot(self, y: str = "loss", **options: Any) -> Any:
        """The curve of this run; see `show.loss_curve`."""
        from fmcourse import show

        return show.loss_curve({self.name: self.history}, y=y, **options)

    def compare(self, *others: Run, y: str = "loss", **options: Any) -> Any:
        """Curves of several runs in one picture."""
        from fmcourse import show

        return show.loss_curve({r.name: r.history for r in (self, *others)}, y=y, **options)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{key} {value:.3f}" for key, value in self.metrics.items())
        return f"Run({self.name!r}: {numbers})\n  {self.cost}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
