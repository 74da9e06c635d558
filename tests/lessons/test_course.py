"""`course.claim` holds a lesson to its word where the scale judges, and only notes it at smoke."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fmcourse
from fmcourse import evidence, progress, scale, store
from fmcourse.errors import CourseWarning, EvidenceError
from fmcourse.evidence import ledger
from fmcourse.lessons import start
from fmcourse.lessons.course import NOT_JUDGED

BITS, BLANK = "held-out bits per byte", "masked: lone blank right"

COMMITTED = Path(ledger.__file__).with_name("ledger")


@pytest.fixture(autouse=True)
def at_cpu_scale(tmp_path, monkeypatch):
    monkeypatch.setenv("FMCOURSE_SCALE", "cpu")
    monkeypatch.setenv("FMCOURSE_DEVICE", "cpu")
    monkeypatch.delenv("FMCOURSE_CLAIMS", raising=False)
    monkeypatch.setattr(ledger, "FOLDER", tmp_path / "ledger")  # none is written yet


def live(name: str, metric: str | None = None) -> evidence.Measure:
    return next(m for m in evidence.get(name).measures
                if m.live is not None and metric in (None, m.metric))


def test_a_lesson_knows_its_machine_and_scale():
    course = fmcourse.start("01", claims=["K1"])
    assert course.scale is scale.SCALES["cpu"]
    assert course.hardware.device == "cpu"
    assert (course.lesson, course.claims) == ("01", ("K1",))


def test_an_unknown_claim_stops_the_first_cell():
    with pytest.raises(EvidenceError, match="K77"):
        start("01", claims=["K77"])


def test_an_effect_that_shows_is_found():
    bound = live("K1").live
    finding = start("01", ["K1"]).claim("K1", treatment=2.0, control=2.01 + bound)
    assert finding.verdict == "shown"
    assert finding.effect == pytest.approx(0.01 + bound)
    assert "no entry yet" in str(finding)
    assert finding.statement == evidence.get("K1").statement
    assert "✓" in finding._repr_html_()


@pytest.mark.parametrize("name", ["cpu", "gpu"])
@pytest.mark.parametrize("control", [2.0, 1.0, 2.0 + 0.9 * live("K1").live])
def test_an_effect_that_does_not_show_stops_the_lesson(monkeypatch, name, control):
    monkeypatch.setenv("FMCOURSE_SCALE", name)
    course = start("01", ["K1"])
    with pytest.raises(EvidenceError, match="K1 did not show") as caught:
        course.claim("K1", treatment=2.0, control=control)
    assert caught.value.where == "lesson 01"


def test_what_was_begun_and_shown_or_not_is_noted_in_the_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("FMCOURSE_DATA", str(tmp_path))
    course = start("01", ["K1"])
    course.claim("K1", treatment=2.0, control=9.0)
    with pytest.raises(EvidenceError):
        course.claim("K1", treatment=2.0, control=1.0)
    with progress.opened() as database:
        assert database.execute("select lesson, scale from lesson_begun").fetchall() == [
            ("01", "cpu")]
        said = database.execute("select claim, metric, verdict from lesson_claim").fetchall()
    assert said == [("K1", live("K1").metric, "shown"), ("K1", live("K1").metric, "not shown")]


def test_a_lesson_goes_on_though_nothing_can_be_noted(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FMCOURSE_DATA", str(tmp_path / "file" / "below"))
    with pytest.warns(CourseWarning, match="not noted"):
        course = start("01", ["K1"])
    with pytest.warns(CourseWarning, match="not noted"):
        assert course.claim("K1", treatment=2.0, control=9.0).verdict == "shown"


def test_smoke_judges_nothing_and_says_so(monkeypatch):
    monkeypatch.setenv("FMCOURSE_SCALE", "smoke")
    for control in (1.0, 9.0):
        finding = start("01", ["K1"]).claim("K1", treatment=2.0, control=control)
        assert finding.verdict == NOT_JUDGED
        assert NOT_JUDGED in str(finding)
        assert "✓" not in finding._repr_html_()


def test_a_claim_the_lesson_did_not_announce_is_refused():
    with pytest.raises(EvidenceError, match="did not announce claim K2"):
        start("01", ["K1"]).claim("K2", 1.0, 2.0)


def test_a_measure_is_named_by_its_metric():
    course, bound = start("01", ["K2"]), live("K2", BLANK).live
    assert course.claim("K2", 0.5 + 2 * bound, 0.5, metric=BLANK).measure.metric == BLANK
    assert course.claim("K2", 0.9, 0.1).measure == live("K2")  # by default the first
    with pytest.raises(EvidenceError, match="no live measure 'taste'"):
        course.claim("K2", 1.0, 0.0, metric="taste")


def test_what_is_judged_by_the_ledger_only_cannot_be_claimed_live():
    metric = next(m.metric for m in evidence.get("K1").measures if m.live is None)
    with pytest.raises(EvidenceError, match="no live measure"):
        start("01", ["K1"]).claim("K1", 1.0, 0.0, metric=metric)


def test_a_run_that_diverged_is_no_finding(monkeypatch):
    with pytest.raises(EvidenceError, match="not a number"):
        start("01", ["K1"]).claim("K1", float("nan"), 2.0)


def test_the_runner_gets_every_result_in_order(tmp_path, monkeypatch):
    path = tmp_path / "claims.json"
    monkeypatch.setenv("FMCOURSE_CLAIMS", str(path))
    course = start("01", ["K1", "K2"])
    course.claim("K2", 0.9, 0.1)
    with pytest.raises(EvidenceError):
        course.claim("K1", 2.0, 1.0)
    first, second = json.loads(path.read_text())
    assert (first["claim"], first["verdict"]) == ("K2", "shown")
    assert first["effect"] == pytest.approx(0.8)
    assert (second["claim"], second["verdict"], second["metric"]) == ("K1", "not shown", BITS)
    assert second["bound"] == live("K1").live


def test_a_ratio_to_nothing_is_no_number_and_no_obstacle(tmp_path, monkeypatch):
    """As at the smoke scale, where a control may get nothing right."""
    path = tmp_path / "claims.json"
    monkeypatch.setenv("FMCOURSE_CLAIMS", str(path))
    monkeypatch.setenv("FMCOURSE_SCALE", "smoke")
    assert live("M1").effect == "ratio"
    start("04", ["M1"]).claim("M1", 0.1, 0.0)
    result, = json.loads(path.read_text())
    assert (result["effect"], result["verdict"]) == (None, "not judged")


def test_the_ledger_stands_beside_the_live_result():
    claim = evidence.get("K1")
    arms = []
    for seed in range(3):
        values: dict[str, dict[str, float]] = {}
        for m in claim.measures:
            values.setdefault(m.control, {})[m.metric] = 1.0
            sign = 1 if m.better == "higher" else -1
            values.setdefault(m.treatment, {})[m.metric] = 1 + sign * (0.5 + 0.01 * seed)
        arms.append(values)
    record = ledger.entry(claim, [0, 1, 2], arms, [{}] * 3, 1.0, {}, ledger.made_now())
    store.write_json(ledger.FOLDER / "K1.json", record)
    course = start("01", ["K1"])
    line = str(course.claim("K1", 1.0, 2.0))
    assert "Ledger, 3 seeds: 0.51 [" in line
    assert line.endswith("shown.")
    assert course.ledger("K1")["effect"] == pytest.approx(0.51)


def test_markup_in_a_result_is_shown_not_obeyed():
    finding = start("0<b>1", ["K1"]).claim("K1", 1.0, 2.0)
    assert finding._repr_html_().count("<b>") == 1


@pytest.mark.parametrize("name", sorted(path.stem for path in COMMITTED.glob("*.json")))
def test_every_committed_entry_can_stand_beside_a_live_result(name, monkeypatch):
    monkeypatch.setattr(ledger, "FOLDER", COMMITTED)
    monkeypatch.setenv("FMCOURSE_SCALE", "smoke")
    course = start("01", [name])
    record = course.ledger(name)
    for measure in (m for m in evidence.get(name).measures if m.live is not None):
        entry = next(e for e in record["measures"] if all(
            e[part] == getattr(measure, part) for part in ("metric", "treatment", "control")))
        monkeypatch.setattr(course, "_measure", lambda *_, measure=measure: measure)
        line = str(course.claim(name, 2.0, 1.0))
        assert f"{entry['effect']:.3g}" in line.split("Ledger, ")[1]
        assert (" [" in line) == (entry["interval"] is not None)
    assert len(course.ledgers()) == len(record["measures"])


@pytest.fixture
def stored(monkeypatch):
    """K1's committed entry, in a folder of its own."""
    entry = store.read_json(COMMITTED / "K1.json")
    store.write_json(ledger.FOLDER / "K1.json", entry)
    return entry


