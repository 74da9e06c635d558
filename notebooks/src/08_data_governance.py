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
# > **Exam words.** *Data governance*: policies, roles and processes for data over its whole life. *Least privilege*: each role
# > may do what it needs, and no more. *PII*: personally identifiable information, to be *anonymised* or *pseudonymised*.
# > *Data lineage*: where data came from and how it was changed. *Compliance audit*: somebody checks, later, with evidence.

# %%
import hashlib
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

import fmcourse as fm
from fmcourse import aws, data, evaluate, models, show, sources, store, train
from fmcourse.data import governance, privacy

course = fm.start("08", claims=["G1", "G2", "G3", "G4", "G5", "G6"])
base = models.load("base")
home = Path(tempfile.mkdtemp()) / "assistant"

# %% [markdown]
# ## A project
# A company wants an assistant taught on the notes of its support desk. Below, the documentation in them is real (AWS's);
# people and their numbers were **planted** (simulated), so that the truth is known and nobody is exposed.

# %%
pages = data.domain("aws")["train"].shuffle(seed=0)
size = min(course.scale.live_tokens // 3, 250_000)
notes = privacy.plant_personal(data.sized(pages, size, 0), seed=0, part="dev")
print(notes[1]["text"][:120])
print(Counter(span["kind"] for row in notes for span in row["spans"]))

# %% [markdown]
# The desk also hands out secrets. A few customers wrote theirs again and again. Such planted secrets are called *canaries*: we
# will see later whether a model sings.

# %%
from fmcourse.evidence.experiments.private import canaries, tagger

secrets = canaries(seed=0, each=6, repeats=[16], candidates=127)
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
    "retention": lambda facts: facts.get("keep until", "") >= "2026-11-26",
}
facts = {"owner": "support team", "purposes": ["research"], "keep until": "2025-12-31"}
print("broken:", [name for name, holds in asked.items() if not holds(facts)])

# %% [markdown]
# Now the library's, and the notes as they came. **Predict.** How many rules of the eight do they break?

# %%
found = sources.load(raw)
show.table([{"rule": breach.rule.name, "what": breach.what}
            for breach in project.check(found)])

# %% [markdown]
# Those are facts that no machine can find out; somebody has to state them, and answer for them.

# %%
stated = governance.Governance(
    owner="support team", purposes=("product",), keep_until="2099-12-31",
    sensitivity="personal", basis="contract with the customers (simulated)")
