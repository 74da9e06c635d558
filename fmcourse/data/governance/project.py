"""A governed project: a folder in which nothing is trained that the policy does not allow.

`governance.toml` at its top says whose project it is and what for, `policy.toml` what must hold,
and `audit.jsonl` what was done. Whatever is trained into a folder below is checked and logged, with
no further word in the code that trains (see `admission`): that is what cannot be forgotten. Data
with facts of governance on its card can be trained on nowhere else; data without any goes where it
always did, but not in here.

Layout: `sources/` for raw files, `data/` for data sets, `runs/` for what was trained; none of it
is asked for, and `lineage` finds things wherever they lie in the folder.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import datasets
from datasets import Dataset, load_from_disk

from fmcourse import store
from fmcourse.data.card import Card, attached, card, with_card
from fmcourse.data.governance.audit_log import AuditLog
from fmcourse.data.governance.erasure import Touched, touched_by
from fmcourse.data.governance.lineage import lineage
from fmcourse.data.governance.policy import POLICY, Breach, Policy, check, policy
from fmcourse.errors import PolicyError, StoreError

ABOUT, RULES, LOG, DATA = "governance.toml", "policy.toml", "audit.jsonl", "card.json"
KEY, WHO = "FMCOURSE_AUDIT_KEY", "FMCOURSE_WHO"


@dataclass(frozen=True)
class Project:
    """A governed folder.

    Attributes:
        folder: its top.
        name, owner: of the project.
        purpose: what is trained in it, a purpose of the policy.
        keyed: the log's hashes need the key in `$FMCOURSE_AUDIT_KEY`.
    """

    folder: Path
    name: str
    owner: str
    purpose: str
    keyed: bool = False

    @property
    def policy(self) -> Policy:
        """The rules that hold here."""
        return policy(self.folder / RULES)

    @property
    def log(self) -> AuditLog:
        """The project's audit log."""
        return AuditLog(self.folder / LOG, _key() if self.keyed else None)

    def note(self, event: str, what: str, sha256: str = "", note: str = "") -> None:
        """Write a line in the log, by whoever works here, for the project's purpose."""
        self.log.add(event, what, who=who(), sha256=sha256, purpose=self.purpose, note=note)

    def check(self, dataset: Dataset | Card) -> list[Breach]:
        """What of a data set breaks the rules of this project."""
        return check(dataset, self.purpose, by=self.policy)

    def save(self, dataset: Dataset, name: str) -> Path:
        """Write a data set to `data/name`, sealed, and log it; what is there already is replaced.

        Raises:
            DataError: it has no card.
        """
        dataset = _counted(dataset)
        about = card(dataset)
        place = self.folder / "data" / name
        with store.atomic_folder(place) as draft:
            with _no_bars():
                dataset.save_to_disk(draft)
            files = [path for path in draft.rglob("*") if path.is_file()]
            store.seal(draft / DATA, about.plain(), files)
        self.note("data written", f"data/{name}", about.sha256)
        return place

    def load(self, name: str) -> Dataset:
        """Read a data set of this project, and log it.

        Raises:
            StoreError: it is not there, or not as it was written; the latter is logged, too.
        """
        place = self.folder / "data" / name
        if not (place / DATA).is_file():
            raise StoreError("There is no data set here.", where=place,
                             fix=f"Known: {', '.join(self.names()) or 'none'}.")
        changed = store.broken_seal(place / DATA)
        if changed:
            self.note("changed data found", f"data/{name}", note=", ".join(changed))
            raise StoreError(f"This data set was changed since it was written: "
                             f"{', '.join(changed)}.", where=place, fix="Make it again.")
        dataset = load_from_disk(str(place))
        self.note("data read", f"data/{name}", card(dataset).sha256)
        return dataset

    def erasure(self, words: str = "", *, record: str = "") -> Touched:
        """What a person's request concerns here, as `touched_by` says it; the request is logged.

        The log says that somebody asked, and what was touched, but not who: it is never changed,
        so nothing about people belongs in it.
        """
        found = touched_by(lineage(self.folder), words, record=record)
        touched = len(found.rows()) - len(found.unsearched)
        self.note("erasure asked", self.name,
                  note=f"things touched: {touched}, not searched: {len(found.unsearched)}")
        return found

    def names(self) -> list[str]:
        """The data sets that were saved here."""
        top = self.folder / "data"
        return sorted(path.parent.relative_to(top).as_posix() for path in top.rglob(DATA))


