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
#     title: Domain adaptation
#     claims: [K6, K7, M3]
#     minutes_cpu: 5
#     minutes_gpu: 2
# ---

# %% [markdown]
# # 05 · Domain adaptation
# **Question:** can a general model be made an expert at one company's work, how little does it take, and what is the price?
#
# Claims K6, K7, M3 · about 5 minutes on two CPU cores, 2 on a GPU · after lesson 04

# %% [markdown]
# > **Exam words.** *Fine-tuning* trains a foundation model further on a **smaller, labelled, task-specific** data set.
# > *Domain adaptation* fine-tunes it on one field's work, so that it knows that field's jargon and nuance.

# %%
import copy

import torch

import fmcourse as fm
from fmcourse import data, evaluate, hardware, models, show, train
from fmcourse.data import tasks

course = fm.start("05", claims=["K6", "K7", "M3"])
few = course.scale.probes // 15  # requests that are asked live

# %% [markdown]
# ## The work
# Someone says what they want of AWS; the expert writes the command. These pairs are real: the examples that the AWS
# command line interface (CLI) ships.

# %%
commands = data.commands()
show.table([{"request": row["prompt"], "command": row["completion"]}
            for row in commands["train"].select(range(3))])

# %% [markdown]
# ### A test that cannot be passed by memory
# Nobody needs a model that recites its training pairs. Whole operations are held out, and whole services.

# %%
data.card(commands["test_services"])

# %%
held = data.sample(commands["test_operations"], few)
print(f"{len(held)} requests for operations that no training pair has, such as:")
print(held[0]["prompt"], "\n→", held[0]["completion"])

# %% [markdown]
# ### A grader with no opinions
# The CLI's own parser judges. Nothing is run. Is the *service* right, the *operation*, would the CLI take it (*parsed*), are
# its parameters *valid*? **Usable** is the right operation with valid parameters; a made-up id is as valid as a real one, so
# a person still has to read what it says. *Exact* is the command word for word.

# %%
wanted = "aws ec2 stop-instances --instance-ids i-1"
near_miss = "aws ec2 stop-instances --instances i-1"
for reply in (wanted, near_miss, "aws s3 ls; rm -rf /", "Sure!"):
    grade = evaluate.grade_command(reply, wanted)
    print(f"{reply:42} operation {grade.operation!s:5} usable {grade.usable!s:5}",
          grade.reason)

# %% [markdown]
# A reward that a program can verify is precious. It cannot be flattered, and lesson 11 will train on it.

# %% [markdown]
# ## Without training
# A published model that its makers have tuned on general instructions. First it is just asked.

# %%
start = models.load("smollm2")
plain = start.in_dtype(hardware.detect().dtype)  # bfloat16 answers faster
print(start)
bare = data.few_shot(held["prompt"][:], commands["train"], count=0)
said = {"asked plainly": models.replies(plain, bare, tokens=48)}
print(said["asked plainly"][0])

# %% [markdown]
# It has an idea of what is meant, and none of what is wanted. *Prompt engineering* comes first: show it four
# examples, those most like the request.

# %%
near = data.few_shot(held["prompt"][:], commands["train"], count=4)
said["similar examples"] = models.replies(plain, near, tokens=48)
show.table([{"wanted": row["completion"], "said": reply}
            for row, reply in zip(held.select(range(3)), said["similar examples"][:3],
                                  strict=True)])

# %% [markdown]
# Now it speaks the language. But no example has the operation that is needed: it has to guess the name.

# %% [markdown]
# The manual has every command there is. A search finds the three lines that are most like the request; that is
# *retrieval*.

# %%
manual = data.manual()
shown = data.with_manual(held, manual)
found = sum(map(data.is_told, shown))
print(f"{len(manual):,} lines; the right one found for {found} of {len(held)} requests")
print(shown[0]["prompt"])

# %% [markdown]
# The simplest baseline needs no model: take the first line's command as it stands. Whatever we train has to beat that.

# %%
said["the manual's first line"] = data.first_lines(shown)

# %% [markdown]
# The fullest prompt has both: lines of the manual, and two similar examples of how they are used.

# %% [markdown]
# **Predict.** How many of its commands will be usable?

