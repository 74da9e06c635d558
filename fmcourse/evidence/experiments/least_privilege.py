"""G2: who may do what, with a role for each and with one role for all."""

from __future__ import annotations

import pandas as pd

from fmcourse import aws, store
from fmcourse.evidence.experiments.plain import plain
from fmcourse.evidence.experiments.shared import Outcome

INTENDED, THROUGH, EVALUATED = (
    "requests that the store answers as intended", "forbidden requests that go through",
    "requests that the evaluator answers as intended")
LEAST, SHARED = "least privilege", "one shared role"


def example() -> aws.Project:
    """A project with everything: a key and a network of its own."""
    return aws.Project(
        "111122223333", "course-training-data", key="1234abcd-12ab-34cd-56ef-1234567890ab",
        network=aws.Network("vpc-0a1b2c3d", "vpce-0a1b2c3d", ("subnet-0a1b2c3d",),
                            ("sg-0a1b2c3d",)))


def least_privilege(seed: int, project: aws.Project | None = None) -> Outcome:
    """The table of requests with the project's documents, and with one role that may do everything.

    The store enforces what roles may do to objects and the bucket; the evaluator judges all
    requests, by all documents. Nothing here is left to chance.

    Args:
        project: whose documents; by default one with a key and a network.
    """
    project = project or example()
    tables = {arm: aws.allow_deny_table(project, shared=arm == SHARED) for arm in (LEAST, SHARED)}
    arms = {arm: {INTENDED: share(table.dropna(subset="store"), "store"),
                  THROUGH: through(table), EVALUATED: share(table, "evaluator")}
            for arm, table in tables.items()}
    judged = tables[LEAST].dropna(subset="store")
    shown = tables[LEAST].assign(shared=tables[SHARED]["store"])
    return Outcome(arms, {"documents": store.sha256_json(aws.documents(project))}, {
        "requests": len(shown), "judged by the store": len(judged),
        "both agree": int((judged["store"] == judged["evaluator"]).sum()),
        "table": plain(shown)})


def share(table: pd.DataFrame, judge: str) -> float:
    """Share of the requests that a judge answers as expected."""
    return float((table[judge] == table["expected"]).mean())


def through(table: pd.DataFrame) -> float:
    """Share of what should be denied that the store lets through."""
    forbidden = table[(table["expected"] == "deny") & table["store"].notna()]
    return float((forbidden["store"] == "allow").mean())
