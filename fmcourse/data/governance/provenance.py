"""Lineage in the words of W3C PROV, so that other tools can read it.

Things are entities; what a run did, and the steps on a data set's card, are activities; owners
are agents (W3C 2013, "PROV-DM: The PROV Data Model"). Written as PROV-JSON by the library `prov`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmcourse import store
from fmcourse.data.governance.graph import DATA, RUN, Lineage, Node

if TYPE_CHECKING:
    from prov.model import ProvDocument

NAMESPACE = "urn:fmcourse:"


def prov(graph: Lineage) -> ProvDocument:
    """The graph as a document of the library `prov`, which can write it in several forms.

    Entities are named by their hash; an edge becomes wasDerivedFrom, and where a run or a data
    set's steps stand behind it, also used and wasGeneratedBy.
    """
    from prov.model import ProvDocument

    document = ProvDocument()
    document.add_namespace("fm", NAMESPACE)
    for node in graph.nodes.values():
        document.entity(f"fm:{node.id}", _entity(node))
        if doing := _activity(node):
            document.activity(f"fm:making-{node.id}", other_attributes=doing)
            document.wasGeneratedBy(f"fm:{node.id}", f"fm:making-{node.id}")
        owner = (node.facts.get("governance") or {}).get("owner")
        if owner:
            agent = f"fm:agent-{store.sha256_text(owner)[:16]}"
            if not document.get_record(agent):
                document.agent(agent, {"prov:label": owner})
            document.wasAttributedTo(f"fm:{node.id}", agent)
    for older, newer in graph.edges:
        document.wasDerivedFrom(f"fm:{newer}", f"fm:{older}")
        if _activity(graph.nodes[newer]):
            document.used(f"fm:making-{newer}", f"fm:{older}")
    return document


def write_prov(graph: Lineage, path: Path | str) -> Path:
    """Write the graph as PROV-JSON."""
    return store.write_json(path, json.loads(prov(graph).serialize(format="json")))


def _entity(node: Node) -> dict[str, Any]:
    return {"prov:label": node.name, "prov:type": node.kind, "fm:sha256": node.id}


def _activity(node: Node) -> dict[str, Any]:
    """What made a thing, where its card or run says so."""
    if node.kind == RUN:
        return {"prov:label": f"training: {node.name}",
                "fm:recipe": json.dumps(node.facts["recipe"], sort_keys=True)}
    steps = [step["step"] for step in node.facts.get("steps", ())] if node.kind == DATA else []
    return {"prov:label": f"preparing: {node.name}", "fm:steps": "; ".join(steps)} if steps else {}
