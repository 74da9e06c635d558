"""A run comes back from disk as it was, and says what is missing when it does not."""

from __future__ import annotations

import pandas as pd
import pytest
import tiny

from fmcourse import store
from fmcourse.errors import CourseError, StoreError
from fmcourse.train import Cost, Run, flops_per_token


def made() -> Run:
    history = pd.DataFrame({"step": [1, 2], "tokens": [10, 20], "loss": [5.1 / 3, 1e-17 + 1 / 7],
                            "learning_rate": [1e-3, 2e-3], "seconds": [0.1, 0.30000000000000004]})
    observations = pd.DataFrame({
        "share": [0.1, 1.0], "snapshot": ["0.1", "1"], "date": ["2018", "soon"],
        "sample": [["a", "ü \u2028"], []], "bits": [1 / 3, 0.1 + 0.2]})
    return Run("mine", tiny.model(seed=4), {"tokens": 20}, history, {"loss": 1 / 3},
               Cost(20, 1.5e9, 0.3, 10**8, 100, 90), {"data": "ab"}, {"torch": "2"}, observations)


def test_it_comes_back_as_it_was(tmp_path):
    run = made()
    again = Run.load(run.save(tmp_path / "r"))
    pd.testing.assert_frame_equal(again.history, run.history, check_exact=True)
    pd.testing.assert_frame_equal(again.observations, run.observations, rtol=1e-14, atol=0)
    assert again.card == run.card
    assert again.cost == run.cost
    assert again.model.sha256() == run.model.sha256()
    assert again.model.name == "mine"


def test_without_observations(tmp_path):
    run = made()
    run.observations = pd.DataFrame()
    assert Run.load(run.save(tmp_path / "r")).observations.empty


@pytest.mark.parametrize("name", ["run.json", "history.csv", "observations.json", "model"])
def test_what_is_missing_is_named(tmp_path, name):
    folder = made().save(tmp_path / "r")
    (folder / name).rename(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match=name):
        Run.load(folder)


def test_a_run_without_its_mark_is_not_a_run(tmp_path, monkeypatch):
    write = store.write_json

    def stop(path, value):
        if path.name == "run.json":
            raise KeyboardInterrupt
        write(path, value)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_json", stop)
        with pytest.raises(KeyboardInterrupt):
            made().save(tmp_path / "r")
    assert (tmp_path / "r" / "model").is_dir()
    with pytest.raises(StoreError, match=r"run\.json"):
        Run.load(tmp_path / "r")


def test_operations_by_hand():
    causal, masked = tiny.model("causal"), tiny.model("masked")
    attention = 2 * 32 * 100  # layers, width, context
    assert flops_per_token(causal, 100) == 6 * causal.parameters + 6 * attention
    assert flops_per_token(masked, 100) == 6 * masked.parameters + 12 * attention


def test_it_shows_itself():
    run = made()
    assert "mine" in repr(run)
    assert "90 of 100" in str(run.cost)
    assert "<pre>" in run._repr_html_()
    run.name = "<b>"
    assert "<b>" not in run._repr_html_()
