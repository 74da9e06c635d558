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
# ---

# %% [markdown]
# # 08 · Exercises: governance and privacy
# Governance is a promise: who may, what for, until when, and how would we know. Here are the small programs that keep it; each is
# easy to write so that it works on every good day.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("pseudonyms")` gives a hint,
# `sheet.hint("pseudonyms", 2)` the last one.

# %%
import hashlib
import hmac
import random
from fnmatch import fnmatchcase

import fmcourse as fm
from fmcourse.data import privacy

sheet = fm.classroom.sheet("08")


def seal(before, line):
    return hashlib.sha256(f"{before} {line}".encode()).hexdigest()

# %% [markdown] exercise="predicted_flags" kind="predict" difficulty=2 minutes=8 claims=["G3"]
# ## A good detector, and what it flags
# Ten of 1,000 notes hold a card number. A detector finds nine of those ten, and also flags one in a hundred of the notes that hold
# none, because of some long number in them.
#
# - `right`: of the notes it flags, how many hold a card: *nine in ten*, *half* or *one in ten*?
# - `luhn`: of random numbers of sixteen digits, how many have a valid check digit: *none*, *one in a hundred* or *one in ten*?
# - `both`: a note is flagged only if its number passes the check digit as well. How many are right now (same words as `right`)?

# %%
def predicted_flags() -> dict[str, str]:
    """Your predictions, with the three keys and the words in italics above.

    >>> ", ".join(sorted(predicted_flags()))
    'both, luhn, right'
    """
    ### BEGIN SOLUTION
    return {"right": "half", "luhn": "one in ten", "both": "nine in ten"}
    ### END SOLUTION


# %%
sheet.check(predicted_flags)

# %% [markdown]
# **Now count**, with made-up numbers:

# %%
def valid(number):
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2]]
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


draw = random.Random(0)
passed = sum(valid(f"{draw.randrange(10 ** 16):016}") for _ in range(5000)) / 5000
print(f"{passed:.1%} of random numbers pass; right: {9 / (9 + 9.9):.0%} of the flags alone, "
      f"{9 / (9 + 9.9 * passed):.0%} with the check digit")

# %% [markdown] tags=["commentary"]
# **Why.** Nine true flags stand beside one in a hundred of 990, which is ten false ones. Where a thing is rare, precision is lost to
# the many that lack it, however good the detector. The check digit costs no card and throws nine of ten accidents out.

# %% [markdown] exercise="pseudonyms" kind="implement" difficulty=2 minutes=15 claims=["G3"]
# ## The same person, unnamed
# Notes about one customer should stay together, and nobody without the key may compute who it is. That is what HMAC is for: a
# hash with a key in it.

# %%
def pseudonyms(names: list[str], key: bytes) -> list[str]:
    """A pseudonym for each name: "P-" and the first eight hex digits of an HMAC (SHA-256, UTF-8).

    Names that differ in capitals and white space only are one person's; lower them, with single
    blanks, before they are hashed.

    >>> pseudonyms(["Ana Ruiz", "ana  ruiz"], b"a key")[0][:2]
    'P-'
    """
    ### BEGIN SOLUTION
    folded = [" ".join(name.lower().split()) for name in names]
    return ["P-" + hmac.new(key, name.encode(), "sha256").hexdigest()[:8] for name in folded]
    ### END SOLUTION


# %%
sheet.check(pseudonyms)

# %% [markdown]
# **Investigate.** Take ten mails or notes of your own. What does the library find in them, what does it miss, and could a colleague
# tell who it is about even so? (Nothing leaves your machine.)

# %%
note = "Call +33 6 29 14 17 77 about the card 4111 1111 1111 1111. The only vet in our village."
print(privacy.redact(note))

# %% [markdown] tags=["commentary"]
# **How it works.** Without a key a hash hides nothing: names are few, so whoever has a phone book hashes all of it and looks yours
# up. Numbering people by first appearance needs no key, and gives another number in the next file. And a pseudonym is still
# personal data: for whoever has the key, and for whoever knows the story around it.

