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
# The CLI's own parser judges. Nothing is run. Five questions: the right *service*, the right *operation*, would the CLI take
# it (*parsed*), do the parameters fit (*valid*), is it *exact*?

# %%
wanted = "aws ec2 stop-instances --instance-ids i-1"
for said in (wanted, "aws ec2 stop-instances --instances i-1", "aws s3 ls; rm -rf /", "Sure!"):
    grade = evaluate.grade_command(said, wanted)
    print(f"{said:42} operation {grade.operation!s:5} parsed {grade.parsed!s:5} {grade.reason}")

# %% [markdown]
# A reward that a program can verify is precious. It cannot be flattered, and lesson 11 will train on it.

# %% [markdown]
# ## Without training
# A published model that its makers have tuned on general instructions. First it is just asked.

# %%
start = models.load("smollm2")
plain = start.in_dtype(hardware.detect().dtype)  # to answer with: faster where bfloat16 is
print(start)
asked = data.few_shot(held["prompt"][:], commands["train"], count=0)
said = {"asked plainly": models.replies(plain, asked, tokens=48)}
print(said["asked plainly"][0])

# %% [markdown]
# It has an idea of what is meant, and none of what is wanted. *Prompt engineering* comes first: show it four
# examples, those most like the request.

# %%
near = data.few_shot(held["prompt"][:], commands["train"], count=4)
said["similar examples"] = models.replies(plain, near, tokens=48)
show.table([{"wanted": row["completion"], "said": reply}
            for row, reply in zip(held.select(range(3)), said["similar examples"][:3], strict=True)])

# %% [markdown]
# Now it speaks the language, and copies the wrong operation: the right one is in no example.

# %% [markdown]
# The manual has every command there is. A search finds the three lines that are most like the request; that is
# *retrieval*.

# %%
manual = data.manual()
shown = data.with_manual(held, manual)
print(f"{len(manual):,} lines\n\n{shown[0]['prompt']}")

# %% [markdown]
# **Predict.** The answer is often there, word for word. With the manual before it and two examples of how to use it:
# will the model find the right operation more often?

# %%
told = data.with_manual(commands["train"].select(range(2_000)), manual)
prompts = data.few_shot(shown["prompt"][:], told, count=2, similar=False)
said["manual and two examples"] = models.replies(plain, prompts, tokens=48)


def rates(replies):
    """Share of replies for each question of the grader."""
    table = evaluate.grade_commands(replies, held["completion"][:])
    return dict(zip(table["measure"], table["rate"], strict=True))


show.table([{"way": way, **{name: f"{rate:.0%}" for name, rate in rates(replies).items()}}
            for way, replies in said.items()])

# %% [markdown]
# It is the best prompt a person could give, and this model cannot use it: it was never taught *how*. To learn a way of
# working, a model must be trained.

# %% [markdown]
# ## Fine-tuning
# The same requests with the same lines of the manual, and now the right command as the reply. Only small added
# matrices are trained (LoRA, lesson 06), so that a laptop can do it.

# %%
recipe = train.InstructRecipe.at_scale(
    tokens=course.scale.adapter_tokens, max_length=512, lora_rank=16)
expert = train.instruct(start, told, recipe, name="expert", show_progress=False)
expert

# %% [markdown]
# **Predict.** That was a few hundred pairs, most of them read once, and none of a test operation. What is the rate now?

# %%
after = expert.model.in_dtype(hardware.detect().dtype)
said["tuned with the manual"] = models.replies(after, shown["prompt"][:], tokens=48)
show.table([{"way": way, **{name: f"{rate:.0%}" for name, rate in rates(replies).items()}}
            for way, replies in said.items()])

# %%
metric, use = "unseen operations: right operation", "manual and two examples"
course.claim("M3", metric=metric, treatment=rates(said["tuned with the manual"])["operation"],
             control=rates(said[use])["operation"])

# %% [markdown]
# The *control* saw the same lines and two examples. What tuning added is no fact about AWS but a behaviour: read the
# manual, take the line that fits, answer with one command.

# %% [markdown]
# ### What the tuning did not teach
# The ledger also has an expert that was tuned **without** the manual, on as many tokens. Look at it before you read on.

# %%
arms = course.ledger("M3")["measures"][0]["arms"]
show.seeds(arms, control="manual and two examples", unit=metric)

# %% [markdown]
# Names of operations are facts. Thousands of them do not go into a model by a few hundred examples; a search hands them
# over at once. **Fine-tuning teaches behaviour; retrieval brings facts**, and the best of these ways uses both.

# %%
services = course.ledger("M3")["measures"][1]
show.seeds(services["arms"], control="manual and two examples", unit=services["metric"])

# %% [markdown]
# Services that no example ever showed: the expert loses some of its lead and stays far ahead.

# %% [markdown]
# ### Two more domains
# The same recipe on medical questions (yes, no or maybe, from a research abstract) and on legal cases (a summary in one or
# two sentences), from the ledger. *No model* always says yes, and copies a case's first sentence.

# %%
ledger = course.ledger("M3")
read = {entry["metric"]: entry for entry in ledger["measures"]}
show.table([{"arm": arm, "task": name, "mean": f"{sum(values) / len(values):.2f}",
             "seeds": ", ".join(f"{value:.2f}" for value in values)}
            for name in ("legal: ROUGE-L", "medical: macro-F1")
            for arm, values in read[name]["arms"].items()])

# %% [markdown]
# Look at *no model* before you praise the tuned one. A score without the simplest baseline beside it says little.

