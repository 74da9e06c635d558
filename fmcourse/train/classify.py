"""Text classification on top of a language model: transfer learning, in both its classic forms.

A classifier is a language model without its output layer: the hidden states of a text's tokens,
averaged, and a linear head that reads the class from them. It can be taught in two ways:

- `frozen`: the network only extracts features, once for each text; the head is scikit-learn's
  logistic regression on standardised features. Nothing of the network changes.
- `full`: every weight moves. The head starts from that same logistic regression (Kumar et al.
  2022, arXiv:2202.10054): a random one would send noise into features worth keeping.

"From scratch" is either call with `models.untrained(base)`. Trade-off: texts are cut at 64 tokens;
a paragraph has named its subject by then, and time grows with length.

No policy is asked here, for a list of texts brings no card: of governed data, ask `project.check`
yourself (`fmcourse.data.governance`).
"""

from __future__ import annotations

import random
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from fmcourse import hardware, scale
from fmcourse.errors import CourseError, DataError
from fmcourse.evaluate.windows import as_texts
from fmcourse.models import LanguageModel, compat
from fmcourse.train.features import encoded, features, forward_flops, padded, pooled
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.recipe import Recipe
from fmcourse.train.run import Cost
from fmcourse.train.stage import processes

ARMS = ("full", "frozen")
LIKE_LENGTH = 8  # batches sorted together by length: little padding, still a random order


@dataclass(frozen=True, kw_only=True)
class ClassifyRecipe(Recipe):
    """How to teach a classifier.

    Attributes, besides those of `Recipe`, which are for full fine-tuning:
        epochs: passes over the examples, as long as that is between `least` and `most`.
        least, most: examples seen in full fine-tuning: a few labels need many passes, and many
            labels are learnt in one.
        batch: examples an optimiser step.
        tokens: of a text that are read, at most.
        penalty: 1 / C of the logistic regression.
    """

    epochs: int = 4
    least: int = 640
    most: int = 8192
    batch: int = 16
    tokens: int = 64
    penalty: float = 30.0

    def examples(self, n: int) -> int:
        """Examples seen in full fine-tuning on n of them.

        >>> [ClassifyRecipe(epochs=4, least=640, most=8192).examples(n) for n in (8, 512, 4096)]
        [640, 2048, 8192]
        """
        return min(max(n * self.epochs, self.least), self.most)

    @classmethod
    def at_scale(cls, **changes: Any) -> ClassifyRecipe:
        """The recipe of a live lesson at the current scale, with what you change."""
        least = scale.current().examples
        return cls(**{"least": least, "most": 12 * least, **changes})


@dataclass
class Classifier:
    """A network, the linear head on top, and what teaching them cost.

    Attributes:
        model: where the features come from; in the frozen arm the very model that was given.
        head: features (texts, width) → a score for each class.
        classes: what can be predicted, in order.
        recipe, arm: how it was taught.
        cost: of teaching alone.
    """

    model: LanguageModel
    head: nn.Linear
    classes: np.ndarray
    recipe: ClassifyRecipe
    arm: str
    cost: Cost

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """The likeliest class of each text. (texts,)"""
        found = features(self.model, texts, tokens=self.recipe.tokens)
        with torch.no_grad():
            return self.classes[self.head(found).argmax(dim=1).numpy()]

    def accuracy(self, texts: Sequence[str], labels: Sequence[Any]) -> float:
        """Share of texts whose class is predicted right.

        A class it was never taught counts as an error, as it would in use.

        Raises:
            DataError: the labels are of another type than those taught, or not one a text.
        """
        kind = np.asarray(labels).dtype.kind
        if kind != self.classes.dtype.kind or len(labels) != len(texts):
            raise DataError(f"{len(texts)} texts, {len(labels)} labels of type {kind!r}; taught "
                            f"were labels of type {self.classes.dtype.kind!r}.",
                            where="Classifier.accuracy", fix="Give one label a text, as taught.")
        return float(np.mean(self.predict(texts) == np.asarray(labels)))


