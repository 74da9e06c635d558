"""One shape for records from many places: the same columns, the same types, no holes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datasets import Dataset, Features, Value

from fmcourse.data.card import card, values, with_card
from fmcourse.errors import DataError

COLUMNS = ("text", "document", "source")


def standardise(
    dataset: Dataset,
    names: Mapping[str, str] | None = None,
    fill: Mapping[str, str] | None = None,
    columns: Sequence[str] = COLUMNS,
) -> Dataset:
    """Records with exactly these columns, as strings.

    No record is dropped here. A missing value takes what `fill` has for its column; a `document`
    that is missing becomes the record's own number, so that a split can still tell records apart;
    a `text` that is missing stays so, and `curate` drops it with that reason.

    Args:
        dataset: any columns; a card.
        names: column → its name from now on.
        fill: column → the value where one is missing, or of a column that is not there at all.
        columns: those wanted, in order.

    Raises:
        DataError: a column is neither there nor in `fill`, or two get the same name.

    Example: `standardise(rows, {"body": "text"}, {"source": "crawl"})`
    """
    names, fill, about = names or {}, fill or {}, card(dataset)
    found: dict[str, str] = {}
    for name in dataset.column_names:
        wanted = names.get(name, name)
        if wanted in found:
            raise DataError(f"Both {found[wanted]!r} and {name!r} would be {wanted!r}.",
                            where=dataset.column_names, fix="Give them different names.")
        found[wanted] = name
    whole: dict[str, list[str | None]] = {}
    filled = 0
    for column in columns:
        if column not in found and column not in fill and column != "document":
            raise DataError(f"The column {column!r} is missing.", where=dataset.column_names,
                            fix="Say in `names` which column it is, or in `fill` what it holds.")
        given = list(values(dataset, found[column])) if column in found else [None] * len(dataset)
        if column in found and column != "text":
            filled += given.count(None)
        whole[column] = [_filled(value, column, number, fill)
                         for number, value in enumerate(given)]
    made = Dataset.from_dict(whole, Features({column: Value("string") for column in columns}))
    return with_card(made, about.step("columns", len(made), 0, f"({filled:,} values filled in)"))


def _filled(value: object, column: str, number: int, fill: Mapping[str, str]) -> str | None:
    if value is not None:
        return value if isinstance(value, str) else str(value)
    return fill.get(column, f"record {number}" if column == "document" else None)
