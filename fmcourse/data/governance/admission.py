"""Training in a governed project: it is let go ahead or refused, and the log says which.

Every stage of training asks here, with the cards of the data sets it reads and the folder its run
will be kept in. What takes bare texts has no card to show, and what keeps nothing in a folder is in
no project; neither is asked: `UNGUARDED` names them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fmcourse import store
from fmcourse.data.card import Card
from fmcourse.data.governance.policy import Breach
from fmcourse.data.governance.project import Project, governing
from fmcourse.errors import PolicyError

UNGUARDED = ("train.classify", "train.features", "train.bag_of_words", "models.train_tokenizer",
             "privacy.teach_names")


@contextlib.contextmanager
def admitted(cards: Sequence[Card], folder: Path | str | None, what: str
             ) -> Iterator[Callable[[str], None]]:
    """Let a training run go ahead, or refuse it; begin, end, failure and refusal are logged.

    Every stage of training is inside one. Outside governed projects, and on data that is not
    governed, it does nothing.

    Args:
        cards: of the data sets to be read.
        folder: where the run will be kept; decides which project it belongs to.
        what: the run's name.

    Yields:
        What to call at the end, with the hash of what was made.

    Raises:
        PolicyError: a rule is broken; or the data is governed, and the run in no project.
    """
    project = governing(folder)
    if project is None:
        _only_ungoverned(cards)
        yield lambda made: None
        return
    name, made = _within(project, folder), Path(str(folder), "run.json")
    finished = made.is_file() and made.with_name("plan.json").is_file()
    breaches = [breach for about in cards for breach in project.check(about)]
    read_hashes = ", ".join(f"{about.name} {about.sha256[:12]}" for about in cards)
    if breaches or not cards:
        rules = ", ".join(dict.fromkeys(breach.rule.name for breach in breaches)) or "card"
        project.note("training refused", name, note=f"{rules}; {read_hashes}")
        raise refusal(breaches, what)
    if finished:
        yield lambda made: None  # the run of another plan is refused in there, and was not opened
        project.note("finished run opened", name, store.sha256_file(made))
        return
    for about in cards:
        project.note("data read", about.name, about.sha256, f"to train {name}")
    project.note("training started", name, note=read_hashes)
    hashes = []
    try:
        yield hashes.append
    except BaseException as error:
        project.note("training failed", name, note=type(error).__name__)
        raise
    project.note("training ended", name, hashes[0] if hashes else "", read_hashes)


def refusal(breaches: Sequence[Breach], what: str) -> PolicyError:
    """The error that names the rules broken, where, and what to do; the first one in full."""
    if not breaches:
        return PolicyError(f"The run {what!r} is refused: it names no data set.", where=what,
                           fix="Train on a data set with a card.")
    first, *others = breaches
    said = f"The run {what!r} is refused by the rule {first.rule.name!r}: {first.what}"
    if others:
        more = dict.fromkeys(f"{one.rule.name} ({one.data})" for one in others)
        said += f" Also broken: {', '.join(more)}."
    return PolicyError(said, where=first.data, fix=first.rule.fix)


def _only_ungoverned(cards: Sequence[Card]) -> None:
    governed = next((about for about in cards if about.governance), None)
    if governed:
        raise PolicyError("This data is governed, and the run says no purpose.",
                          where=governed.name,
                          fix="Keep the run in a governed project: folder=project.folder / "
                              "'runs' / … (see governance.start).")


def _within(project: Project, folder: Path | str | None) -> str:
    place = Path(os.path.abspath(folder))
    return place.relative_to(os.path.abspath(project.folder)).as_posix()
