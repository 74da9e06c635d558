"""What the tests of distillation share: a tuned tiny teacher, its student, and conversations."""

from __future__ import annotations

from functools import cache

import tiny
from datasets import Dataset

from fmcourse.data import Card, with_card
from fmcourse.data.chat import conversation
from fmcourse.models import LanguageModel, Shape, build, with_chat
from fmcourse.train import InstructRecipe, instruct


def talks(count: int = 40, answered: bool = True) -> Dataset:
    """Questions where an animal lives; each of ten has its own place."""
    made = [conversation(f"Where does the {animal} live, number {i}?",
                         f"By the {tiny.PLACES[place]}.")
            for i in range(4) for place, animal in enumerate(tiny.ANIMALS)][:count]
    made = made if answered else [talk[:1] for talk in made]
    rows = {"messages": made, "text": [" ".join(m["content"] for m in talk) for talk in made]}
    return with_card(Dataset.from_dict(rows), Card("talks", {"north": "0" * 64}))


def random_model(seed: int = 0, shape: Shape = tiny.SHAPE, context: int = 128) -> LanguageModel:
    """One that has learnt nothing."""
    return with_chat(build(shape, tiny.tokenizer(), context=context, seed=seed))


@cache
def _teacher() -> LanguageModel:
    recipe = InstructRecipe(epochs=60, max_length=128, batch_tokens=512, learning_rate=1e-2)
    return instruct(random_model(1), talks(), recipe, name="teacher").model


def teacher() -> LanguageModel:
    """One that knows where the animals live."""
    return _teacher().copy()
