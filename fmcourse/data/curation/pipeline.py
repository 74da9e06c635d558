"""Records through named steps: what each step kept, what it changed, what it dropped, and why.

A step sees the texts that are left and says of each one what it is to be: the text, as it was or
repaired, or a `Drop` with the rule that it breaks. That is all a step can do, so nothing can be
lost without a reason: kept and dropped together are always what came in. Trade-off: the texts are
in memory, all of them, because duplicates are a property of a whole corpus; a hundred million
characters fit a laptop, a web crawl doesn't.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from datasets import Dataset, Features, Value

from fmcourse.data.card import card, values, with_card
from fmcourse.errors import DataError

LEFT = ("row", "step", "why", "found")  # columns that the dropped records have besides their own


@dataclass(frozen=True)
class Drop:
    """Why a record goes.

    Attributes:
        why: the rule that it breaks, the same words for every record that breaks it.
        found: what was found in this record.
    """

    why: str
    found: str = ""


Decision = str | Drop
Out = tuple[int, str | None, str, Drop]  # row, text, name of the step, reason
Decide = Callable[[Sequence[str]], Iterable[Decision]]


@dataclass(frozen=True)
class Step:
    """A name for the funnel, and what the step makes of texts: a decision each, in order."""

    name: str
    decide: Decide


def each(name: str, judge: Callable[[str], Decision]) -> Step:
    """A step that looks at one text at a time.

    >>> list(each("shout", str.upper).decide(["a", "b"]))
    ['A', 'B']
    """
    return Step(name, lambda texts: map(judge, texts))


def _written(text: str | None) -> Decision:
    return text if text and not text.isspace() else Drop("no text")


PRESENT = each("text is there", _written)


@dataclass(frozen=True)
class Curated:
    """What came out of `curate`.

    Attributes:
        kept: the records that are left, with their columns, repaired, with a card.
        rows: for each of them its row in what came in. (kept,)
        dropped: the others, as the step saw them that dropped them, with their columns and `row`,
            `step`, `why` and `found`.
        changed: step → rows (in what came in) of the texts that it changed and did not drop.
        steps: step, kept and dropped, in order.
    """

    kept: Dataset
    rows: tuple[int, ...]
    dropped: Dataset
    changed: Mapping[str, tuple[int, ...]]
    steps: tuple[tuple[str, int, int], ...]

    def table(self) -> pd.DataFrame:
        """A row a step: step, kept, dropped, changed; what `show.funnel` draws."""
        return pd.DataFrame([
            {"step": name, "kept": kept, "dropped": dropped, "changed": len(self.changed[name])}
            for name, kept, dropped in self.steps])

    def reasons(self) -> pd.DataFrame:
        """Why records were dropped: step, why, records; commonest first within a step."""
        order = [name for name, _, _ in self.steps]
        counted = Counter(zip(self.dropped["step"][:], self.dropped["why"][:], strict=True))
        rows = sorted(((order.index(step), -n, step, why) for (step, why), n in counted.items()))
        return pd.DataFrame([(step, why, -n) for _, n, step, why in rows],
                            columns=["step", "why", "records"])


def curate(dataset: Dataset, steps: Iterable[Step]) -> Curated:
    """Take the records of a data set through steps, in order.

    Before the first one, records without any text are dropped; a text of which a step leaves
    nothing is dropped by that step.

    Args:
        dataset: a column `text` of strings, and any others; a card.
        steps: such as `curation.standard()`.

    Raises:
        DataError: there is no such column, a column has a name that the dropped records need, two
            steps have the same name, or a step does not decide about every text once.
    """
    _check(dataset)
    rows, texts, left_out = range(len(dataset)), list(values(dataset)), []
    changed, counts, about = {}, [], card(dataset)
    for step in (PRESENT, *steps):
        if step.name in changed:
            raise DataError(f"Two steps are called {step.name!r}.", where="curate",
                            fix="Give each its own name.")
        decided = list(zip(rows, texts, _decisions(step, texts), strict=True))
        dropped = [(row, text, step.name, decision) for row, text, decision in decided
                   if isinstance(decision, Drop)]
        stay = [(row, text, decision) for row, text, decision in decided
                if not isinstance(decision, Drop)]
        changed[step.name] = tuple(row for row, text, decision in stay if decision != text)
        rows, texts = [row for row, _, _ in stay], [decision for _, _, decision in stay]
        left_out += dropped
        counts.append((step.name, len(stay), len(dropped)))
        about = about.step(*counts[-1], _commonest(dropped))
    kept = with_card(with_texts(dataset, rows, texts), about)
    return Curated(kept, tuple(rows), _dropped(dataset, left_out), changed, tuple(counts))


def _decisions(step: Step, texts: Sequence[str]) -> list[Decision]:
    """What a step makes of each text; of nothing but white space it makes a drop."""
    found = list(step.decide(texts))
    if len(found) != len(texts):
        raise DataError(f"The step {step.name!r} gave {len(found)} decisions about {len(texts)} "
                        "texts.", where="curate",
                        fix="Let it give a text or a Drop for each, in order.")
    strange = next((decision for decision in found if not isinstance(decision, Decision)), None)
    if strange is not None or None in found:
        raise DataError(f"The step {step.name!r} decided {strange!r}.", where="curate",
                        fix="Let it return the text, as it was or repaired, or a Drop.")
    return [decision if isinstance(decision, Drop) or decision.strip() else Drop("nothing left")
            for decision in found]


def _check(dataset: Dataset) -> None:
    kind = dataset.features.get("text")
    if not isinstance(kind, Value) or kind.dtype not in ("string", "large_string", "null"):
        raise DataError("There is no column 'text' of strings.", where=dataset.column_names,
                        fix="Rename the column with curation.standardise.")
    taken = sorted(set(LEFT) & set(dataset.column_names))
    if taken:
        raise DataError(f"The column {taken[0]!r} has a name that dropped records need.",
                        where=dataset.column_names, fix="Rename it.")


def _commonest(dropped: Sequence[Out]) -> str:
    counted = Counter(drop.why for *_, drop in dropped)
    return f"({'; '.join(f'{why} {n:,}' for why, n in counted.most_common(3))})" if counted else ""


def with_texts(dataset: Dataset, rows: Sequence[int], texts: Sequence[str | None],
                **more: Sequence[int] | Sequence[str]) -> Dataset:
    """Some rows of a data set with other texts, and more columns of numbers or strings."""
    table = dataset.select(rows).with_format("arrow")[:]
    columns = {name: table[name] for name in dataset.column_names} | {"text": texts} | more
    kinds = Features({**dataset.features, "text": Value("string"), **{
        name: Value("int64" if name == "row" else "string") for name in more}})
    return Dataset(pa.table({
        name: pa.array(column, kinds[name].pa_type) if name in ("text", *more) else column
        for name, column in columns.items()}).cast(kinds.arrow_schema))


def _dropped(dataset: Dataset, gone: Sequence[Out]) -> Dataset:
    rows = [row for row, *_ in gone]
    return with_texts(dataset, rows, [text for _, text, *_ in gone], row=rows,
                       step=[step for *_, step, _ in gone], why=[drop.why for *_, drop in gone],
                       found=[drop.found for *_, drop in gone])