def classify(
    model: LanguageModel,
    texts: Sequence[str],
    labels: Sequence[Any],
    recipe: ClassifyRecipe | None = None,
    *,
    arm: str = "full",
) -> Classifier:
    """Teach a classifier from labelled texts.

    Args:
        model: where to start; it is never changed (`full` trains a copy).
        texts, labels: the examples; labels are numbers or strings.
        recipe: how long, how fast; by default `ClassifyRecipe()`.
        arm: 'full' (fine-tune everything) or 'frozen' (features and logistic regression).

    Raises:
        DataError: texts and labels do not match, or there are fewer than two classes.
        CourseError: there is no such arm.

    Example: `classify(base, texts, labels, arm="frozen").accuracy(test_texts, test_labels)`
    """
    if arm not in ARMS:
        raise CourseError(f"There is no arm {arm!r}.", where="train.classify",
                          fix="full trains every weight, frozen only the head.")
    if processes() > 1:
        raise CourseError("Classifiers are taught in one process.", where="train.classify",
                          fix="Start it without torchrun; it is a matter of minutes.")
    recipe, rows = recipe or ClassifyRecipe(), as_texts(texts)
    classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
    if len(rows) != len(numbers):
        raise DataError(f"{len(rows)} texts, but {len(numbers)} labels.", where="train.classify",
                        fix="Give one label a text.")
    if len(classes) < 2:
        raise DataError("All labels are the same: there is nothing to tell apart.",
                        where="train.classify", fix="Give texts of at least two classes.")
    hardware.reset_peak_memory(model.device.type)
    began = time.perf_counter()
    found = features(model, rows, tokens=recipe.tokens)
    head = regression(found, numbers, recipe.penalty)
    read = sum(map(len, encoded(model, rows, recipe.tokens)))
    tokens, work = read, read * forward_flops(model, recipe.tokens)
    trained = sum(p.numel() for p in head.parameters())
    if arm == "full":
        model = model.copy()
        seen = _fine_tune(model, head, rows, numbers, recipe)
        tokens, work = tokens + seen, work + 3 * seen * forward_flops(model, recipe.tokens)
        trained += sum(p.numel() for p in model.network.model.parameters())
    cost = Cost(tokens, work, time.perf_counter() - began,
                hardware.peak_memory_bytes(model.device.type), model.parameters, trained)
    return Classifier(model, head, classes, recipe, arm, cost)


def regression(found: torch.Tensor, numbers: np.ndarray, penalty: float) -> nn.Linear:
    """Logistic regression on standardised features, as the linear layer it amounts to.

    The penalty is fixed: with a few examples of each class there are none to spare for choosing
    it, and with many it hardly matters.
    """
    scaler = StandardScaler().fit(found)
    with warnings.catch_warnings():  # a class with one example is no mistake here
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        fitted = LogisticRegression(C=1 / penalty, max_iter=300).fit(
            scaler.transform(found), numbers)
    weight, bias = fitted.coef_ / scaler.scale_, fitted.intercept_
    if len(weight) == 1:  # of two classes scikit-learn keeps the second one's margin only
        weight, bias = np.vstack([-weight, weight]) / 2, np.append(-bias, bias) / 2
    head = nn.Linear(weight.shape[1], len(weight))
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(bias - weight @ scaler.mean_))
    return head


class _Network(nn.Module):
    """Body, pooling and head as one module with a loss, for the Trainer."""

    def __init__(self, body: nn.Module, head: nn.Linear):
        super().__init__()
        self.body, self.head = body, head

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor, labels: torch.Tensor
                ) -> dict[str, torch.Tensor]:
        logits = self.head(pooled(self.body, ids, lengths))  # (texts, classes)
        return {"loss": nn.functional.cross_entropy(logits.float(), labels), "logits": logits}


def _fine_tune(model: LanguageModel, head: nn.Linear, texts: Sequence[str], numbers: np.ndarray,
               recipe: ClassifyRecipe) -> int:
    """Train body and head in place; returns the tokens read."""
    machine, rows = hardware.detect(), encoded(model, texts, recipe.tokens)
    compat.quiet()
    hardware.fit_threads()
    batches = _batches([len(row) for row in rows], recipe)
    data = [{**padded([rows[i] for i in some], torch.device("cpu")),
             "labels": torch.from_numpy(numbers[some])} for some in batches]
    network = _Network(model.network.model, head).train()
    optimizer = make_optimizer(network, recipe.optimizer, recipe.learning_rate,
                               recipe.weight_decay)
    schedule = LambdaLR(optimizer, warmup_stable_decay(len(data), recipe.warmup, recipe.decay))
    with tempfile.TemporaryDirectory(prefix="fmcourse-", ignore_cleanup_errors=True) as work:
        arguments = compat.TrainingArguments(
            output_dir=work, max_steps=len(data), per_device_train_batch_size=1,
            max_grad_norm=recipe.clip, seed=recipe.seed, save_strategy="no", report_to="none",
            logging_strategy="no", remove_unused_columns=False, disable_tqdm=True,
            dataloader_pin_memory=machine.device == "cuda", **machine.trainer_arguments())
        trainer = compat.Trainer(model=network, args=compat.one_gpu(arguments), train_dataset=data,
                                 data_collator=_only, optimizers=(optimizer, schedule))
        trainer.remove_callback(compat.PrinterCallback)
        trainer.train()
    network.eval()
    head.cpu()
    return sum(len(rows[i]) for some in batches for i in some)


def _only(batches: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Batches are made beforehand, so that their texts are of like length; pass one on."""
    return batches[0]


def _batches(lengths: Sequence[int], recipe: ClassifyRecipe) -> list[list[int]]:
    """Indices of each batch: the examples in random order, again and again, up to the budget."""
    draw, order = random.Random(recipe.seed), []
    while len(order) < recipe.examples(len(lengths)):
        order += draw.sample(range(len(lengths)), len(lengths))
    order = order[:recipe.examples(len(lengths))]
    stretch, batches = LIKE_LENGTH * recipe.batch, []
    for start in range(0, len(order), stretch):
        some = sorted(order[start:start + stretch], key=lambda i: lengths[i])
        batches += [some[i:i + recipe.batch] for i in range(0, len(some), recipe.batch)]
    return batches
