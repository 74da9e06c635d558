"""Two dated releases of the same documentation: what a model learnt then, and what it missed since.

AWS's API documentation of November 2022 and of November 2026, for 48 services, so that a lesson or
an experiment can read all of it twice: 24 that hardly changed in between and 24 that did not exist.
Operations and overviews only; the types they use would double the reading and add few facts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from datasets import Dataset

from fmcourse.data.card import card, with_card
from fmcourse.data.domain import domain
from fmcourse.errors import DataError

# The first four and the next four of each have names of about one length, so that questions can
# be made of few services too.
LASTING = (
    "devicefarm", "pinpoint", "workmail", "inspector", "ds", "clouddirectory", "frauddetector",
    "globalaccelerator",
    "appmesh", "appsync", "chime", "databrew", "es", "greengrass", "iotthingsgraph",
    "iotwireless", "lakeformation", "lex-models", "mturk", "networkmanager", "personalize",
    "proton", "waf", "workspaces")
YOUNG = (
    "deadline", "qconnect", "s3tables", "supplychain", "cleanroomsml", "securityagent",
    "vpc-lattice", "codecatalyst",
    "chatbot", "chime-sdk-voice", "cleanrooms", "devops-agent", "entityresolution",
    "iot-managed-integrations", "ivs-realtime", "mailmanager", "observabilityadmin", "odb", "omics",
    "opensearchserverless", "qapps", "qbusiness", "securitylake", "wickr")


@dataclass(frozen=True)
class Releases:
    """What two releases say of the same services.

    Attributes:
        old: the texts of November 2022.
        new: the texts of November 2026.
        news: those of `new` that `old` does not have word for word.
    """

    old: Dataset
    new: Dataset
    news: Dataset

    def added(self) -> list[tuple[str, str]]:
        """(operation, service) of the services that came after the old release."""
        return _operations(self.news, YOUNG)

    def unchanged(self) -> list[tuple[str, str]]:
        """(operation, service) whose text is the same in both releases."""
        both = set(self.old["text"][:]) & set(self.new["text"][:])
        return _operations(self.old, LASTING, both)


def releases(each: int = len(YOUNG)) -> Releases:
    """Both releases of the 48 services, or of the first `each` of either kind.

    Raises:
        DataError: fewer than one service asked for.
    """
    if each < 1:
        raise DataError("Releases of no services have nothing to compare.", where="data.releases",
                        fix=f"Ask for 1 to {len(YOUNG)} services of each kind.")
    old = _select(domain("aws-2022")["train"], LASTING[:each])
    new = _select(domain("aws")["train"], LASTING[:each] + YOUNG[:each])
    known = set(old["text"][:])
    rows = [i for i, text in enumerate(new["text"][:]) if text not in known]
    news = new.select(rows).flatten_indices()
    entry = card(new).step("not in the old release", len(rows), len(new) - len(rows))
    return Releases(old, new, with_card(news, entry))


def _select(dataset: Dataset, services: Collection[str]) -> Dataset:
    rows = [i for i, (document, kind) in enumerate(
        zip(dataset["document"][:], dataset["kind"][:], strict=True))
        if document in services and kind != "shape"]
    entry = card(dataset).step(f"{len(services)} services", len(rows), len(dataset) - len(rows),
                               "operations and overviews")
    return with_card(dataset.select(rows).flatten_indices(), entry)


def _operations(dataset: Dataset, services: Collection[str],
                texts: Collection[str] | None = None) -> list[tuple[str, str]]:
    return [(row["name"], row["service"]) for row in dataset
            if row["kind"] == "operation" and row["document"] in services
            and (texts is None or row["text"] in texts)]
