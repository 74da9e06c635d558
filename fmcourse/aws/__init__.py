"""AWS without an account: documents and requests for a project's names, checked and tried.

Everything is generated from one `Project`, held against the API models that botocore ships and
IAM's grammar, evaluated as AWS would, and tried on a store with S3's interface on this machine.
Nothing here calls AWS but `submit(request, really=True)`.
"""

from fmcourse.aws.checks import check
from fmcourse.aws.decide import ANYONE, Access, Decision, decide
from fmcourse.aws.feedback import feedback_table
from fmcourse.aws.findings import Finding, rows
from fmcourse.aws.folder import (
    check_file,
    documents,
    read_project,
    read_request,
    write_documents,
    write_request,
)
from fmcourse.aws.import_check import import_check
from fmcourse.aws.import_check import rules as import_rules
from fmcourse.aws.jobs import import_job, job_role, training_job
from fmcourse.aws.lint import lint
from fmcourse.aws.local import STRANGER, Store, local
from fmcourse.aws.models import bases, settings, teacher_arn
from fmcourse.aws.plan import Plan, plan
from fmcourse.aws.policies import (
    all_powerful,
    auditor_policy,
    bucket_policy,
    endpoint_policy,
    engineer_policy,
    key_policy,
    people_policy,
    policy,
    role_policy,
    statement,
    trust_policy,
)
from fmcourse.aws.project import Network, Project
from fmcourse.aws.requests import (
    Request,
    customization_job,
    encryption,
    public_access_block,
    setting_up,
    vpc_config,
)
from fmcourse.aws.submit import submit
from fmcourse.aws.table import allow_deny_table, cases, judge
from fmcourse.aws.tuned import Tuned, read_run

__all__ = [
    "ANYONE", "STRANGER", "Access", "Decision", "Finding", "Network", "Plan", "Project", "Request",
    "Store", "Tuned", "all_powerful", "allow_deny_table", "auditor_policy", "bases",
    "bucket_policy", "cases", "check", "check_file", "customization_job", "decide", "documents",
    "encryption", "endpoint_policy", "engineer_policy", "feedback_table", "import_check",
    "import_job", "import_rules", "job_role", "judge", "key_policy", "lint", "local",
    "people_policy", "plan", "policy", "public_access_block", "read_project", "read_request",
    "read_run", "role_policy", "rows", "setting_up", "settings", "statement", "submit",
    "teacher_arn", "training_job", "trust_policy", "vpc_config", "write_documents", "write_request",
]