# %%
told = data.with_manual(commands["train"].select(range(2_000)), manual)
prompts = data.few_shot(shown["prompt"][:], told.filter(data.is_told), count=2,
                        system=data.TOLD_SYSTEM)
said["manual and similar examples"] = models.replies(plain, prompts, tokens=48)


def rates(way):
    """Share of a way's replies for each question of the grader."""
    table = evaluate.grade_commands(said[way], held["completion"][:])
    return dict(zip(table["measure"], table["rate"], strict=True))


percent = dict.fromkeys(rates("similar examples"), ".0%")
show.table([{"way": way, **rates(way)} for way in said], formats=percent)

# %% [markdown]
# A prompt can be too full: with the manual in front it knows more names, and writes fewer commands that the CLI would take.

# %% [markdown]
# ## Fine-tuning
# The same requests with the same lines of the manual, and the right command as the reply. Only small added matrices
# are trained (LoRA, lesson 06), so that a laptop can do it.

# %%
recipe = train.InstructRecipe.at_scale(
    tokens=course.scale.adapter_tokens, learning_rate=2e-3, batch_tokens=512,
    micro_rows=1, max_length=512, adapter=models.Adapter(rank=16))
expert = train.instruct(start, told, recipe, name="expert", show_progress=False)
read = round(expert.metrics["epochs"] * expert.metrics["conversations"])
print(f"{read} pairs were read; {expert.cost}")

# %% [markdown]
# **Predict.** No pair of a test operation was among them. What is the rate now?

# %%
after = expert.model.in_dtype(hardware.detect().dtype)
said["tuned with the manual"] = models.replies(after, shown["prompt"][:], tokens=48)
show.table([{"way": way, **rates(way)} for way in said], formats=percent)

# %% [markdown]
# Compare with the fullest prompt, and with the first line. Tuning adds no fact about AWS but a behaviour: fill in options,
# write one command that the CLI takes, and stop. It does not choose a line better than the search does.

# %%
metric = "unseen operations: right operation, valid"
rival = "manual and similar examples"
usable = {way: rates(way)["usable"] for way in said}
print({way: f"{share * len(held):.0f} of {len(held)}" for way, share in usable.items()})
course.claim("M3", metric=metric, treatment=usable["tuned with the manual"],
             control=usable[rival])

# %%
show.table([{"request": row["prompt"], "wanted": row["completion"], "said": reply}
            for row, reply in zip(held.select(range(4)),
                                  said["tuned with the manual"][:4], strict=True)])

# %% [markdown]
# ### The whole of it
# A couple of dozen requests say little about a few per cent. The ledger asked more, over five seeds, and trained longer;
# and it has one more expert: tuned **without** the manual.

# %%
show.seeds(course.ledger("M3", metric)["arms"], control=rival,
           unit="usable, unseen operations")

# %% [markdown]
# **Predict.** Now whole services that no example ever showed. Which arm will lose most?

# %%
services = course.ledger("M3", "unseen services: right operation, valid")
show.seeds(services["arms"], control=rival, unit="usable, unseen services")

# %% [markdown]
# With the manual the gain over the fullest prompt is as large as before: what was learnt is not tied to services. *Tuned*
# without it loses nearly all. Names of operations are facts, and thousands of them do not go into a model by examples; a search hands them
# over at once. **Fine-tuning teaches behaviour, retrieval brings facts.**

# %% [markdown]
# ### Two more domains
# The same on medical questions (yes, no or maybe, from a research abstract) and on legal cases (a summary in one or two
# sentences). *No model* always says yes, and copies a case's first sentence. *Macro-F1* weighs yes, no and maybe alike, so
# that one word for all earns little.

# %%
show.table([{"task": task, "arm": arm, "mean": f"{sum(values) / len(values):.2f}",
             "seeds": ", ".join(f"{value:.2f}" for value in values)}
            for task in ("legal: ROUGE-L", "medical: macro-F1")
            for arm, values in course.ledger("M3", task)["arms"].items()])

