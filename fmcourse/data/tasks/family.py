"""What a task family is: one task, its wordings, and how an item of it is made of real text.

A family is data and one pure function: `make(rng, material)` draws a text and says what the right
reply is; a phrasing turns it into an instruction. The reply is graded by a checker of
`fmcourse.evaluate`, named here and not imported, since data stands below evaluation.

Trade-off: the task is fixed and its wordings are written by hand, a handful each, where FLAN has
ten templates for each of sixty data sets (Wei et al. 2022, "Finetuned Language Models Are Zero-Shot
Learners"). The last phrasing of every family is kept out of training, to tell what was learnt of
the task from what was learnt of its wording.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fmcourse.data.tasks.material import Material

# Sources of the texts that a family draws on (see `fmcourse.sources.registry`).
ENCYCLOPAEDIA = ("boolq-passages", "wikipedia-articles")
TEXTS = (*ENCYCLOPAEDIA, "web-bible", "aws-docs")


@dataclass(frozen=True)
class Item:
    """One thing to do: what the phrasings' places hold, and the right reply.

    Attributes:
        places: the texts for `{input}` and other places in the family's phrasings.
        answer: a reply that fulfils the instruction.
        parameters: the checker's; JSON can hold them.
        document, source: where the input is from.
    """

    places: Mapping[str, str]
    answer: str
    parameters: Mapping[str, Any]
    document: str
    source: str


@dataclass(frozen=True)
class Family:
    """One task in several wordings.

    Attributes:
        name, kind: 'first_sentence' is of the kind 'reading'.
        make: draws an item; the same generator state gives the same item.
        phrasings: instructions with places such as `{input}`; the last is never trained on.
        checker: a name that `fmcourse.evaluate.checkers.check` knows.
        origins: names of the sources it draws on.
        held_out: never to be trained on.
        hard: expected to be beyond a model of our size.
        chance: share earned without understanding: by naming any of the options, or the
            commonest answer.
    """

    name: str
    kind: str
    make: Callable[[random.Random, Material], Item]
    phrasings: tuple[str, ...]
    checker: str = "answer"
    origins: tuple[str, ...] = field(default=TEXTS)
    held_out: bool = False
    hard: bool = False
    chance: float = 0.0


def one_of(answer: str) -> dict[str, list[str]]:
    """Parameters of the checker `answer`, which compares without regard to case.

    >>> one_of("Amazon S3")
    {'accepted': ['amazon s3']}
    """
    return {"accepted": [answer.casefold()]}
