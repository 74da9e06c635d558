"""Checks at the door of the plotting room: what came in, and a clear word when it cannot be drawn.

Every picture takes plain things: DataFrames, dictionaries, lists, Runs. They become DataFrames with
the columns a picture needs, or a DataError naming what is missing and what is there. Values that
are not finite are kept here and left out when drawn: a diverged run should show where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from fmcourse.errors import DataError


def frame(data: object, columns: Sequence[str], where: str) -> pd.DataFrame:
    """A DataFrame that has rows and these columns, from a DataFrame, list of records or dict.

    Raises:
        DataError: not a table, no rows, or columns missing.
    """
    if isinstance(data, pd.DataFrame):
        table = data
    elif isinstance(data, Mapping) or (
        isinstance(data, Iterable) and not isinstance(data, (str, bytes))
    ):
        try:
            table = pd.DataFrame(data if isinstance(data, Mapping) else list(data))
        except (ValueError, TypeError) as error:
            raise _no_table(data, columns, where) from error
    else:
        raise _no_table(data, columns, where)
    missing = [column for column in columns if column not in table.columns]
    if missing and (len(table) or len(table.columns)):
        raise DataError(
            f"The table has no column {_names(missing)}.", where=f"show.{where}",
            fix=f"It has {_names(table.columns)}; rename or add what is missing.")
    if not len(table):
        raise DataError("The table has no rows, so there is nothing to draw.",
                        where=f"show.{where}", fix="Check the step that should have filled it.")
    return table


def numbers(table: pd.DataFrame, column: str, where: str) -> np.ndarray:
    """A column as floats; missing values become NaN. (rows,)"""
    try:
        return pd.to_numeric(table[column]).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise DataError(f"The column {column!r} holds values that are not numbers.",
                        where=f"show.{where}", fix="Convert it with pandas.to_numeric.") from error


def arms(data: object, where: str, single: str = "run") -> dict[str, object]:
    """A dictionary name → thing to draw; a bare thing gets the name `single`."""
    if data is None or (isinstance(data, Mapping) and not data):
        raise DataError("There is nothing to draw.", where=f"show.{where}",
                        fix="Pass a dictionary of name to values with at least one entry.")
    if isinstance(data, pd.Series):
        return {str(name): value for name, value in data.items()}
    return {str(k): v for k, v in data.items()} if isinstance(data, Mapping) else {single: data}


def scalars(data: object, where: str) -> dict[str, float]:
    """A dictionary name → number, from a mapping, a Series or one bare number."""
    found = {}
    for name, value in arms(data, where, single="score").items():
        try:
            found[name] = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise DataError(f"The value of {name!r} is {value!r}, not a number.",
                            where=f"show.{where}", fix="Pass one number per name.") from error
    return found


def history(run: object, columns: Sequence[str], where: str) -> pd.DataFrame:
    """The history of a Run (anything with `.history`), or a DataFrame as it is."""
    return frame(getattr(run, "history", run), columns, where)


def choice(value: str, allowed: Sequence[str], name: str, where: str) -> None:
    """Refuse a setting that is not one of those allowed."""
    if value not in allowed:
        raise DataError(f"{name}={value!r} is not possible.", where=f"show.{where}",
                        fix=f"Use one of {_names(allowed)}.")


def nothing_finite(what: str, where: str) -> DataError:
    """The error for data that is all missing, infinite or, on a log axis, not positive."""
    return DataError(f"{what} has no value that can be drawn.", where=f"show.{where}",
                     fix="Check that the run measured it and did not diverge at once.")


def _no_table(data: object, columns: Sequence[str], where: str) -> DataError:
    return DataError(
        f"A table was expected, but this is a {type(data).__name__} that cannot become one.",
        where=f"show.{where}",
        fix=f"Pass a DataFrame or a list of records with {_names(columns)}.")


def _names(names: Iterable[object]) -> str:
    return ", ".join(repr(str(name)) for name in names) or "no columns"
