"""The README's own commands, run as they are written: blocks fenced as ```bash test.

They run at the smoke scale, in the repository, with a home of their own that links to the downloads
of the real one, so that nothing is fetched twice and nothing of the developer's is touched.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fmcourse import sources, store

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(?:bash|sh) test\n(.*?)^```$", re.M | re.S)


def blocks(text: str) -> list[str]:
    """The commands of each tagged block."""
    return [block.strip() for block in FENCE.findall(text)]


COMMANDS = blocks((ROOT / "README.md").read_text(encoding="utf-8"))


def test_only_tagged_blocks_are_taken():
    text = "```bash\nno\n```\n\n```bash test\nyes\nagain\n```\n\n```python test\nno\n```\n"
    assert blocks(text) == ["yes\nagain"]


def test_the_readme_has_commands_to_test():
    assert COMMANDS


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A reader's shell: this Python's commands, and a home with links to what is fetched."""
    home = tmp_path_factory.mktemp("home")
    for name in sources.registry():
        sources.fetch(name)
    for room in ("sources", "models"):
        (home / room).mkdir()
        for path in store.folder(room).glob("[!.]*"):
            (home / room / path.name).symlink_to(path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "FMCOURSE_SCALE": "smoke", "FMCOURSE_HOME": str(home)}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the README's commands are for a POSIX shell")
@pytest.mark.parametrize("commands", COMMANDS, ids=lambda text: text.splitlines()[0][:40])
def test_the_readmes_commands_work(commands, environment):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
