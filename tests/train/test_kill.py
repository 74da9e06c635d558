"""SIGKILL, three times: the run ends with the loss and the weights of an undisturbed one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kill.py"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_run_ends_as_if_it_had_not_been():
    done = subprocess.run([sys.executable, BENCHMARK, "--kills", "3", "--start", "fork"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.startswith("kill ") for line in lines].count(True) == 3
    assert "half-written: checkpoint-" in done.stdout  # one kill did hit a checkpoint
    assert lines[-1].endswith("equal")
    assert "NOT" not in lines[-1]
