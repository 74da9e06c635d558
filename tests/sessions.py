"""Training in processes of its own, to be killed or to be two: what the stages' tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
SCRIPT = """
import os, signal, sys
import tiny
from {test} import RECIPE, pairs
from dataclasses import replace
from fmcourse.models import build
from fmcourse.train import {stage}
def look(model, share):
    if share == 0.5 and sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return {{}}
model = build(tiny.SHAPE, tiny.tokenizer(), context=128)
run = {stage}(model, pairs(128), replace(RECIPE, checkpoint_minutes=0.0), folder=sys.argv[1],
             observe=look, observe_at=(0.0, 0.5, 1.0))
print(run.model.sha256())
"""


class Sessions:
    """Runs of a stage that learns from pairs.

    Args:
        stage: its name.
        test: module with `RECIPE` and `pairs`.
        place: folder for all of them.
    """

    def __init__(self, stage: str, test: str, place: Path):
        self.place, self.script = place, place / "script.py"
        self.script.write_text(SCRIPT.format(stage=stage, test=test))

    def __call__(self, folder: str, how: str = "undisturbed", *launcher: str
                 ) -> subprocess.CompletedProcess:
        """Train in a folder: undisturbed, or killed half way; prints the model's hash."""
        path = os.pathsep.join(map(str, [HERE, HERE / "train", os.environ.get("PYTHONPATH", "")]))
        return subprocess.run(
            [sys.executable, *launcher, self.script, self.place / folder, how],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, capture_output=True,
            text=True)

    def check_a_kill_changes_nothing(self) -> None:
        """Killed and gone on with, it ends with the weights of one that was not disturbed."""
        done = [self(folder, how) for folder, how in (
            ("run", "killed"), ("run", "goes on"), ("other", "undisturbed"))]
        assert [each.returncode for each in done] == [-9, 0, 0], done[1].stderr[-2000:]
        assert done[1].stdout.splitlines()[-1] == done[2].stdout.splitlines()[-1]

    def by_one_and_by_two(self) -> tuple[Path, Path]:
        """The folders of the same run, by one process and by two."""
        for folder, launcher in (("one", ()), ("two", TWO)):
            done = self(folder, "undisturbed", *launcher)
            assert done.returncode == 0, done.stderr[-2000:]
        return self.place / "one", self.place / "two"
