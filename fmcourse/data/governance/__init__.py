"""Governance of data over its whole life: who answers for it, what it may be used for, what was
done with it, and what was made of it.

- `policy`: rules as data, and what of a data set breaks them;
- `project`, `admission`: a folder in which training asks those rules first, and all is logged;
- `audit_log`: a log in which nothing can be changed unseen;
- `lineage`, `graph`, `provenance`: from any model back to its bytes, drawn and as W3C PROV;
- `erasure`, `searching`: what a person's request concerns;
- `report`: what an auditor asks, and the evidence;
- `exports`: cards as Croissant and as a Hugging Face README.

It helps to work in order; it is no legal advice. What it does not guard: every stage of training
that reads cards and keeps its runs in a folder (pretrain, continued, instruct, reward, prefer, ppo,
grpo) asks the rules. What learns from bare texts, or keeps nothing in a folder, asks and logs
nothing (`admission.UNGUARDED`): before `train.classify` and its like, ask `project.check` yourself,
and `project.note` what was read. Nor does any log show what another program reads.
"""

from fmcourse.data.facts import SENSITIVITIES, Governance
from fmcourse.data.governance.admission import admitted
from fmcourse.data.governance.audit_log import AuditLog, Entry, Fault, Head
from fmcourse.data.governance.erasure import Touched, touched_by
from fmcourse.data.governance.exports import croissant, hand_on, hub_card
from fmcourse.data.governance.graph import Lineage, Node
from fmcourse.data.governance.lineage import lineage
from fmcourse.data.governance.policy import Breach, Policy, check, govern, policy
from fmcourse.data.governance.project import Project, read, start
from fmcourse.data.governance.provenance import prov, write_prov
from fmcourse.data.governance.report import Answer, Report, audit

__all__ = [
    "SENSITIVITIES", "Answer", "AuditLog", "Breach", "Entry", "Fault", "Governance", "Head",
    "Lineage", "Node", "Policy", "Project", "Report", "Touched", "admitted", "audit", "check",
    "croissant", "govern", "hand_on", "hub_card", "lineage", "policy", "prov", "read", "start",
    "touched_by", "write_prov",
]