# %% [markdown]
# Look at *no model* before you praise a tuned one. The medical expert beats it. The legal one has learnt much, yet writes no
# better than copying does, and twice the training did not help (tried on validation cases): a case's first sentence already
# says who sued whom, and over what. The ledger says *not shown*. A good baseline is the cheapest expert there is.

# %% [markdown]
# ### The price
# Does an expert still do what it could before? General instructions, a value for each seed:

# %%
price = course.ledger("M3", "instructions followed")
show.seeds(price["arms"], control="asked plainly", unit="instructions followed")

# %% [markdown]
# Every expert pays. The one tuned on commands without the manual, and the one that only ever answered yes, no or maybe, have
# forgotten most: test outside of the domain, too.

# %% [markdown]
# ## These pairs, or any?
# Was it *these* pairs, or would any tuning do? On our own base it can be tried in a minute: commands, each request with a
# line of the manual, or as many tokens of the tasks of lesson 04.

# %%
base = models.load("base")
short = data.with_manual(commands["train"], manual, count=1)
other = data.task_records(list(tasks.ladder()[16]), 4_000)
recipe = train.InstructRecipe.at_scale(tokens=course.scale.instruct_tokens // 2,
                                       max_length=base.context)
sets = {"tuned on commands": short, "tuned on other pairs": other}
runs = {name: train.instruct(base, pairs, recipe, name=name, show_progress=False)
        for name, pairs in sets.items()}

# %%
brief = data.sample(commands["test_operations"], 2 * few)
brief = data.with_manual(brief, manual, count=1)
tried = {name: models.replies(run.model, brief["prompt"][:], tokens=48)
         for name, run in runs.items()}
tried["the manual's first line"] = data.first_lines(brief)
grades = {name: evaluate.grade_commands(replies, brief["completion"][:])
          for name, replies in tried.items()}
tables = {name: table.set_index("measure")["rate"] for name, table in grades.items()}
show.table([{"arm": name, **{key: f"{rate:.0%}" for key, rate in table.items()}}
            for name, table in tables.items()])

# %%
course.claim("K6", treatment=tables["tuned on commands"]["service"],
             control=tables["tuned on other pairs"]["service"])

# %% [markdown]
# Tuning on the task adapts the base to it, and tuning on something else, without a single command, does not. Twelve million
# weights are still worse at it than copying the first line.

# %% [markdown]
# **Predict.** How many times more tokens did pre-training read?

# %%
show.cost_bars({"pre-training": train.Cost(**base.card["cost"]),
                "fine-tuning": runs["tuned on commands"].cost})

# %% [markdown]
# Real models make that gap far wider: trillions of tokens to pre-train, thousands of examples to tune. (Peak memory is the
# whole notebook's, the larger model included.)

# %% [markdown]
# ## A house style
# Alpenglow, a company we made up, wants its answers so: a set opening, the product's full name, at most three
# sentences, no "just" and no "sorry", a set closing. Rules that can be checked.

# %%
style = data.house_style()
print(style["train"][0]["prompt"], "\n→", style["train"][0]["completion"])

# %% [markdown]
# A larger model can be given the style guide as a prompt. The generalist of a moment ago is tuned on it instead; a
# control learns the same facts in plain words.

