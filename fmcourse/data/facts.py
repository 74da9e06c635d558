"""Facts about a data set that no machine can find out: whose it is, and what it may be used for.

They ride on its card (`fmcourse.data.card`), and a policy asks for them
(`fmcourse.data.governance`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fmcourse.errors import DataError, meant

SENSITIVITIES = ("public", "internal", "confidential", "personal", "special")  # in rising order


@dataclass(frozen=True)
class Governance:
    """Who answers for a data set, and what may be done with it, for how long.

    A fact that nobody has stated is empty; a policy will miss it.

    Attributes:
        owner: a person or a team who can be asked.
        purposes: what it may be used for, in the policy's words, such as 'research'.
        keep_until: the last day it may be used, as a date or in ISO form; stored as ISO.
        sensitivity: one of `SENSITIVITIES`; 'personal' and 'special' are about people (GDPR,
            articles 4 and 9).
        basis: why it may be held: a lawful basis (GDPR, article 6), a contract, a note of consent.

    Raises:
        DataError: a date or a sensitivity that is none.

    >>> Governance(owner="data team", keep_until=date(2030, 1, 31)).keep_until
    '2030-01-31'
    """

    owner: str = ""
    purposes: tuple[str, ...] = ()
    keep_until: str | date = ""
    sensitivity: str = ""
    basis: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.purposes, str):
            object.__setattr__(self, "purposes", (self.purposes,) if self.purposes else ())
        object.__setattr__(self, "purposes", tuple(self.purposes))
        object.__setattr__(self, "keep_until", _iso(self.keep_until))
        if self.sensitivity and self.sensitivity not in SENSITIVITIES:
            raise DataError(f"There is no sensitivity {self.sensitivity!r}.",
                            where="Governance.sensitivity", fix=meant(
                                self.sensitivity, SENSITIVITIES))


def strictest(facts: Iterable[Governance | None]) -> Governance | None:
    """The facts of data sets put together: what is asked of one of them is asked of the whole.

    The shortest time, the highest sensitivity, the purposes that all allow, every owner. A fact
    that one of them lacks is lacking; nothing, if none of them has any.

    >>> one = Governance("Ann", ("research", "product"), "2030-01-31", "public", "licence")
    >>> two = Governance("Bo", ("research",), "2029-05-01", "personal", "consent")
    >>> both = strictest([one, two])
    >>> both.owner, both.purposes, both.keep_until, both.sensitivity
    ('Ann; Bo', ('research',), '2029-05-01', 'personal')
    >>> strictest([one, None]).owner
    ''
    """
    found = list(facts)
    if not any(found):
        return None
    each = [one or Governance() for one in found]

    def joined(name: str, how: Any) -> Any:
        stated = [getattr(one, name) for one in each]
        return how(stated) if all(stated) else ""

    def all_of(stated: list[str]) -> str:
        return "; ".join(dict.fromkeys(stated))

    shared = [name for name in each[0].purposes if all(name in one.purposes for one in each)]
    return Governance(joined("owner", all_of), tuple(shared), joined("keep_until", min),
                      joined("sensitivity", lambda some: max(some, key=SENSITIVITIES.index)),
                      joined("basis", all_of))


def _iso(day: str | date) -> str:
    try:
        return day.isoformat()[:10] if isinstance(day, date) else (
            date.fromisoformat(day).isoformat() if day else "")
    except (ValueError, TypeError) as error:
        raise DataError(f"{day!r} is no date.", where="Governance.keep_until",
                        fix="Write year-month-day, such as 2030-01-31.") from error