def start(folder: Path | str, *, name: str, owner: str, purpose: str, keyed: bool = False
          ) -> Project:
    """Make a folder a governed project, or open it if it is the same one.

    Args:
        folder: new or empty, or this project's own.
        name, owner: for people; the owner answers for the project.
        purpose: of what will be trained here; a purpose of the policy, such as 'research'.
        keyed: make the audit log with a key, which is read from `$FMCOURSE_AUDIT_KEY` and must be
            kept elsewhere.

    Raises:
        PolicyError: there is no such purpose; or the folder is governed otherwise already.
    """
    folder = Path(folder)
    if (folder / ABOUT).is_file():
        found = read(folder)
        if found != Project(folder, name, owner, purpose, keyed):
            raise PolicyError(f"This folder is the project {found.name!r}, for {found.purpose}.",
                              where=folder, fix="Choose another folder, or governance.read it.")
        return found
    policy().purpose(purpose)
    if keyed:
        _key()
    told = {"name": name, "owner": owner, "purpose": purpose}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
             for key, value in told.items()]
    store.atomic_write(folder / RULES, POLICY.read_bytes())
    store.atomic_write(folder / ABOUT, "\n".join([*lines, f"keyed = {str(keyed).lower()}", ""]))
    made = read(folder)
    made.note("project started", name, store.sha256_file(folder / RULES), f"owner: {owner}")
    return made


def read(folder: Path | str) -> Project:
    """Open a governed project.

    Raises:
        PolicyError: there is no such folder, it is no project, or its file cannot be read.
    """
    path = Path(folder) / ABOUT
    if not path.is_file():
        raise PolicyError(_no_project(Path(folder)), where=Path(os.path.abspath(folder)), fix=(
            "Make it a project with governance.start, or name the top folder of one, where "
            f"{ABOUT} lies."))
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        project = Project(Path(folder), **told)
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(path, error) from error
    for name, value in told.items():
        if type(value) is not (bool if name == "keyed" else str):
            raise _unusable(path, f"{name} = {value!r}")
    return project


def _no_project(folder: Path) -> str:
    if not folder.exists():
        return "There is no such folder."
    if not folder.is_dir():
        return "This is a file, not the folder of a governed project."
    above = governing(folder.parent)
    within = f": it lies within the project {above.name!r}, {above.folder}" if above else ""
    return f"This is no governed project{within}."


def _unusable(path: Path, why: object) -> PolicyError:
    return PolicyError(f"What this project is cannot be read: {why}.", where=path,
                       fix="It needs name, owner and purpose in quotes, and keyed = true or false.")


def governing(folder: Path | str | None) -> Project | None:
    """The project that a folder belongs to: its own, or of the nearest folder above."""
    if folder is None:
        return None
    place = Path(os.path.abspath(folder))  # "project/../elsewhere" is outside
    return next((read(one) for one in (place, *place.parents) if (one / ABOUT).is_file()), None)


def who() -> str:
    """Who is working: `$FMCOURSE_WHO`, or the user's name on this machine."""
    try:
        return os.environ.get(WHO) or getpass.getuser()
    except (OSError, KeyError):  # a container may have a user without a name
        return "unknown"


@contextlib.contextmanager
def _no_bars() -> Iterator[None]:
    """Without the bars that `datasets` draws on saving."""
    drawn = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if drawn:
            datasets.enable_progress_bars()


def _counted(dataset: Dataset) -> Dataset:
    """With a card that is true of the texts as they are, whatever was filtered since."""
    if "text" not in dataset.column_names:
        return dataset
    before = card(dataset)
    made = with_card(dataset.select(range(len(dataset))), before)
    after = card(made)
    if before.sha256 in ("", after.sha256):
        return made
    lineage = tuple(dict.fromkeys([*before.made_of, before.sha256]))
    return attached(made, replace(after, made_of=lineage))


def _key() -> str:
    key = os.environ.get(KEY, "")
    if len(key) < 16:
        raise PolicyError("The audit log is keyed, and there is no key of 16 characters or more.",
                          where=KEY, fix=f"Set the environment variable {KEY}.")
    return key