# %%
generalist = runs["tuned on other pairs"].model
recipe = train.InstructRecipe.at_scale(tokens=course.scale.instruct_tokens // 4)
voices = {"in plain words": data.plain_style(style["train"]),
          "in house style": style["train"]}
spoken = {}
for name, pairs in voices.items():
    run = train.instruct(generalist, pairs, recipe, name=name, show_progress=False)
    spoken[name] = run.model

# %% [markdown]
# The columns: *opening* and *closing* are the set ones, *product* its full name, *brief* at most three sentences, *calm* no
# exclamation mark, *words* none of the forbidden ones; *content kept* means that the manual's sentence is in the answer.

# %%
customers = data.sample(style["test"], few)
questions = customers["prompt"][:]
answers = {name: models.replies(model, questions, tokens=96)
           for name, model in {"before": generalist, **spoken}.items()}
answers["larger, with the guide"] = models.replies(
    plain, [f"{data.guide().rules()}\n\n{asked}" for asked in questions], tokens=96)
print(answers["larger, with the guide"][0], answers["in house style"][0], sep="\n\n")

# %%
kept = {name: evaluate.style_rates(replies, customers).set_index("measure")["rate"]
        for name, replies in answers.items()}
show.table([{"model": name, **{rule: f"{rate:.0%}" for rule, rate in table.items()}}
            for name, table in kept.items()])

# %%
both = "all rules, content kept"
course.claim("K7", treatment=kept["in house style"][both], control=kept["before"][both])

# %% [markdown]
# ### The price, again
# **Predict.** The generalist could do some of sixteen small tasks. Nobody reminded the specialist of them.

# %%
chores = data.task_records(list(tasks.ladder()[16]), 16 * (few // 4), 1, part="test")
done = {}
for name, model in {"before": generalist, **spoken}.items():
    rate = evaluate.overall(evaluate.instruction_rate(model, chores))
    done[name] = {"other tasks done": rate}
show.before_after(done["before"], done["in house style"],
                  control=done["in plain words"], unit="share of tasks done",
                  better="higher")

# %% [markdown]
# The control in plain words loses about as much: it is not the style that costs, but learning one thing only. *Specialist*
# is the right word, in both of its senses. Whoever needs both keeps the base and swaps adapters (lesson 06),
# or mixes old tasks into the new ones, as replay did in lesson 02.

# %% [markdown]
# ## How far to go
# Few examples are soon learnt by heart. Then the training loss still falls, and held-out examples get worse: *overfitting*.

# %% [markdown]
# ### The raw idea: early stopping
# Look at held-out examples after each pass, remember the best weights, and go back to them.

# %%
student = models.with_chat(base.copy())
optimizer = torch.optim.AdamW(student.network.parameters(), lr=5e-4)
pairs = [data.chat_tokens(messages, student.tokenizer)
         for messages in style["train"]["messages"][:24]]
unread, best, looks = style["validation"].select(range(24)), None, []
for epoch in range(1, course.scale.epochs + 4):
    losses = []
    for coded in pairs:
        ids = torch.tensor([coded["input_ids"]])
        loss = student(input_ids=ids, labels=torch.tensor([coded["labels"]])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    surprise = evaluate.reply_bits_per_byte(student, unread)
    if best is None or surprise < best[0]:
        best = surprise, copy.deepcopy(student.network.state_dict())
    looks.append({"epoch": epoch, "training loss": sum(losses) / len(losses),
                  "held out": surprise})
student.network.load_state_dict(best[1])
show.table(looks, caption="held out: bits per byte of unread replies")

# %% [markdown]
# In the library `patience=2` does that: training stops when two looks in a row brought nothing better.

# %% [markdown]
# ### The learning rate
# The other dial. The library looks by itself, if it is given held-out conversations.

# %%
curves = {}
for rate in (1e-4, 1e-3, 1e-2):
    recipe = train.InstructRecipe.at_scale(
        tokens=course.scale.instruct_tokens // 12, learning_rate=rate, looks=4)
    run = train.instruct(base, style["train"], recipe, validation=unread,
                         show_progress=False)
    curves[f"rate {rate:g}"] = run.observations
show.loss_curve(curves, y="validation bits per byte", title="three learning rates")

# %% [markdown]
# Too low wastes the budget, too high learns badly or not at all. Both are found by looking at held-out data.

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A bank wants answers in its own tone and format.* Fine-tuning, on labelled examples of that tone.
# - *Answers must follow a price list that changes daily.* Retrieval. Tuning would be out of date tomorrow.
# - *What does fine-tuning need that continued pre-training does not?* Labelled input–output pairs; far less data.
# - *What may a tuned model lose?* General skills: test outside of the domain, too.

# %% [markdown]
# > **Today** (November 2026). AWS's own guide says that supervised fine-tuning teaches behaviour and "does not teach the
# > model new factual knowledge"; older notes say that it makes an expert of facts. On Bedrock you bring JSON Lines to S3.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("05")

# %% [markdown]
# ## Yours to try
# Tune on `commands["train"]` in place of `told` and ask with `held["prompt"]`: what happens to M3's claim? Or tune your
# own records: `fmcourse train instruct --data my.jsonl --base smollm2 --patience 2`. Then on to lesson 06.