found = governance.govern(found, stated)
project.save(found, "notes")
recipe = train.PretrainRecipe.at_scale(
    tokens=min(course.scale.live_tokens // 6, 120_000), learning_rate=2e-3)
try:
    train.pretrain(base, data.tokens(found, base.tokenizer), recipe,
                   folder=home / "runs" / "assistant")
except fm.errors.PolicyError as refusal:
    print(refusal)

# %% [markdown]
# Nobody had to think of asking: the guard is in the training code. Somewhere else, outside the project? Governed data is
# refused there, too.
#
# **Predict.** Cards with one fact missing, past or wrong, one after another, each in a real training run. How many of the runs
# start? And with whole cards?

# %%
from fmcourse.evidence.experiments.governed import BROKEN, REFUSED, WHOLE, governed

outcome = governed(0, texts=8, whole=3)
refused = {arm: values[REFUSED] for arm, values in outcome.arms.items()}
print(f"{outcome.details[BROKEN]} runs on broken cards; share refused:", refused)
course.claim("G1", treatment=refused[BROKEN], control=refused[WHOLE])

# %% [markdown]
# What this does not show: that the facts on a card are *true*. A policy believes the card; an owner answers for it.

# %% [markdown]
# ## Personal data
# The last rule broken was *redaction*. So find the people.

# %% [markdown]
# ### The raw idea: form, check digit, context
# Card numbers have a check digit (Luhn): double every second digit from the right, add up, and the sum ends in 0.

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
names = tagger(0, taught=4000)
text = "Following up on ticket 8812, Guillermo can be reached at +33 6 29 14 17 77."
for span in privacy.find(text, names):
    print(f"{span.kind:6} {text[span.start:span.end]!r}, by {span.by}")

# %% [markdown]
# How good is it? On the notes, in whose forms it was developed; and on text written in *hidden* forms, which nobody looked at
# while it was made. **Predict.** Which kind will be missed most? Which will be found where there is none?

# %%
unseen = data.domain("aws")["test"].shuffle(seed=0).select(range(400))
hidden = privacy.plant_personal(unseen, seed=0, part="hidden", avoid=names.taught)
graded = {}
for name, rows in {"known forms": notes, "hidden forms": hidden}.items():
    texts, truth = rows["text"][:], privacy.spans_of(rows)
    spans = [privacy.find(text, names) for text in texts]
    graded[name] = privacy.grade_spans(spans, truth, texts).set_index("kind")
show.table([{"kind": kind, **{f"{what}, {name}": table.loc[kind, what]
                              for name, table in graded.items()
                              for what in ("recall", "precision")}}
            for kind in graded["hidden forms"].index], formats=dict.fromkeys(
    (f"{what}, {name}" for name in graded for what in ("recall", "precision")), ".0%"))

# %% [markdown]
# What has a form is found. Names are the weak spot: firms and streets are called after people, too, so some of what is called a
# name is none; we had hoped for a precision of 95 % and did not get there. A detector is never perfect; one that nobody has
# graded is a hope. What got through of the hidden forms:

# %%
missed = [{"kind": span.kind, "missed": text[span.start:span.end],
           "before it": text[max(0, span.start - 40):span.start]}
          for text, own, true in zip(texts, spans, truth, strict=True)
          for span in true if not any(span.overlaps(other) for other in own)]
show.table(missed[:6])

# %% [markdown]
# ### Three ways out
# *Redact*: nothing is left. *Mask*: a little is. *Pseudonym*: another value, always the same for the same person, which nobody
# without the key can undo.

# %%
key = random.Random(0).randbytes(32)  # for simulated people; else privacy.new_key()
for text in ("Maria Lopez called from +33 6 29 14 17 77.", "Ms Lopez called again."):
    print(privacy.redact(text, names))
    print(privacy.mask(text, names))
    print(privacy.pseudonymise(text, key, names))

# %% [markdown]
# With pseudonyms, both notes are still about one person, and that is what makes them useful. It is also why the law calls them
# personal data still: whoever has the key, or enough of the story, knows who it is. *Anonymous* is only what nobody can undo.

# %%
clean = privacy.without_personal(found, names=names)
print(clean[1]["text"][:200])
print(data.card(clean).steps[-1]["note"])
print("broken rules:", project.check(clean))

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
# The attacker knows the sentence, not the secret. *Given away*: the model writes it, word for word. *Exposure*: how many bits of
# guessing the model saves, among 127 other secrets of the same form; 7 is the most, and knowing nothing gives 1.4.
#
# **Predict.** How many of the secrets does each model give away?

# %%
before = [secret.before.rstrip() for secret in secrets]
own = [f" {secret.secret}" for secret in secrets]
others = [[f" {other}" for other in secret.others] for secret in secrets]
leaks = []
for name, model in {"as written": leaky.model, "redacted": run.model}.items():
    given = evaluate.extracted(model, before, own)
    bits = evaluate.exposures(model, before, own, others)
    leaks.append({"model": name, "given away": given.mean(), "exposure": bits.mean()})
show.table(leaks, formats={"given away": ".0%", "exposure": ".1f"})

# %%
course.claim("G3", treatment=leaks[0]["exposure"], control=leaks[1]["exposure"],
             metric="exposure of secrets in bits")

# %% [markdown]
# What a model never read, it cannot give away. In the ledger a network that was trained from the start on secrets, written
# once, four times or sixteen times, and the same with pseudonyms:

# %%
show.seeds(course.ledger("G3", "exposure of secrets in bits")["arms"],
           control="as written", better="lower", unit="exposure of secrets in bits")

# %% [markdown]
# And did the redacted text teach less? Held-out text, which has no people in it:

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
            "read results": ("get_object", {"Key": "output/metrics.csv"})}
with aws.local(team) as s3:
    print(s3.put("training/train.jsonl", "\n".join(clean["text"][:9]).encode()))
    print(s3.settings()["public access block"])
    tried = [{"may": what, **{role: s3.attempt(role, call, **more) for role in s3.roles}}
             for what, (call, more) in asked_for.items()]
show.table(tried)

# %% [markdown]
# The bucket encrypts with the project's key and cannot become public. `AccessDenied` is the answer to everything that nobody has
# allowed. Now the engineer has a good reason to read results. **Predict.** What is the smallest change?

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
# **Predict.** Three faults are put into it below. Which of them would the AWS client itself notice?

# %%
faulty = job.with_parameters(
    roleArn="arn:aws:iam::1111:role/BedrockTraining", hyperParameters={"epochs": "2"},
    trainingDataConfig={"s3Uri": "https://assistant-notes/train.jsonl"})
show.table(aws.rows(aws.check(faulty))[["where", "what", "fix"]])

# %% [markdown]
# The client knows which parts there are, and leaves patterns and settings to the service: the job would fail there. A policy is
# worse: to a client it is a string.

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
# Change a line, and the next one no longer fits.

# %%
def chain(said):
    before, made = "start", []
    for line in said:
        before = hashlib.sha256(f"{before} {line}".encode()).hexdigest()
        made.append((line, before))
    return made


def broken_at(log):
    for number, (one, again) in enumerate(zip(log, chain([a for a, _ in log]), strict=True)):
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
show.table([{"when": entry.when[11:19], "who": "…", "event": entry.event,
             "what": entry.what, "note": entry.note[:60]}
            for entry in project.log.entries()[:8]])

# %%
path = project.log.path
whole = path.read_text()
for name, forgery in {
        "untouched": whole,
        "a refusal hidden": whole.replace("training refused", "training checked"),
        "the end cut off": "".join(whole.splitlines(keepends=True)[:-2])}.items():
    path.write_text(forgery)
    print(f"{name}: {project.log.verify(kept) or 'as it was written'}")
path.write_text(whole)

# %% [markdown]
# **Predict.** Nine kinds of forgery, at random places, by somebody who can write every file beside the log. How many are seen in
# a chained log, how many in a plain one?

# %%
from fmcourse.evidence.experiments.audited import ALARM, CHAINED, audited

outcome = audited(0, logs=2)
alarms = {arm: values[ALARM] for arm, values in outcome.arms.items()}
print(f"{outcome.details['edits']} forgeries; share with an alarm:", alarms)
show.table([{"forgery": edit, **seen} for edit, seen in outcome.details["by edit"].items()])

# %%
course.claim("G4", treatment=alarms[CHAINED], control=alarms["plain, edited"])

# %% [markdown]
# Each column is a way to look; only the head that was kept elsewhere sees all. What no log shows is what was never logged.

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
raw.write_bytes(bytes([content[0] ^ 1]) + content[1:])
graph.draw("after one bit of the source has changed")

# %%
raw.write_bytes(content)
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
# The gap is real: the project still holds the notes as they came. Once they are redacted, nobody needs them.
#
# And a customer asks to be forgotten. **Predict.** The redacted notes don't hold the name. Is the model concerned?

# %%
touched = project.erasure(secrets[0].person)
show.table(touched.rows())

# %% [markdown]
# From data a record can be deleted. From weights nothing can be taken out, so what learnt from it has to be trained again; what
# learnt only from a redacted version is for a person to judge.

# %% [markdown]
# ## Hand it on
# Whoever gets the data gets its papers: *Croissant* for machines, a *dataset card* for people, and the lineage as W3C *PROV*.

# %%
folder = governance.hand_on(clean, home / "handed on")
print((folder / "README.md").read_text()[:420])
about = json.loads((folder / "croissant.json").read_text())
print({name: about[name] for name in ("name", "license", "conformsTo")})
print(governance.write_prov(graph, home / "lineage.json").name)

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A tuned model must not reveal customers' data.* Take PII out before training; guarding the output later is a second lock.
# - *Only the training job may read the bucket.* A role for it, with least privilege; not one shared by the team.
# - *Data must not pass the public internet.* A VPC endpoint, and a bucket policy that names it.
# - *Which data made this model?* Lineage, and a dataset card; with hashes, or it is a story.
# - *Show that nobody tampered with the records.* An audit log, kept where those who are audited cannot write.

# %% [markdown]
# > **Today** (November 2026). IAM roles, S3 policies, KMS keys and VPC endpoints are as the older notes have them. Bedrock does
# > not keep training data after the job, nor use it for its base models; but, as AWS says, "fine-tuned models can replay some of
# > the fine tuning data": a private bucket does not make the model private. The candidate is not asked to implement governance.

# %% [markdown]
# ## Yours to try
# Write the secrets once instead of sixteen times (`repeats=[1]`): does the model still sing? Add a rule of your own to the
# project's `policy.toml`, or audit it in a terminal: `fmcourse data audit FOLDER`. Then on to lesson 09.
