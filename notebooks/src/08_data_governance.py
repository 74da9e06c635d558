# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   fmcourse:
#     title: "Data: governance and privacy"
#     claims: [G1, G2, G3, G4, G5, G6]
#     minutes_cpu: 5
#     minutes_gpu: 5
# ---

# %% [markdown]
# # 08 · Data: governance and privacy
# **Question:** who may use which data for what, and how would you prove afterwards that it was so?
#
# Claims G1, G2, G3, G4, G5, G6 · about 5 minutes on two CPU cores, 5 on a GPU · after lesson 07

# %% [markdown]
# > **Exam words.** *Data governance*: policies, roles (an *owner*, a *steward*) and processes for data over its whole *life
# > cycle*, from collecting to disposal. *Least privilege*: each role may do what it needs, and no more. *PII*: personally
# > identifiable information, to be *anonymised* or *pseudonymised*. *Data lineage*: where data came from and how it was
# > changed. *Compliance audit*: somebody checks, later, with evidence.

# %%
import hashlib
import json
import random
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

import fmcourse as fm
from fmcourse import aws, data, evaluate, models, show, sources, store, train
from fmcourse.data import governance, privacy

# %%
course = fm.start("08", claims=["G1", "G2", "G3", "G4", "G5", "G6"])
base = models.load("base")
home = Path(tempfile.mkdtemp()) / "assistant"

# %% [markdown]
# ## A project
# A company wants an assistant taught on the notes of its support desk. Below, the documentation in them is real (AWS's);
# people and their numbers were **planted** (simulated), so that the truth is known and nobody is exposed.