def test_a_measure_of_the_ledger_can_be_had_by_its_metric(stored):
    course = start("01", ["K1"])
    assert course.ledger("K1") == stored
    assert course.ledger("K1", "grammar pairs right") == stored["measures"][1]
    with pytest.raises(EvidenceError, match="no measure 'spelling'"):
        course.ledger("K1", "spelling")


def test_an_entry_that_does_not_hold_is_not_called_missing(stored):
    store.write_json(ledger.FOLDER / "K1.json", {**stored, "effect": 99.0})
    course = start("01", ["K1"])
    with pytest.raises(EvidenceError, match="does not follow"):
        course.ledgers()
    with pytest.raises(EvidenceError, match="does not follow"):
        course.claim("K1", treatment=1.0, control=2.0)


def test_an_effect_without_a_number_is_noted_where_nothing_is_judged(monkeypatch):
    monkeypatch.setenv("FMCOURSE_SCALE", "smoke")
    finding = start("04", ["M1"]).claim("M1", treatment=0.1, control=0.0)
    assert finding.verdict == NOT_JUDGED
    monkeypatch.setenv("FMCOURSE_SCALE", "cpu")
    with pytest.raises(EvidenceError, match="not a number"):
        start("04", ["M1"]).claim("M1", treatment=0.1, control=0.0)