# %% [markdown] exercise="allowed" kind="implement" difficulty=3 minutes=20 claims=["G2", "G6"]
# ## May they?
# IAM's order: an explicit *Deny* wins, whatever else is said; then an *Allow* is needed; where nobody said anything, the answer is
# no.

# %%
def allowed(statements: list[dict], action: str, resource: str) -> bool:
    """Whether a request goes through.

    Args:
        statements: each with "Effect" ("Allow" or "Deny") and lists of patterns under "Action" and
            "Resource". It concerns a request if one of its actions and one of its resources fit.
            `*`, anywhere in a pattern, stands for any text. Capitals matter in resources, not in
            actions.
        action: such as "s3:GetObject".
        resource: such as "arn:aws:s3:::notes/training/train.jsonl".

    >>> reading = {"Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::notes/*"]}
    >>> allowed([reading], "s3:GetObject", "arn:aws:s3:::notes/a.jsonl")
    True
    >>> allowed([reading], "s3:PutObject", "arn:aws:s3:::notes/a.jsonl")
    False
    """
    ### BEGIN SOLUTION
    said = {one["Effect"] for one in statements
            if any(fnmatchcase(action.lower(), part.lower()) for part in one["Action"])
            and any(fnmatchcase(resource, part) for part in one["Resource"])}
    return "Allow" in said and "Deny" not in said
    ### END SOLUTION


# %%
sheet.check(allowed)

# %% [markdown] tags=["commentary"]
# **How it works.** Gather what is said, then decide: the order of statements must not matter, because policies of many people are
# put together. Real IAM asks more documents (the bucket's policy, the organisation's, the endpoint's) and conditions, by the
# same order. `fnmatch` also reads `[…]`, which IAM does not; in an ARN there are no brackets to speak of.

# %% [markdown] exercise="broken_at" kind="debug" difficulty=3 minutes=20 claims=["G4"]
# ## The auditor who saw nothing
# Each entry of a log holds a hash of the one before and of its own line, made by `seal` (first cell). This check has passed two forgeries. Run it, and find out
# why each got through.

# %%
def chained(lines):
    made, before = [], "start"
    for line in lines:
        before = seal(before, line)
        made.append((line, before))
    return made


def faulty_broken_at(log, head):
    for place in range(1, len(log)):
        if seal(log[place - 1][1], log[place][0]) != log[place][1]:
            return place
    return None


log = chained(["ann read notes", "bo trained a model", "bo was refused"])
head = log[-1][1]  # kept elsewhere
print("as written:", faulty_broken_at(log, head))
print("first line changed:", faulty_broken_at([("bo read notes", log[0][1]), *log[1:]], head))
print("end cut off:", faulty_broken_at(log[:2], head))

# %%
def broken_at(log: list[tuple[str, str]], head: str) -> int | None:
    """Where a log was tampered with.

    Args:
        log: of (line, hash), where a hash is `seal(hash before, line)`; before the first it is
            "start".
        head: the last hash, as it was kept elsewhere; of an empty log "start".

    Returns:
        The place of the first entry whose hash does not fit; `len(log)` if all fit but the last
        one is not the head; None if nothing is wrong.

    >>> first = seal("start", "ann read notes")
    >>> broken_at([("ann read notes", first)], head=first) is None
    True
    >>> broken_at([("ann read notes", first), ("bo slept", "0000")], head=first)
    1
    """
    ### BEGIN SOLUTION
    before = "start"
    for place, (line, kept) in enumerate(log):
        if seal(before, line) != kept:
            return place
        before = kept
    return None if before == head else len(log)
    ### END SOLUTION


# %%
sheet.check(broken_at)

# %% [markdown] tags=["commentary"]
# **What was wrong.** The loop began at 1, so the first line could be anything; and the head was handed over and never looked at, so
# a cut end, or a whole new chain, fitted. A chain alone says that a log is *consistent*. That it is the one that was written,
# only something outside the writer's reach can say.

