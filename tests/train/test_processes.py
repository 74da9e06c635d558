"""Two data-parallel processes train as one does, with checkpoints, and finish one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny

from fmcourse.train import PretrainRecipe, Run, pretrain

SETTINGS = {"tokens": 12 * 256, "context": 32, "batch_tokens": 256, "micro_batch_tokens": 128,
            "learning_rate": 1e-2, "compile": False, "checkpoint_minutes": 0}
SCRIPT = f"""
import sys
import tiny, torch
from fmcourse.train import PretrainRecipe, pretrain
torch.set_num_threads(1)
run = pretrain(tiny.model(), tiny.token_file(), PretrainRecipe(**{SETTINGS}), folder=sys.argv[1])
print("tokens", run.cost.tokens)
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_processes_train_as_one(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    path = os.pathsep.join([str(Path(tiny.__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone",
                    "--nproc-per-node=2", tmp_path / "script.py", tmp_path / "two"],
                   env=environment, check=True, timeout=380)
    two = Run.load(tmp_path / "two")
    one = pretrain(tiny.model(), tiny.token_file(), PretrainRecipe(**SETTINGS))
    assert two.cost.tokens == one.cost.tokens
    assert two.history["step"].tolist() == one.history["step"].tolist()
    np.testing.assert_allclose(two.history["loss"], one.history["loss"], rtol=1e-3)
    assert not (tmp_path / "two" / "checkpoints").exists()
