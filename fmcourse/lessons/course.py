"""What a lesson holds in its hand: the machine, the scale, the ledger, and a way to be held to it.

`course.claim` is the assertion that ends an experiment. At the `cpu` and `gpu` scales it fails the
lesson when the effect is not there; at `smoke`, where runs are too short to judge, it says so.
"""

from __future__ import annotations

import html
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmcourse import evidence, hardware, progress, scale, store
from fmcourse.errors import EvidenceError
from fmcourse.evidence import ledger
from fmcourse.evidence.claim import NOT_JUDGED, SHOWN, Measure
from fmcourse.models import compat


@dataclass(frozen=True)
class Finding:
    """A claim's live result with the ledger's beside it; Jupyter shows it as one line."""

    claim: str
    statement: str
    measure: Measure
    treatment: float
    control: float
    effect: float
    verdict: str
    ledger: str

    def __str__(self) -> str:
        sign = "×" if self.measure.effect == "ratio" else ""
        return (f"{self.claim} {self.verdict}: {self.measure.metric}, "
                f"{self.measure.treatment} {self.treatment:.4g} against "
                f"{self.measure.control} {self.control:.4g}; effect {sign}{self.effect:.3g}, "
                f"bound {self.measure.live:g}. {self.ledger}")

    def _repr_html_(self) -> str:
        mark = {SHOWN: "✓", NOT_JUDGED: "·"}.get(self.verdict, "✗")
        return (f"<div><b>{mark} {html.escape(self.claim)}, {html.escape(self.measure.metric)}</b>"
                f"<br>{html.escape(str(self))}<br>"
                f"<i>Part of the claim: {html.escape(self.statement)}</i></div>")


class Course:
    """One lesson in progress; made by `start`."""

    def __init__(self, lesson: str, claims: Sequence[str]):
        for name in claims:
            evidence.get(name)
        self.lesson, self.claims = lesson, tuple(claims)
        self.hardware, self.scale = hardware.detect(), scale.current()

    def ledger(self, claim: str, metric: str | None = None) -> dict[str, Any]:
        """The committed result of the full-size experiment; see `evidence.read`.

        Args:
            metric: only the claim's measure of it: its arms, effect and interval.

        Raises:
            EvidenceError: the claim was not run yet, or has no such measure.
        """
        record = evidence.read(claim)
        if metric is None:
            return record
        for entry in record["measures"]:
            if entry["metric"] == metric:
                return entry
        raise EvidenceError(f"{claim} has no measure {metric!r}.", where="course.ledger",
                            fix=f"Known: {', '.join(e['metric'] for e in record['measures'])}")

    def ledgers(self) -> list[dict[str, Any]]:
        """A line for each of the lesson's claims: verdict, metric, effect, interval, bound."""
        return [line for name in self.claims for line in ledger.lines(name)]

    def claim(
        self, name: str, treatment: float, control: float, metric: str | None = None
    ) -> Finding:
        """Hold what was just measured against the claim's live bound.

        Args:
            name: claim id; it must be one this lesson started with.
            treatment, control: the metric in the two arms.
            metric: which of the claim's measures; by default the first.

        Raises:
            EvidenceError: the effect did not appear (scales that enforce), or no such measure.
        """
        claim = evidence.get(name)
        measure = self._measure(name, metric)
        effect = measure.once(treatment, control)
        verdict = NOT_JUDGED  # where runs are too short, an effect need not even be a number
        if self.scale.enforce:
            verdict = evidence.judge([effect], measure.live).verdict
        finding = Finding(name, claim.statement, measure, treatment, control, effect, verdict,
                          self._ledger_line(name, measure))
        _record({"claim": name, "metric": measure.metric, "verdict": verdict,
                 "effect": effect if math.isfinite(effect) else None, "bound": measure.live})
        progress.claimed(self.lesson, self.scale.name, name, measure.metric, verdict)
        if self.scale.enforce and verdict != SHOWN:
            raise EvidenceError(
                f"{name} did not show: {measure.metric}, {measure.treatment} {treatment:.4g} "
                f"against {measure.control} {control:.4g}. The effect is {effect:.3g}; the bound "
                f"is {measure.live:g}.", where=f"lesson {self.lesson}",
                fix="Was something changed above? If not, run the lesson again and report it.")
        return finding

    def _measure(self, name: str, metric: str | None) -> Measure:
        if name not in self.claims:
            raise EvidenceError(f"Lesson {self.lesson} did not announce claim {name}.",
                                where="course.claim", fix=f"Announced: {', '.join(self.claims)}")
        judged_live = [m for m in evidence.get(name).measures if m.live is not None]
        for measure in judged_live:
            if metric in (None, measure.metric, f"{measure.treatment} / {measure.control}"):
                return measure
        known = ", ".join(f"'{m.treatment} / {m.control}' ({m.metric})" for m in judged_live)
        raise EvidenceError(f"{name} has no live measure {metric!r}.", where="course.claim",
                            fix=f"Known: {known}")

    def _ledger_line(self, name: str, measure: Measure) -> str:
        if not (ledger.FOLDER / f"{name}.json").exists():
            return "The ledger has no entry yet."
        record = evidence.read(name)
        for entry in record["measures"]:
            if all(entry[part] == getattr(measure, part)
                   for part in ("metric", "treatment", "control")):
                ends = ", ".join(ledger.ends(entry))
                return (f"Ledger, {ledger.over(record, entry)}: {entry['effect']:.3g}"
                        f"{f' [{ends}]' if ends else ''}, {entry['verdict']}.")
        return ""


def _record(result: Mapping[str, Any]) -> None:
    """Add a result to the list the lesson runner reads; nothing when nobody asked."""
    wanted = os.environ.get("FMCOURSE_CLAIMS")
    if wanted:
        path = Path(wanted)
        earlier = json.loads(path.read_text()) if path.exists() else []
        store.write_json(path, [*earlier, dict(result)])


def start(lesson: str, claims: Sequence[str] = ()) -> Course:
    """Begin a lesson: quiet the libraries, look at the machine, set the style of the plots.

    That it was begun is noted in the learner's progress, and so is what its claims come to.
    """
    from fmcourse import show

    compat.quiet()
    hardware.fit_threads()
    show.style()
    course = Course(lesson, claims)
    progress.begun(lesson, course.scale.name)
    return course