# %% [markdown] exercise="to_retrain" kind="implement" difficulty=3 minutes=20 claims=["G5"]
# ## A source is withdrawn
# The owner of a source takes the permission back. Data can be deleted; weights cannot forget what one could rely on. Which models
# must be trained anew?

# %%
def to_retrain(made_from: dict[str, list[str]], models: set[str], source: str) -> set[str]:
    """Models that learnt from a source, directly or through anything made of it.

    Args:
        made_from: for each thing what it was made from. Sources do not stand on the left.
        models: which of the things are models. One may be made from another.
        source: the one that is withdrawn.

    >>> made_from = {"clean": ["notes"], "base": ["web"], "tuned": ["base", "clean"]}
    >>> to_retrain(made_from, {"base", "tuned"}, "notes")
    {'tuned'}
    """
    ### BEGIN SOLUTION
    touched, grew = {source}, True
    while grew:
        more = {thing for thing, parts in made_from.items() if touched & {*parts}}
        grew = not more <= touched
        touched |= more
    return touched & models
    ### END SOLUTION


# %%
sheet.check(to_retrain)

# %% [markdown] tags=["commentary"]
# **How it works.** Add everything made from what is touched already until nothing is added. A model tuned, merged or distilled from
# another carries on what that one has read; distillation is the link that is forgotten most. And the answer is only as good
# as the record: what was trained outside the project is in no list.

# %% [markdown] exercise="measures" kind="design" difficulty=2 minutes=20 claims=["G1", "G2", "G3", "G4", "G5", "G6"]
# ## Which measure?
# A hospital tunes a model on AWS. Choose for each demand: *redaction*, *least privilege*, *VPC endpoint*, *audit log*, *lineage*,
# *policy check*: the one that answers it most directly.
#
# - `names`: "No patient's name may come out of the model, whoever asks it."
# - `job`: "The training job shall read its own records, and nothing else in the bucket."
# - `network`: "Records may not pass the public internet on their way to the job."
# - `who`: "Who read the records in March, and has nobody changed that list since?"
# - `withdrawn`: "A clinic leaves the project. Which models have learnt from its data?"
# - `forgotten`: "Data without an owner and an end of retention must not be trained on, even on a Friday night."

# %%
def measures() -> dict[str, str]:
    """Your choice for each of the six.

    >>> ", ".join(sorted(measures()))
    'forgotten, job, names, network, who, withdrawn'
    """
    ### BEGIN SOLUTION
    return {"names": "redaction", "job": "least privilege", "network": "VPC endpoint",
            "who": "audit log", "withdrawn": "lineage", "forgotten": "policy check"}
    ### END SOLUTION


# %%
sheet.check(measures)

# %% [markdown]
# **Your plan.** A patient asks to be forgotten. What happens, from the letter to the answer? Five or six sentences.
#
# ### BEGIN SOLUTION
# The data steward checks who is asking, and opens an entry in the audit log; we answer within a month. With the key, kept by the
# privacy officer alone, the patient's pseudonym is computed, and every record that carries it is deleted, in copies and
# backups as well. Lineage then names the data sets and models made from those records. Models that read them as written
# are taken out of service and trained anew; for those that read redacted text the officer decides, and the decision goes into
# the log with its reason. We test the new model with the extraction attack, with the patient's details as the secret. The
# answer says what was deleted, what could not be (the log entry of the request itself), and whom to complain to.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | roles | names who does and who decides, and that somebody checks who is asking |
# | everywhere | finds copies, pseudonyms and backups, not just one table |
# | models | says what becomes of trained models, those on redacted data apart from the rest |
# | evidence | leaves a trace that an auditor can check later, and tests the result |
# | honest | says what cannot be deleted or promised |

# %% [markdown] tags=["commentary"]
# **Why.** Encryption, roles and networks guard the *records*; a model that has read a name carries it out through the front door, so
# it must not have read it. A log tells what was done and by whom; lineage, what came of it. And a rule that nobody has to
# remember is one that a program asks.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/08_data_governance.ipynb`.