# %%
pages = data.domain("aws")["train"].shuffle(seed=0).select(range(25_000, 35_000))
size = min(course.scale.live_tokens // 3, 250_000)
notes = privacy.plant_personal(data.sized(pages, size, 0), seed=0, part="dev")
early = [row for row in notes if row["spans"] and row["spans"][0]["start"] < 40]
print(*(row["text"][:90] for row in early[:3]), sep="\n")
print(Counter(span["kind"] for row in notes for span in row["spans"]))

# %% [markdown]
# The desk also hands out secrets. A few customers wrote theirs again and again. Such planted secrets are called *canaries*:
# we will see later whether a model sings.

# %%
from fmcourse.evidence.experiments.private import canaries, tagger

rivals = 127 if course.scale.enforce else 7  # of each secret, for the attack below
secrets = canaries(seed=0, each=6, repeats=[16], candidates=rivals)
print(*(secret.text for secret in secrets[::6]), sep="\n")
lines = [*notes["text"][:], *(s.text for s in secrets for _ in range(s.repeats))]
random.Random(0).shuffle(lines)

# %% [markdown]
# A *governed* folder says whose project it is, and what for. Whatever is trained in it is held against a policy first.

# %%
project = governance.start(home, name="assistant", owner="support team",
                           purpose="product")
raw = home / "sources" / "notes.jsonl"
store.atomic_write(raw, "\n".join(json.dumps({"text": line}) for line in lines))
rules = project.policy.rules.values()
show.table([{"rule": rule.name, "asks": rule.asks} for rule in rules])

# %% [markdown]
# ### The raw idea: a policy is code
# A rule that a person has to remember is forgotten on a Friday. A rule that a program asks is not:

# %%
asked = {
    "owner": lambda facts: bool(facts.get("owner")),
    "purpose": lambda facts: "product" in facts.get("purposes", ()),
    "retention": lambda facts: facts.get("keep until", "") >= date.today().isoformat(),
}
facts = {"owner": "support team", "purposes": ["research"], "keep until": "2025-12-31"}
print("broken:", [name for name, holds in asked.items() if not holds(facts)])

# %% [markdown]
# Now the library's, and the notes as they came. A bare file forgets its papers: the licence and the attribution of the
# documentation in it are lost, so they are put back. **Predict.** How many rules of the eight are broken?

# %%
found, papers = sources.load(raw), data.card(notes)
found = data.with_card(found, replace(
    data.card(found), name="notes", licence=papers.licence,
    attribution=papers.attribution,
    sources={**papers.sources, **data.card(found).sources}))
show.table([{"rule": breach.rule.name, "what": breach.what}
            for breach in project.check(found)])

# %% [markdown]
# Those are facts that no machine can find out; somebody has to state them, and answer for them. Two more rules ask about
# people, and nobody has said yet that the notes are about any.

# %%
stated = governance.Governance(
    owner="support team", purposes=("product",), sensitivity="personal",
    basis="consent, asked for this purpose (simulated)",
    keep_until=date.today() + timedelta(days=365))
found = governance.govern(found, stated)
project.save(found, "notes")
recipe = train.PretrainRecipe.at_scale(
    tokens=min(course.scale.live_tokens // 6, 120_000), learning_rate=2e-3)
try:
    train.pretrain(base, data.tokens(found, base.tokenizer), recipe,
                   folder=home / "runs" / "assistant")
    raise AssertionError("This run should have been refused.")
except fm.errors.PolicyError as refusal:
    print(refusal)

# %% [markdown]
# Nobody had to think of asking: the guard is in the training code. Somewhere else, outside the project? Governed data is
# refused there, too. It guards against forgetting, not against intent: whoever can read the file can train on it. Hence
# roles, further down. Classifiers and tokenizers see no card, and are not guarded.
#
# **Predict.** Cards with one fact missing, past or wrong, one after another, each in a real training run. How many of the
# runs start? And with whole cards?

# %%
from fmcourse.evidence.experiments.governed import (
    BROKEN,
    REFUSED,
    UNGOVERNED,
    WHOLE,
    governed,
)

outcome = governed(0, texts=8, whole=3)
refused = {arm: outcome.arms[arm][REFUSED] for arm in (BROKEN, WHOLE, UNGOVERNED)}
print(f"{outcome.details[BROKEN]} runs on broken cards; share refused:", refused)
course.claim("G1", treatment=refused[BROKEN], control=refused[WHOLE])

# %% [markdown]
# The third kind are the same broken cards without facts, outside the project: they train as they always did. What this does
# not show: that the facts on a card are *true*. A policy believes the card; an owner answers for it.

# %% [markdown]
# ## Personal data
# The last rule broken was *redaction*. So find the people.

# %% [markdown]
# ### The raw idea: form, check digit, context
# Card numbers have a check digit (Luhn): double every second digit from the right, beginning with the last but one; where
# that gives two digits, add them; all added, the sum ends in 0.

# %%
def luhn(number):
    digits = [int(digit) for digit in reversed(number) if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


for number in ("4111 1111 1111 1111", "4111 1111 1111 1112", "4903 7742 0875 1354"):
    print(number, luhn(number))
for text in ("Card 4111 1111 1111 1111.", "Order 4111 1111 1111 1111.",
             "SSN 524-63-6635.", "Call 524-63-6635."):
    print(f"{text:28}", [span.kind for span in privacy.find(text)])

# %% [markdown]
# One number in ten passes by chance, so the words before it count, too. Names have neither form nor digit: for them a small
# *tagger* is taught, here, on made-up names. It looks at how a word and its neighbours are written.

# %%
names = tagger(0)
text = "Dear Maria Lopez, please call Mr Chang in Lyon at +33 6 29 14 17 77."
for span in privacy.find(text, names):
    print(f"{span.kind:6} {text[span.start:span.end]!r}, by {span.by}")

# %% [markdown]
# How good is it? On the notes, in whose forms it was developed; and on text written in *hidden* forms, which nobody looked
# at while it was made. **Predict.** Which kind will be missed most? Which will be found where there is none?

# %%
unseen = data.domain("aws")["test"].shuffle(seed=0).select(range(400))
hidden = privacy.plant_personal(unseen, seed=0, part="hidden", avoid=names.taught)


def graded(rows):
    """Recall and precision of each kind."""
    texts = rows["text"][:]
    found = [privacy.find(text, names) for text in texts]
    return privacy.grade_spans(found, privacy.spans_of(rows), texts).set_index("kind")[
        ["recall", "precision"]]


grades = graded(notes).add_suffix(", known forms").join(
    graded(hidden).add_suffix(", hidden forms"), how="right")
show.table(grades.reset_index(), formats=dict.fromkeys(grades.columns, ".0%"))

# %% [markdown]
# *Recall*: how much of it is found; *precision*: how much of what is found is any. Names are the weak spot: firms and
# streets are called after people, too, so some of what is called a name is none; we had hoped for a precision of 95 % and
# did not get there. And seven kinds are not all: birth dates or addresses are not looked for. What got through of the
# hidden forms:

# %%
truth = privacy.spans_of(hidden)
missed = [{"kind": span.kind, "missed": text[span.start:span.end],
           "before it": text[max(0, span.start - 40):span.start]}
          for text, spans in zip(hidden["text"][:], truth, strict=True)
          for span in spans if not any(
              span.overlaps(other) for other in privacy.find(text, names))]
show.table(missed[:6])

# %% [markdown]
# ### Three ways out
# *Redact*: only the kind is left. *Mask*: a little more. *Pseudonym*: another value, always the same for the same person,
# which nobody can compute without the key.

# %%
key = random.Random(0).randbytes(32)  # for simulated people; else privacy.new_key()
for text in ("Maria Lopez called from +33 6 29 14 17 77.", "Ms Lopez called again."):
    print(privacy.redact(text, names))
    print(privacy.mask(text, names))
    print(privacy.pseudonymise(text, key, names))

# %% [markdown]
# With pseudonyms, both notes are still about one person, and that is what makes them useful. It is also why they are
# personal data still, for whoever can get at the key, or knows enough of the story (GDPR, recital 26; the EU's court in
# C-413/23 P, 2025). *Anonymous* is only what nobody can undo by any means that somebody is likely to use.

# %%
clean = privacy.without_personal(found, names=names)
clean = data.with_card(clean, replace(data.card(clean), name="redacted notes"))
print(next(text[:160] for text in clean["text"][:] if "[NAME]" in text[:80]))
print(data.card(clean).steps[-1]["note"])
left = sum(secret.secret in text for secret in secrets for text in clean["text"][:])
print("broken rules:", project.check(clean), "· secrets that are left:", left)

# %% [markdown]
# ## What a model gives away
# Does it matter what a model has read? Two models go on reading: one the notes as they were written, outside the project and
# before they were governed, as nobody should; one the redacted notes, in the project.

# %%
project.save(clean, "redacted")
rows = data.tokens(sources.load(raw), base.tokenizer)
leaky = train.pretrain(base, rows, recipe, name="as written", show_progress=False)
rows = data.tokens(clean, base.tokenizer)
run = train.pretrain(base, rows, recipe, name="assistant", show_progress=False,
                     folder=home / "runs" / "assistant")

# %% [markdown]
# The attacker knows the sentence, as it was written and as it was redacted, not the secret. *Given away*: the model writes
# it, word for word. *Exposure*: how many bits of guessing the model saves, among 127 other secrets of the same form; 7 is
# the most. Knowing nothing gives 1.4 on average, and the better of two attempts a little more. A model may rank a secret
# first, and still slip when it writes it down.
#
# **Predict.** How many of the secrets does each model give away?

# %%
own = [f" {secret.secret}" for secret in secrets]
others = [[f" {other}" for other in secret.others] for secret in secrets]
prompts = [[secret.before.rstrip() for secret in secrets],
           [privacy.redact(secret.before, names).rstrip() for secret in secrets]]
leaks = []
for name, model in {"as written": leaky.model, "redacted": run.model}.items():
    given = np.max([evaluate.extracted(model, one, own) for one in prompts], axis=0)
    bits = np.max([evaluate.exposures(model, one, own, others) for one in prompts],
                  axis=0)
    leaks.append({"model": name, "given away": given.mean(), "exposure": bits.mean()})
show.table(leaks, formats={"given away": ".0%", "exposure": ".1f"})

# %%
course.claim("G3", treatment=leaks[0]["exposure"], control=leaks[1]["exposure"],
             metric="exposure of secrets in bits")

# %% [markdown]
# What a model never read, it can only guess. What the detector missed, it has read. In the ledger a network was trained
# from the start on secrets, written once, four times or sixteen times; and the same with pseudonyms. **Predict.** Is once
# too often?

# %%
metric = "exposure of secrets in bits"
curves = [{"times written": times, "arm": arm, "bits": bits}
          for seed in course.ledger("G3")["details"]
          for arm, curve in seed["curves"].items()
          for times, bits in zip(seed["repeats"], curve[metric], strict=True)]
show.learning_curves(curves, x="times written", y="bits", group="arm", title=metric)

# %% [markdown]
# There, 255 others compete, and 8 is the most. Once is seen already. And did the redacted text teach less? Held-out text,
# which has no people in it:

# %%
show.seeds(course.ledger("G3", "held-out bits per byte")["arms"],
           control="as written", better="lower", unit="held-out bits per byte")

# %% [markdown]
# ## Who may touch it
# The records go to a bucket. Here it is a real S3 interface, on this machine, without an account: the client is AWS's own
# (boto3), the server a simulator (moto) that asks each role for its rights.

# %%
team = aws.Project(
    account="111122223333", bucket="assistant-notes", name="assistant",
    key="1234abcd-12ab-34cd-56ef-1234567890ab", network=aws.Network(
        "vpc-0a1b2c3d", "vpce-0a1b2c3d", ("subnet-0a1b2c3d",), ("sg-0a1b2c3d",)))
asked_for = {"read a record": ("get_object", {"Key": "training/train.jsonl"}),
            "change a record": ("put_object", {"Key": "training/train.jsonl"}),
            "read salaries": ("get_object", {"Key": "private/salaries.csv"}),
            "read results": ("get_object", {"Key": "output/metrics.csv"}),
            "list names": ("list_objects_v2", {"Prefix": "training/"})}
with aws.local(team) as s3:
    print(s3.put("training/train.jsonl", "\n".join(clean["text"][:9]).encode()))
    print(s3.settings()["public access block"])
    tried = [{"may": what} | {role: s3.attempt(role, call, **more) for role in s3.roles}
             for what, (call, more) in asked_for.items()]
show.table(tried)

# %% [markdown]
# The bucket is set to encrypt with the project's key, which the simulator made anew (*at rest*; its policy asks for TLS *in
# transit*), and to block public access; the simulator keeps both settings, AWS enforces them. `AccessDenied` is the answer
# to everything that nobody has allowed. Now the engineer has a good reason to read results. **Predict.** What is the
# smallest change?

# %%
policy = aws.engineer_policy(team)
wider = aws.policy(*policy["Statement"], aws.statement(
    "ReadResults", ["s3:GetObject"], team.objects(team.output)))
with aws.local(team) as s3:
    s3.set_policy(team.engineer, wider)
    for what in ("read results", "read salaries"):
        call, more = asked_for[what]
        print(f"{what}: {s3.attempt(team.engineer, call, **more)}")

# %% [markdown]
# The easy change would have been one role that may do everything. **Predict.** What goes through then that should not?

# %%
least, shared = (aws.allow_deny_table(team, shared=one) for one in (False, True))
both = least.assign(shared=shared["store"]).dropna(subset="store")
wrong = both[both["shared"] != both["expected"]]
show.table(wrong[["who", "action", "on", "expected", "store", "shared"]].head(8))

# %%
right = {name: float((both[name] == both["expected"]).mean()) for name in (
    "store", "shared")}
print(f"{len(both)} requests; answered as intended:", right)
course.claim("G2", treatment=right["store"], control=right["shared"])

# %% [markdown]
# The simulator judges roles, not conditions; keys, networks and conditions are judged by the library's evaluator, which
# follows AWS's published order: an explicit *Deny* wins, then an *Allow* is needed, else no.

# %% [markdown]
# ## Documents before they are sent
# On AWS all of this is documents: roles, bucket and key policies, a network's endpoint, the job itself. They can be made and
# checked without an account. What has to be set up, for this team's names (put in yours), and what the checks found:

# %%
show.table([{"service": one.service, "request": one.operation,
             "faults": len(aws.check(one))} for one in aws.setting_up(team)])

# %% [markdown]
# One of them: what the bucket refuses, whatever a role may do. And the job:

# %%
show.table([{"refuses": part["Sid"], "actions": ", ".join(part["Action"])[:48],
             "if": json.dumps(part["Condition"])[:72]}
            for part in aws.bucket_policy(team)["Statement"]])

# %%
job = aws.customization_job(team, "nova-lite", settings={"epochCount": 2})
print(job)
assert not aws.check(job)

# %% [markdown]
# **Predict.** Four faults are put into it below. Which of them would the AWS client itself notice, before it sends anything?

# %%
faulty = job.with_parameters(
    roleArn="arn:aws:iam::1111:role/BedrockTraining", hyperParameters={"epochs": "2"},
    trainingDataConfig={"s3Uri": "https://assistant-notes/train.jsonl"},
    outputDataConfig=None)
show.table(aws.rows(aws.check(faulty))[["where", "rule", "what", "fix"]])

# %% [markdown]
# The client notices what is *required* and what is unknown. Patterns and settings it leaves to the service: the job would
# fail there. A policy is worse: to a client it is a string. And what no check can see is a policy in good form for the
# wrong bucket.

# %%
from fmcourse.evidence.experiments.aws_documents import ACCEPTED, FAULTY, GENERATED
from fmcourse.evidence.experiments.aws_documents import aws_documents as documents

outcome = documents(0, ["nova-lite"])
accepted = {arm: outcome.arms[arm][ACCEPTED] for arm in (GENERATED, FAULTY)}
print(f"{sum(outcome.details['faults'].values()):,} faults, one at a time; accepted:",
      accepted)
course.claim("G6", treatment=accepted[GENERATED], control=accepted[FAULTY])

# %% [markdown]
# Nothing here has called AWS. `fmcourse aws submit` would, and only if you say `--submit` and have credentials.

# %% [markdown]
# ## A log that cannot be changed unseen
# Reading, training, refusing: the project has logged it all. But whoever can train can also edit a file.

# %% [markdown]
# ### The raw idea: each line holds the hash of the one before
# Change a line, and from there on no hash fits.

# %%
def chain(said):
    before, made = "start", []
    for line in said:
        before = hashlib.sha256(f"{before} {line}".encode()).hexdigest()
        made.append((line, before))
    return made


def broken_at(log):
    anew = chain([line for line, _ in log])
    for number, (one, again) in enumerate(zip(log, anew, strict=True)):
        if one != again:
            return number


log = chain(["ann read notes", "bo trained a model", "ann deleted a record"])
forged = [log[0], ("nobody trained a model", log[1][1]), log[2]]
print(broken_at(log), broken_at(forged))

# %% [markdown]
# **Predict.** And if the forger cuts the last line off, or makes the whole chain anew?

# %%
print(broken_at(log[:2]), broken_at(chain(["ann read notes", "ann deleted a record"])))

# %% [markdown]
# Neither is seen: so the last hash is also kept elsewhere, where whoever writes the log cannot write. The project's own log:

# %%
kept = project.log.head
show.table([{"when": entry.when[11:19], "event": entry.event, "what": entry.what,
             "note": entry.note[:60]} for entry in project.log.entries()[:8]])

# %%
path = project.log.path
whole = path.read_bytes()
for name, forgery in {
        "untouched": whole,
        "a refusal hidden": whole.replace(b"training refused", b"training checked"),
        "the end cut off": b"".join(whole.splitlines(keepends=True)[:-2])}.items():
    path.write_bytes(forgery)
    print(f"{name}: {project.log.verify(kept) or 'as it was written'}")
    path.write_bytes(whole)

# %% [markdown]
# **Predict.** Nine kinds of forgery, at random places, by somebody who can write every file beside the log. How many are
# seen in a chained log, how many in a plain one?

# %%
from fmcourse.evidence.experiments.audited import ALARM, CHAINED, PLAIN, audited

outcome = audited(0, logs=2)
alarms = {arm: values[ALARM] for arm, values in outcome.arms.items()}
print(f"{outcome.details['edits']} forgeries; share with an alarm:", alarms)
show.table([{"forgery": edit, **seen}
            for edit, seen in outcome.details["by edit"].items()])

# %%
course.claim("G4", treatment=alarms[CHAINED], control=alarms[PLAIN])

# %% [markdown]
# Each column is a way to look. What was kept elsewhere sees all, the head of a chain as well as a hash of a plain file; but
# a log grows, and then only the chain still says which line. What no log shows is what was never logged. AWS's own is
# *CloudTrail*: with log file validation each digest of its files signs the one before.

# %% [markdown]
# ## Lineage
# From the model back to the bytes, by hashes that cards, tokens and runs carry:

# %%
graph = governance.lineage(home)
graph.draw("what the assistant was made of")

# %% [markdown]
# Now one bit of the notes flips, by an accident or by somebody. **Predict.** What is no longer to be trusted?

# %%
content = raw.read_bytes()
try:
    raw.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    picture = graph.draw("after one bit of the source has changed")
finally:
    raw.write_bytes(content)
picture

# %% [markdown]
# **Predict.** A byte of each thing in turn, in two chains of which the making is known: is anything flagged that does not
# descend from it, or anything not that does?

# %%
from fmcourse.evidence.experiments.traced import BELOW, BESIDE, FLAGGED, traced

outcome = traced(0, graphs=1, sets=4, texts=20)
flagged = {arm: outcome.arms[arm][FLAGGED] for arm in (BELOW, BESIDE)}
print(f"{outcome.details['flips']} bytes flipped, one at a time; flagged:", flagged)
course.claim("G5", treatment=flagged[BELOW], control=flagged[BESIDE])

# %% [markdown]
# ## Somebody asks
# An auditor asks for evidence. The report holds questions of the GDPR and of HIPAA against log, cards and lineage. It is a
# preparation, and no legal advice.

# %%
report = governance.audit(home)
show.table(report.table[["asks", "rule", "state", "evidence"]])

# %% [markdown]
# The gap is real: the project still holds the notes as they came. To delete them closes it, and leaves lineage a hash
# without bytes: decide, and let the log say so. Time decides, too; in two years the same check says:

# %%
later = date.today() + timedelta(days=730)
print(*governance.check(clean, "product", today=later), sep="\n")

# %% [markdown]
# And a customer asks to be forgotten. **Predict.** The redacted notes don't hold the name. Is the assistant concerned? And
# the model that was trained on the notes as written?

# %%
touched = project.erasure(secrets[0].person)
show.table(touched.rows())

# %% [markdown]
# From data a record can be deleted. From weights nothing can be taken out that one could rely on (*machine unlearning* is
# research), so what learnt from it has to be trained again; what learnt only from a redacted version is for a person to
# judge. The model that gave secrets away is not in the list at all: it was trained outside the project, and lineage sees
# what lies inside.

# %% [markdown]
# ## Hand it on
# Whoever gets the data gets its papers: *Croissant* for machines, a *dataset card* for people, and the lineage as W3C
# *PROV*.

# %%
folder = governance.hand_on(clean, home / "handed on")
print((folder / "README.md").read_text(encoding="utf-8")[:420])
about = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
print({name: about[name] for name in ("name", "license", "conformsTo")})
print(governance.write_prov(graph, home / "lineage.json").name)

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A tuned model must not reveal customers' data.* Take PII out before training; guarding the output later, as Bedrock
#   Guardrails do, is a second lock.
# - *Find PII in S3 before tuning.* Amazon Macie. *Who called which API, and when?* AWS CloudTrail.
# - *Only the training job may read the bucket.* A role for it, with least privilege; not one shared by the team.
# - *Data must not pass the public internet.* A VPC endpoint (*PrivateLink*), and a bucket policy that names it. *Data must
#   stay in a country* (*data residency*): choose the region, and deny the others.
# - *Which data made this model?* Lineage, and a dataset card; with hashes, or it is a story.
# - *Show that nobody tampered with the records.* An audit log, kept where those who are audited cannot write.

# %% [markdown]
# > **Today** (November 2026). IAM roles, S3 policies, KMS keys and VPC endpoints are as the older notes have them. Bedrock
# > does not keep training data after the job, nor use it for its base models; but, as AWS says, "fine-tuned models can
# > replay some of the fine tuning data": a private bucket does not make the model private. The candidate is not asked to
# > implement governance.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("08")

# %% [markdown]
# ## Yours to try
# Write the secrets once instead of sixteen times (`repeats=[1]`): does the model still sing? Take a rule out of the
# project's `policy.toml` (`print(home)` says where it lies), and audit it in a terminal: `fmcourse data audit FOLDER`. Then
# on to lesson 09.
