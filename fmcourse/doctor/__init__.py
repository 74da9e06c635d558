"""`fmcourse doctor`: will the course run here, and if not, which command mends it?

Every topic is examined on its own, so that one broken part (PyTorch not importable, say) becomes a
finding beside the others instead of ending the examination. Network questions run side by side and
give up after a few seconds; the whole takes 5–20 s, most of it importing and hashing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fmcourse.doctor import holdings, installation, machine
from fmcourse.doctor.finding import OK, PROBLEM, WARN, Finding, guarded

__all__ = ["Finding", "examine", "main", "report"]

LOCAL: dict[str, Callable[[], Iterable[Finding]]] = {
    "python": installation.python,
    "packages": installation.packages,
    "device": machine.device,
    "arithmetic": machine.arithmetic,
    "threads": machine.threads,
    "compiler": machine.compiler,
    "memory": machine.memory,
    "disk": machine.disk,
    "sources": holdings.cached,
    "models": holdings.models,
    "notebook": installation.notebook,
    "encoding": installation.encoding,
}
REMOTE: dict[str, Callable[[], Iterable[Finding]]] = {
    "package index": holdings.index,
    "model hub": holdings.hub,
}
STYLE = {OK: "green", WARN: "yellow", PROBLEM: "bold red"}


def examine(online: bool = True) -> list[Finding]:
    """Look at everything the course depends on.

    Args:
        online: also ask whether the package index and the model hub can be reached.

    Returns:
        Findings in the order of their topics; a cause that several topics share is told once.
    """
    findings = [guarded(topic, function) for topic, function in LOCAL.items()]
    if online:  # after the rest: imports in two threads at once can lock each other out
        with ThreadPoolExecutor() as pool:
            findings += pool.map(guarded, REMOTE, REMOTE.values())
    causes: dict[tuple[str, str], Finding] = {}
    for finding in chain.from_iterable(findings):
        causes.setdefault((finding.what, finding.fix), finding)
    return list(causes.values())


def _summary(findings: list[Finding]) -> Text:
    count = {status: sum(f.status == status for f in findings) for status in STYLE}
    if count[PROBLEM]:
        number = "1 problem" if count[PROBLEM] == 1 else f"{count[PROBLEM]} problems"
        return Text(f"{number} to mend before the course runs well.", style=STYLE[PROBLEM])
    if count[WARN]:
        number = "1 warning" if count[WARN] == 1 else f"{count[WARN]} warnings"
        return Text(f"The course runs here; {number}.", style=STYLE[WARN])
    return Text("Everything the course needs is here.", style=STYLE[OK])


def report(findings: list[Finding]) -> Table:
    """A table for terminal and notebook: the status in words, the fix below what it mends."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, caption=_summary(findings),
                  caption_justify="left", caption_style="")
    table.add_column("status")
    table.add_column("topic", no_wrap=True)
    table.add_column("finding", overflow="fold")
    for finding in findings:
        text = Text(finding.what)
        if finding.fix:
            text.append("\nfix: ", style="bold").append(finding.fix, style="cyan")
        table.add_row(Text(finding.status, style=STYLE[finding.status]), finding.topic, text)
    return table


def main(online: bool = True) -> int:
    """Examine, print the report, and return the exit code: 1 if there is a problem."""
    console = Console()
    with console.status("Examining this machine (up to 20 seconds) …"):
        findings = examine(online)
    console.print(report(findings))
    return int(any(finding.status == PROBLEM for finding in findings))
