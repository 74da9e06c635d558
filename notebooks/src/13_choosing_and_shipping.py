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
#     title: Choosing and shipping
#     claims: [M8, K8]
#     minutes_cpu: 5
#     minutes_gpu: 2
# ---

# %% [markdown]
# # 13 · Choosing and shipping
# **Question:** what should be built for a product that changes, and how does it reach those who use it?
#
# Claims M8, K8 · about 5 minutes on two CPU cores, 2 on a GPU · after lesson 12

# %% [markdown]
# > **Exam words.** *Prompt engineering* changes what a model is told, *retrieval-augmented generation* (RAG) what it can
# > look up; *fine-tuning* and *continued pre-training* change its weights, *distillation* its size. They differ in cost,
# > in the data they need, and in how they stay up to date.

# %%
import json
import math
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import openai
import torch

import fmcourse as fm
from fmcourse import aws, data, models, ship, show, store, train
from fmcourse.evidence import choosing
from fmcourse.evidence.experiments import quiz
from fmcourse.evidence.experiments.feedback_on_aws import ACCEPTED, BROKEN, MADE
from fmcourse.evidence.experiments.managed import managed

course = fm.start("13", claims=["M8", "K8"])
base = quiz.finishing(models.load("base"))
each = min(34, course.scale.questions // 2)  # questions of each kind
tokens = course.scale.instruct_tokens // 2

# %% [markdown]
# ## Facts that change
# AWS's documentation states thousands of limits. Here are some that it stated in November 2022 and states otherwise in
# November 2026. Real pages, real changes.

# %%
facts = data.dated_facts()
show.table([{"page": row["page"], "it says": row["sentence"], "2022": row["before"],
             "2026": row["completion"]} for row in facts.changed], rows=8)

# %% [markdown]
# A question is such a sentence up to its number. It is asked about limits that changed, that stayed, and that are new: of
# services that did not exist in 2022. **Whatever we train is trained in 2022, on pages of 2022, and asked in 2026.** Only an
# index gets the pages of 2026.

# %%
exam = quiz.Exam.draw(facts, each, seed=0)
alone = exam.rows["prompt"][:]
for kind in (quiz.CHANGED, quiz.STAYED, quiz.NEW):
    print(next(row["prompt"] for row in exam.rows if row["kind"] == kind), "…")
print(f"\n{len(facts.changed)} limits have changed; {len(alone)} questions")

# %% [markdown]
# The pages hold no more changed limits, so every seed of the ledger asks the same ones; seeds differ in training and in the
# other questions. And the questions use the page's own words, which makes a search easy; people don't.

# %% [markdown]
# ## The raw idea: look it up
# Which page is like the question? Count the words they share, and let rare ones count more; that is the heart of BM25. No
# network, no training.


# %%
def words(text):
    """The words of a text."""
    return set(re.findall(r"\w+", text.lower()))


pages = facts.passages[2026]
sets = [words(page) for page in pages]
often = Counter(word for page in sets for word in page)


def look_up(question):
    """The passage that shares the rarest words with a question."""
    shared = words(question) & often.keys()
    rare = {word: math.log(len(pages) / often[word]) for word in shared}
    score = [sum(rare[word] for word in rare.keys() & page) / len(page) ** 0.5
             for page in sets]
    return pages[max(range(len(pages)), key=score.__getitem__)]


print(alone[0], look_up(alone[0]), sep="\n\n")

# %% [markdown]
# `data.Retriever` does the same faster and a little better. It holds the passages with a number, of the services asked
# about: not all documents, among which a search would err more often.

# %%
began = time.perf_counter()
data.Retriever(pages)
print(f"{len(pages):,} passages indexed in {time.perf_counter() - began:.1f} s")
told = quiz.with_page(exam.rows, exam.new)
looked_up = told["prompt"][:]
same = [look_up(asked) in page
        for asked, page in zip(alone[:20], looked_up[:20], strict=True)]
print(f"both find the same one for {sum(same)} of {len(same)}")

# %% [markdown]
# ## Without training
# Our base, of twelve million weights, is asked in three ways: as it is, after four examples, and with the page in front.
# It finishes sentences; so every question is a sentence to be finished.

# %% [markdown]
# **Predict.** Of the three, which gets the *form* right (a number, and then it stops)? Which the *fact*?

# %%
known = quiz.history(facts)
few = quiz.with_examples(alone, data.sample(known, 4))
found = {quiz.PLAIN: quiz.measured(base, alone, exam.rows),
         quiz.FEW: quiz.measured(base, few, exam.rows),
         quiz.RETRIEVAL: quiz.measured(base, looked_up, exam.rows)}
columns = (quiz.CHANGED, quiz.STAYED, quiz.NEW, quiz.FORM)
percent = dict.fromkeys(columns, ".0%")
show.table([{"route": name, **{key: row[key] for key in columns}}
            for name, row in found.items()], formats=percent)

# %% [markdown]
# Neither. So small a base hardly uses a page that lies before it, and does not know when to stop.

# %% [markdown]
# ## Fine-tuning
# Pairs of question and answer, as they were in 2022: among them every limit that is asked and was stated then. The
# kindest condition there is: the facts themselves are in the training set.

# %% [markdown]
# **Predict.** Now form and fact again. And of what changed: will it say today's number, that of 2022, or neither?

# %%
recipe = train.InstructRecipe.at_scale(tokens=tokens)
tuned = train.instruct(base, known, recipe, name=quiz.TUNED, show_progress=False)
found[quiz.TUNED] = quiz.measured(tuned.model, alone, exam.rows)
print(f"each pair was read {tuned.metrics['epochs']:.1f} times")
course.claim("M8", metric=quiz.FORM, treatment=found[quiz.TUNED][quiz.FORM],
             control=found[quiz.PLAIN][quiz.FORM])

# %% [markdown]
# The form is learnt almost completely. Of the facts some are, read again and again; the table below shows of which year.
# **Fine-tuning teaches behaviour more than facts**, and the facts are as old as its examples.

# %% [markdown]
# ## Retrieval and fine-tuning
# Now the same pairs and the same number of tokens, but each question comes with the page that a search found in 2022. What
# there is to learn is no limit, but a *behaviour*: read the page, and take the number from there.

# %%
paired = quiz.with_page(known, exam.old)
both = train.instruct(base, paired, recipe, name=quiz.BOTH, show_progress=False)
found[quiz.BOTH] = quiz.measured(both.model, looked_up, exam.rows)
show.table([{"route": name, **{key: row[key] for key in columns}}
            for name, row in found.items()], formats=percent)

# %%
course.claim("M8", treatment=found[quiz.BOTH][quiz.CHANGED],
             control=found[quiz.TUNED][quiz.CHANGED])

# %% [markdown]
# ## The control
# Does it read, or has it learnt more about limits? Give the same model the pages of 2022; and, with the same questions,
# pages of others that have other answers. **Predict** both rows.

# %%
old_pages = quiz.with_page(exam.rows, exam.old)["prompt"][:]
found[quiz.OLD] = quiz.measured(both.model, old_pages, exam.rows)
wrong_pages = quiz.with_wrong_pages(exam.rows, exam.new)
found[quiz.WRONG] = quiz.measured(both.model, wrong_pages, exam.rows)
more = (*columns, quiz.STALE)
show.table([{"route": name, **{key: found[name][key] for key in more}}
            for name in (quiz.TUNED, quiz.BOTH, quiz.OLD, quiz.WRONG)],
           formats=dict.fromkeys(more, ".0%"))

# %%
course.claim("M8", metric=f"{quiz.BOTH} / {quiz.OLD}",
             treatment=found[quiz.BOTH][quiz.CHANGED],
             control=found[quiz.OLD][quiz.CHANGED])

# %% [markdown]
# With the pages of 2022 it says what was true in 2022; with a wrong page, neither. The weights are the same: what is up to
# date is the page.

# %% [markdown]
# ### Change a page yourself
# Next year's release is yours to write. Change the number below, and run the cell again.

# %%
asked = next(prompt for prompt in facts.changed["prompt"]
             if "objects of up to" in prompt)
page = exam.new.find([asked])[0][0]
for size in ("50 TB", "70 TB", "800 TB"):
    prompt = f"{page.replace('50 TB', size)}\n\n{asked}"
    print(f"the page says {size}; the model:", models.reply(both.model, prompt, 8))

# %% [markdown]
# ## Every route
# The ledger has the routes that take longer, too: reading the pages of 2022 before being tuned, and a student with three of
# the five layers, that learnt from what *retrieval and fine-tuning* replied in 2022, and from no label. One more control:
# tuned on the same answers, shuffled.

# %%
changed = course.ledger("M8", quiz.CHANGED)
show.seeds(changed["arms"], control=quiz.TUNED, unit="right about what changed")

# %% [markdown]
# Whatever was trained without pages is wrong about what changed. And behaviour? Even answers that belong to other questions
# teach the form:

# %%
form = course.ledger("M8", quiz.FORM)
show.seeds(form["arms"], control=quiz.PLAIN, unit=quiz.FORM)

# %% [markdown]
# The student has its teacher's form, though it read no label; pages it reads less well. Some replies of the ledger's first
# seed:

# %%
ledger = course.ledger("M8")["details"]
ways = list(ledger[0]["building"])
shown = (quiz.TUNED, quiz.BOTH, quiz.DISTILLED)
show.table([{"asked": "… " + row["prompt"][-60:], "2022": row["before"],
             "2026": row["completion"],
             **{name: row["replies"][name] for name in shown}}
            for row in ledger[0]["replies"][::2]])

# %% [markdown]
# ### The price
# Before the first reply, and at every reply. A page in front makes the prompt longer; a student makes every token cheaper.
# **Predict.** With a page, a reply takes three times the operations. Three times the time, too?

# %%
def mean(values):
    """The mean over the ledger's seeds."""
    values = list(values)
    return sum(values) / len(values)


price = [{"route": name,
          "FLOPs to build": mean(seed["building"][name] for seed in ledger),
          **{key: mean(seed["arms"][name][key] for seed in ledger)
             for key in (quiz.RIGHT, quiz.CHANGED, quiz.FLOPS, quiz.SECONDS)}}
         for name in ways]
show.table(price, formats={quiz.RIGHT: ".0%", quiz.CHANGED: ".0%", quiz.FLOPS: "flops",
                           "FLOPs to build": "flops", quiz.SECONDS: ".3f"})

# %%
index = mean(seed["core-seconds to index"] for seed in ledger)
print(f"to build the index of {ledger[0]['passages']:,} passages: "
      f"{index:.1f} core-seconds, at every new release")

# %% [markdown]
# Seconds are of one core, one question at a time, the search included: the median of a few. A page costs far less time than
# operations: a prompt is read in one pass, a reply is written token by token. The student saves both.

# %%
drawn = [name for name in ways if name not in (quiz.SHUFFLED, quiz.CONTINUED)]
show.trade_off([{"label": name, "wrong today": 1 - seed["arms"][name][quiz.RIGHT],
                 "billion operations a reply": seed["arms"][name][quiz.FLOPS] / 1e9}
                for seed in ledger for name in drawn],
               "billion operations a reply", "wrong today")

# %% [markdown]
# ## Choose
# Six questions lead to a route: examples, documents, facts, speed, budget, place. The rule is a small function, which you
# can read (`choosing.advise`), and every reason names the claims it rests on. Here is its chart for a team with some
# budget and pages that can be searched. Facts that are fixed and facts that change get the same route, for other reasons.

# %%
chart = []
for need in ("none", "fixed", "changing"):
    row = {"facts needed": need}
    for examples in ("none", "few", "hundreds"):
        case = choosing.Situation(examples, "some", need, "any", "some", "managed")
        row[f"examples: {examples}"] = ", then ".join(choosing.advise(case).routes[:-1])
    chart.append(row)
show.table(chart)

# %% [markdown]
# In a terminal, `fmcourse choose` asks you the six questions, and gives measures, verdicts and effects for every reason. For
# a team with hundreds of examples, facts that change, a need for speed and machines of its own:

# %%
case = choosing.Situation("hundreds", "some", "changing", "fast", "some", "own")
advice = choosing.advise(case)
show.table([{"build": step.route, "why": step.why, "evidence": ", ".join(step.claims)}
            for step in advice.build])

# %% [markdown]
# ## Shipping
# The choice is made: `both`, the reader. A model that only its makers can open is not finished. One call writes a plain
# folder: adapters merged into the weights, the chat template kept, a card, and a signed list of files.

# %%
out = Path(tempfile.mkdtemp(prefix="fmcourse-"))
folder = ship.export(both, out / "reader", limits="It reads limits off a page only.")
print(*sorted(file.name for file in folder.iterdir()), sep="\n")

# %% [markdown]
# The card is written from what training kept: data, lineage, measures, FLOPs, an estimate of energy. Nobody typed a number.

# %%
card = (folder / "README.md").read_text().split("\n## ")
print("## " + next(part for part in card if part.startswith("Cost")))

# %% [markdown]
# ### Is it still what was signed?
# **Predict.** Somebody changes one byte of 48 million, and writes the new hash into the list. Who notices?

# %%
weights, listed = folder / "model.safetensors", folder / "manifest.json"
content, signed = bytearray(weights.read_bytes()), listed.read_text()
content[-1] ^= 1
weights.write_bytes(content)
print("one byte:", ship.verify(folder))

# %%
hashed = json.loads(signed)["files"][weights.name]
listed.write_text(signed.replace(hashed, store.sha256_file(weights)))
print("and its hash:", ship.verify(folder))
assert "manifest.json" in ship.verify(folder).changed
content[-1] ^= 1
weights.write_bytes(content)
listed.write_text(signed)
assert ship.verify(folder).whole

# %% [markdown]
# With the new hash the file fits the list, and the list no longer its signature. Whoever signs anew needs a key, and another
# key has another fingerprint. What a signature can't say is whether the signer was right to trust the data.

# %% [markdown]
# ### One file for llama.cpp
# Laptops and telephones run GGUF files. The file holds the very same numbers, yet rows of two matrices in each layer change
# places: queries and keys, whose features are turned in pairs, *i* with *i* + half a head here, with its neighbour there.

# %%
text = "The king of Israel said to the people: it is 12 o'clock."
ids = torch.tensor([base.tokenizer(text).input_ids])
file = ship.write_gguf(both.model, out / "reader.gguf")
again = ship.open_gguf(file)
with torch.no_grad():
    difference = (both.model(ids).logits - again(ids).logits).abs().max().item()
print(f"{file.stat().st_size / 1e6:.0f} MB; logits differ by {difference:.1e} at most")
assert difference < 1e-3, "the file is another model"

# %% [markdown]
# The round trip shows that no weight went astray; it does not show that the model is any good. **Predict.** In eight bits
# (`q8_0`: blocks of 32 weights share a scale) the file has about a quarter of the size. What becomes of the logits, and of
# the likeliest next token?

# %%
brief = ship.write_gguf(both.model, out / "brief.gguf", "q8_0")
with torch.no_grad():
    exact = both.model(ids).logits  # (1, tokens, vocabulary)
    rounded = ship.open_gguf(brief)(ids).logits
off = (exact - rounded).abs()
alike = (exact.argmax(-1) == rounded.argmax(-1)).float().mean()
print(f"{brief.stat().st_size / 1e6:.0f} MB; logits differ by {off.mean():.3f} on "
      f"average, {off.max():.2f} at most, of a spread of {exact.std():.1f}; the same "
      f"likeliest token at {alike:.0%} of {ids.numel()} places")

# %% [markdown]
# ### Somebody else's client
# `fmcourse serve FOLDER` starts the server of transformers, on this machine alone, and OpenAI's own client talks to it.

# %%
with ship.serving(folder) as server:
    client = openai.OpenAI(base_url=server.url, api_key="none")
    parts = client.chat.completions.create(
        model=server.model, stream=True, max_tokens=8, temperature=0,
        messages=[{"role": "user", "content": f"{page}\n\n{asked}"}])
    streamed = [part.choices[0].delta.content or "" for part in parts if part.choices]
assert len(streamed) > 1, "nothing was streamed"
print(asked, "…" + "".join(streamed))

# %% [markdown]
# For users by the hundred, the same folder is served on a GPU by vLLM: `vllm serve FOLDER`.

# %% [markdown]
# ## On AWS
# *Custom Model Import* takes open architectures from a folder in S3. **Predict.** Our base opens in transformers 5 without a
# word of complaint. Will Bedrock, which opens it with release 4.51, answer as it does here?

# %%
faults = aws.import_check(models.BASE, region="us-east-1")
assert faults
assert not aws.import_check(folder, region="us-east-1")
show.table(aws.rows(faults)[["where", "what"]])

# %% [markdown]
# Release 4 does not know the new name for positions and would take its own default: no error, another model. `export` writes
# what both releases read, and the check finds nothing left. What only AWS knows, such as a bucket's rights, it cannot tell.

# %% [markdown]
# ### Managed, or under your control
# From the same records: a customization job (Bedrock), a training job (SageMaker AI), an import. Nothing is sent; each
# request is held against AWS's own API model.

# %%
project = aws.Project("111122223333", "my-team-data")
image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fmcourse:latest"
jobs = (aws.customization_job(project, "nova-micro", settings={"epochCount": 2}),
        aws.training_job(project, image, ["train", "instruct", "--data", "t.jsonl"]),
        aws.import_job(project))
show.table([{"request": job.operation, "says": ", ".join(job.parameters)}
            for job in jobs])

# %% [markdown]
# **Predict.** Break one thing in records or requests, such as a role that is missing or a machine misspelt. How many broken
# ones do the course's checks let through?

# %%
outcome = managed()
accepted = {arm: outcome.arms[arm][ACCEPTED] for arm in (MADE, BROKEN)}
show.table(outcome.details["broken"], rows=8)

# %%
course.claim("K8", treatment=accepted[MADE], control=accepted[BROKEN])

# %% [markdown]
# Managed means fewer choices and fewer mistakes; control means more of both: of the recipe's twenty settings,
# a managed job takes two, our command eight, a command of your own all.

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *Prices change daily, and replies must quote them.* Retrieval (RAG); nothing is trained again.
# - *A house style, and 900 examples of it.* Fine-tuning: labelled pairs teach behaviour.
# - *Both.* Both: fine-tune the behaviour, retrieve the facts.
# - *No examples, no budget, a demonstration tomorrow.* Prompt engineering.
# - *A good but dear model, millions of requests.* Distillation.
# - *Billions of words of a field, no labels.* Continued pre-training, then instruction tuning.

# %% [markdown]
# | | older notes say | today (checked November 2026) |
# |---|---|---|
# | First | prompt engineering is the cheapest | the same; then retrieval, then tuning |
# | Facts | fine-tuning makes an expert | AWS: tuning "does not teach the model new factual knowledge" |
# | Bringing a model | SageMaker endpoints | also Bedrock Custom Model Import |

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("13")

# %% [markdown]
# ## Yours to try
# Ask a larger model that was never tuned on this: `quiz.measured(models.load("smollm2"), looked_up, exam.rows)`. Or train
# on a quarter of the pairs, `known.select(range(0, len(known), 4))`: what is lost, with pages and without?
