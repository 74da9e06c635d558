"""What training on something new did to what was there before, in one table.

Catastrophic forgetting (McCloskey and Cohen 1989) is a change of the same measures on the same
held-out items, so models are compared before and after, never alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from datasets import Dataset

from fmcourse.errors import DataError
from fmcourse.evaluate.bits import bits_per_byte
from fmcourse.evaluate.facts import score_facts
from fmcourse.evaluate.intervals import overall
from fmcourse.evaluate.pairs import minimal_pairs, score_pairs

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel


def forgetting(
    before: LanguageModel, after: LanguageModel, general: Sequence[str], domain: Sequence[str],
    items: Dataset | None = None, pairs: int | None = None,
) -> pd.DataFrame:
    """General and domain measures of a model before and after training.

    Args:
        before, after: causal models.
        general: held-out texts of the kind that `before` was trained on.
        domain: held-out texts of the kind that `after` was trained on.
        items: questions of the domain (`evaluate.operation_items` and the like).
        pairs: at most so many minimal pairs of grammar; None for all.

    Returns:
        A row a measure: `measure`, `before`, `after`, `change`, and `better`, the direction that
        is good ('lower' or 'higher').

    Raises:
        DataError: no texts.
        ModelError: a masked model.
    """
    if not len(general) or not len(domain):
        raise DataError("Forgetting needs text of both kinds.", where="evaluate.forgetting",
                        fix="Give held-out general and domain texts.")
    grammar, context = minimal_pairs(pairs), min(256, before.context, after.context)
    measures = [("general bits per byte", "lower", lambda m: bits_per_byte(m, general, context)),
                ("grammar pairs right", "higher", lambda m: overall(score_pairs(m, grammar))),
                ("domain bits per byte", "lower", lambda m: bits_per_byte(m, domain, context))]
    if items is not None:
        measures.append(("domain questions right", "higher",
                         lambda m: overall(score_facts(m, items))))
    rows = []
    for name, better, measure in measures:
        old, new = measure(before), measure(after)
        rows.append({"measure": name, "before": old, "after": new, "change": new - old,
                     "better": better})
    return pd.DataFrame(rows)
