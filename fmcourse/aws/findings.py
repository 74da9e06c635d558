"""What is wrong with a document or request, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        where: a path into the document, such as 'trainingDataConfig.s3Uri' or 'Statement 2.Action'.
        rule: the kind of rule that is broken, such as 'pattern'.
        what: the fault, in a sentence.
        fix: what to do.
    """

    where: str
    rule: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.fix} [{self.rule}]"


def rows(findings: Iterable[Finding]) -> pd.DataFrame:
    """Findings as a table."""
    import pandas as pd

    return pd.DataFrame([asdict(one) for one in findings],
                        columns=["where", "rule", "what", "fix"])
