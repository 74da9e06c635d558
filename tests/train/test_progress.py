"""The progress line in a file: few lines, none of them taken back."""

from __future__ import annotations

from fmcourse.train import progress as module


def test_a_log_file_gets_a_line_now_and_then_and_a_last_one(monkeypatch, capsys):
    monkeypatch.setenv("FMCOURSE_PROGRESS", "1")
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0])  # begin; one look, then a look and a line
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    line = module.progress("run")
    line.update(0.1, "loss 9")
    line.update(0.2, "loss 8")
    line.update(0.3, "loss 7")
    line.close("done")
    assert capsys.readouterr().err == "run: 20%, loss 8\nrun: done\n"
