"""Numbers as people read them: '10 k' tokens, '3.2 PFLOP', '4.1 GB', '2 min', '61 %'.

One place decides how a quantity is written, so that a table, an axis and a printed value agree.
The prefix comes after a (no-break) space, three significant digits at most. A value that is not
finite becomes a dash rather than an error: a phase that was not measured must not break a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

SPACE = "\u00a0"  # no-break: a number and its unit stay on one line
MISSING = "–"

_COUNT = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_SI = ((1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_TIME = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"))

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# What a column of a history, a ledger or a cost table is called on an axis.
_LABELS = {
    "loss": "training loss (nats per token)",
    "validation_loss": "held-out loss (nats per token)",
    "bits_per_byte": "held-out bits per byte",
    "tokens": "tokens read",
    "step": "optimiser steps",
    "seconds": "time (s)",
    "flops": "compute (FLOP)",
    "memory": "peak memory",  # its ticks carry MB or GB
    "peak_memory_bytes": "peak memory",
    "parameters": "parameters",
    "learning_rate": "learning rate",
    "tokens_per_second": "tokens per second",
    "accuracy": "accuracy (%)",
}


def _digits(value: float) -> str:
    """Three significant digits, without trailing zeros; powers of ten only below 0.0001."""
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}×10{power(int(exponent))}".replace("-", "−")
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}".replace("-", "−")
    return text.rstrip("0").rstrip(".") if "." in text else text


def power(exponent: int) -> str:
    """An exponent in superscript characters, for axes that count in powers of ten.

    >>> "10" + power(-12)
    '10⁻¹²'
    """
    return str(exponent).translate(_SUPERSCRIPT)


def _finite(value: object) -> bool:
    try:
        return math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _scaled(value: float, steps: tuple[tuple[float, str], ...], unit: str = "") -> str:
    for factor, prefix in steps:
        # 999 600 reads "1 M", not "1,000 k": round first, then choose the prefix.
        if abs(float(f"{value:.3g}")) >= factor:
            return f"{_digits(value / factor)}{SPACE}{prefix}{unit}"
    return f"{_digits(value)}{SPACE}{unit}".rstrip()


def count(value: float) -> str:
    """Tokens, parameters, documents.

    >>> count(10_000), count(2_000_000), count(950)
    ('10\\xa0k', '2\\xa0M', '950')
    """
    return _scaled(float(value), _COUNT) if _finite(value) else MISSING


def flops(value: float) -> str:
    """Floating-point operations, SI prefixes.

    >>> flops(3.2e15)
    '3.2\\xa0PFLOP'
    """
    return _scaled(float(value), _SI, "FLOP") if _finite(value) else MISSING


def size(value: float) -> str:
    """Bytes in powers of 1000, as disks and cloud bills count them.

    >>> size(4.1e9)
    '4.1\\xa0GB'
    """
    return _scaled(float(value), _SI, "B") if _finite(value) else MISSING


def seconds(value: float) -> str:
    """A duration in the unit a person would say.

    >>> seconds(0.25), seconds(90), seconds(7200)
    ('250\\xa0ms', '1.5\\xa0min', '2\\xa0h')
    """
    if not _finite(value):
        return MISSING
    return _scaled(float(value), _TIME, "") if float(value) else f"0{SPACE}s"


def percent(value: float) -> str:
    """A fraction in [0, 1] as a percentage.

    >>> percent(0.613)
    '61\\xa0%'
    """
    if not _finite(value):
        return MISSING
    share = 100 * float(value)
    few = 0 < abs(share) < 9.95
    return f"{share:.1f}{SPACE}%" if few else f"{share:.0f}{SPACE}%"


def number(value: float) -> str:
    """Any other quantity, three significant digits.

    >>> number(1.23456)
    '1.23'
    """
    return _digits(float(value)) if _finite(value) else MISSING


def aligned(values: Iterable[float], strip: bool = False) -> list[str]:
    """Numbers to be compared, all with as many decimals as give the largest three digits.

    >>> aligned([0.533, 0.03333, 0]), aligned([4.5, 5.0], strip=True)
    (['0.533', '0.033', '0.000'], ['4.5', '5.0'])
    """
    found = [float(v) if _finite(v) else math.nan for v in values]
    largest = max((abs(v) for v in found if v == v), default=0.0)
    if 0 < largest < 1e-3:
        return [number(v) for v in found]
    places = max(0, 2 - math.floor(math.log10(largest))) if largest else 0
    if strip:
        while places and all(round(v, places) == round(v, places - 1) for v in found if v == v):
            places -= 1
    return [f"{v:,.{places}f}".replace("-", "−") if v == v else MISSING for v in found]


FORMATS: dict[str, Callable[[float], str]] = {
    "count": count, "flops": flops, "size": size, "seconds": seconds,
    "percent": percent, "number": number,
}


def format_for(column: str) -> Callable[[float], str]:
    """How values of a column with a conventional name are written."""
    if column in ("tokens", "step", "parameters", "trainable", "documents", "kept", "dropped", "n"):
        return count
    if column in ("memory", "peak_memory_bytes", "bytes"):
        return size
    return {"flops": flops, "seconds": seconds, "accuracy": percent}.get(column, number)


def scientific(value: float) -> str:
    """A power of ten, for axes that span many of them.

    >>> scientific(1e15), scientific(2e15)
    ('10¹⁵', '2×10¹⁵')
    """
    mantissa, exponent = f"{value:.2e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return ("" if mantissa == "1" else mantissa + "×") + "10" + power(int(exponent))


def tick_for(column: str) -> Callable[[float], str]:
    """How the ticks of a column's axis are written, next to a label that has the unit."""
    special = {"flops": scientific, "seconds": number, "accuracy": lambda v: number(100 * v)}
    return special.get(column, format_for(column))


def label(column: str) -> str:
    """The axis label of a column, with its unit where the name has a convention.

    >>> label("tokens"), label("win_rate")
    ('tokens read', 'win rate')
    """
    return _LABELS.get(column, column.replace("_", " "))