# %% [markdown]
# ## How little it takes
# Was it *these* pairs, or would any tuning do? On our own base it can be tried in a minute: commands, each request with a
# line of the manual, or as many tokens of the tasks of lesson 04. Pairs too long for a row are left out and counted.

# %%
base = models.load("base")
short = data.with_manual(commands["train"], manual, count=1)
other = data.task_records(list(tasks.ladder()[16]), 4_000)
recipe = train.InstructRecipe.at_scale(tokens=course.scale.instruct_tokens // 2)
runs = {name: train.instruct(base, pairs, recipe, name=name, show_progress=False)
        for name, pairs in (("tuned on commands", short), ("tuned on other pairs", other))}

# %%
brief = data.with_manual(data.sample(commands["test_operations"], 2 * few), manual, count=1)


def right_service(model):
    """Share of replies that name the right service."""
    replies = models.replies(model, brief["prompt"][:], tokens=48)
    return evaluate.grade_commands(replies, brief["completion"][:])["rate"][0]


course.claim("K6", treatment=right_service(runs["tuned on commands"].model),
             control=right_service(runs["tuned on other pairs"].model))

# %% [markdown]
# **Predict.** How many times more tokens did pre-training read?

# %%
show.cost_bars({"pre-training": train.Cost(**base.card["cost"]),
                "fine-tuning": runs["tuned on commands"].cost})

# %% [markdown]
# Real models make that gap far wider: trillions of tokens to pre-train, thousands of examples to tune.

# %% [markdown]
# ## A house style
# Alpenglow, a company we made up, wants its answers so: a set opening, the product's full name, at most three
# sentences, no "just" and no "sorry", a set closing. Rules that can be checked.

# %%
style = data.house_style()
print(style["train"][0]["prompt"], "\n→", style["train"][0]["completion"])

# %% [markdown]
# The generalist of a moment ago learns it; the control learns the same facts in plain words.

# %%
generalist = runs["tuned on other pairs"].model
recipe = train.InstructRecipe.at_scale(tokens=course.scale.instruct_tokens // 4)
voices = {"in plain words": data.plain_style(style["train"]), "in house style": style["train"]}
spoken = {name: train.instruct(generalist, pairs, recipe, name=name, show_progress=False).model
          for name, pairs in voices.items()}

# %%
customers = data.sample(style["test"], 2 * few)
kept = {}
for name, model in {"before": generalist, **spoken}.items():
    table = evaluate.style_rates(models.replies(model, customers["prompt"][:], tokens=96), customers)
    kept[name] = dict(zip(table["measure"], table["rate"], strict=True))
show.table([{"model": name, **{rule: f"{rate:.0%}" for rule, rate in found.items()}}
            for name, found in kept.items()])

# %%
both = "all rules, content kept"
course.claim("K7", treatment=kept["in house style"][both], control=kept["in plain words"][both])

# %% [markdown]
# ### The price
# **Predict.** The generalist could do some of sixteen small tasks. Nobody reminded the specialist of them.

# %%
asked = data.task_records(list(tasks.ladder()[16]), 16 * (few // 4), seed=1, part="test")
done = {name: evaluate.overall(evaluate.instruction_rate(model, asked))
        for name, model in {"before": generalist, **spoken}.items()}
show.before_after({"other tasks done": done["before"]}, {"other tasks done": done["in house style"]},
                  unit="share of tasks done", better="higher")

# %% [markdown]
# *Specialist* is the right word, in both of its senses. Whoever needs both keeps the base and swaps adapters (lesson 06),
# or mixes old tasks into the new ones, as replay did in lesson 02.

# %% [markdown]
# ## How far to go
# Few examples are soon learnt by heart. Then training loss still falls, and held-out examples get worse: *overfitting*.

# %% [markdown]
# ### The raw idea: early stopping
# Look at held-out examples now and then, remember the best weights, and go back to them.

# %%
student = models.with_chat(base.copy())
optimizer = torch.optim.AdamW(student.network.parameters(), lr=2e-3)
pairs = [data.chat_tokens(messages, student.tokenizer)
         for messages in style["train"]["messages"][:24]]
unread, best, looks = style["validation"].select(range(24)), None, []
for epoch in range(course.scale.epochs + 3):
    surprise = evaluate.reply_bits_per_byte(student, unread)
    if best is None or surprise < best[0]:
        best = surprise, copy.deepcopy(student.network.state_dict())
    for coded in pairs:
        ids, labels = torch.tensor([coded["input_ids"]]), torch.tensor([coded["labels"]])
        loss = student(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    looks.append({"epoch": epoch, "held out (bits per byte)": surprise, "last loss": loss.item()})
student.network.load_state_dict(best[1])
show.table(looks)

# %% [markdown]
# ### The learning rate
# The other dial. The library looks by itself, if it is given held-out conversations; `patience` would stop it.

# %%
curves = {}
for rate in (1e-4, 1e-3, 1e-2):
    recipe = train.InstructRecipe.at_scale(
        tokens=course.scale.instruct_tokens // 12, learning_rate=rate, looks=4)
    run = train.instruct(base, style["train"], recipe, validation=unread, show_progress=False)
    curves[f"{rate:g}"] = run.observations
show.loss_curve(curves, y="validation bits per byte", title="three learning rates")

# %% [markdown]
# Too low wastes the budget, too high breaks what pre-training built. Both are found by looking at held-out data, and by
# nothing else.

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
# ## Yours to try
# Give `told` no lines (`commands["train"]` itself) and ask with `held["prompt"]`: what happens to M3's claim? Or tune
# your own records: `fmcourse train instruct --data my.jsonl --base smollm2 --patience 2`. Then on to lesson 06.
