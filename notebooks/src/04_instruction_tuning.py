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
#     title: Instruction tuning
#     claims: [K3, M1, M2]
#     minutes_cpu: 5
#     minutes_gpu: 2
# ---

# %% [markdown]
# # 04 · Instruction tuning
# **Question:** how does a model that only continues texts learn to do as it is told, even what it was never shown?
#
# Claims K3, M1, M2 · about 5 minutes on two CPU cores, 2 on a GPU · after lesson 01

# %% [markdown]
# > **Exam words.** *Instruction tuning* is fine-tuning on **labelled** pairs of an instruction and its response, from many
# > tasks. It improves how *helpful* a model is and how well it keeps to a *format*, also on tasks it has not seen.

# %%
import torch

import fmcourse as fm
from fmcourse import data, evaluate, models, show, train
from fmcourse.data import tasks

course = fm.start("04", claims=["K3", "M1", "M2"])
base = models.load("base")

# %% [markdown]
# ## A base model is no assistant
# It knows English. That there is somebody who wants something, nobody ever told it.

# %% [markdown]
# **Predict.** The answer stands in the question. Will the model find it?

# %%
record = "article: Otter; start: Otters; end: rivers; words: 9"
questions = [f'{record}\n\nWhat stands after "end"?',
             "lamp, river, bread\n\nWith which item does the list end?",
             "a cold morning\n\nTwice, please."]
show.chat(base, opening=questions[:1], tokens=24)

# %% [markdown]
# It goes on in the only way it has learnt: with more text. Below this cell's output is a box; in a running notebook
# you can talk to the model yourself.

# %% [markdown]
# ## A conversation is a text
# A *chat template* turns messages into one text. Two special tokens mark where a turn begins and ends.

# %%
able = models.with_chat(base)
talk = data.conversation(questions[0], "rivers")
print(data.written(talk, able.tokenizer))

# %% [markdown]
# The template teaches nothing. It only makes sure that training and talking look the same: many a disappointing
# fine-tuned model was asked in another template than it was trained in.

# %% [markdown]
# **Predict.** Which of these tokens should count in the loss?

# %%
marked = data.graded({"messages": talk}, able.tokenizer)
show.mask_figure(marked["token"], marked["graded"], title="only the reply is graded")

# %% [markdown]
# Only what the assistant says, and the end of its turn. The question is read and never predicted: the model shall
# learn to answer people, not to imitate them.

# %% [markdown]
# ## The raw idea
# Pre-training's loop, with a mask. Tokens whose label is −100 are left out of the loss; that is all the difference.

# %%
rows = data.task_records(["first_item"], 64)
student = able.copy()
optimizer = torch.optim.AdamW(student.network.parameters(), lr=1e-3)
for step, messages in enumerate(rows["messages"][:48]):
    coded = data.chat_tokens(messages, student.tokenizer)
    ids, labels = torch.tensor([coded["input_ids"]]), torch.tensor([coded["labels"]])
    loss = student(input_ids=ids, labels=labels).loss  # of graded tokens alone
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if step % 12 == 0:
        print(f"step {step}: loss {loss.item():.2f}")

# %% [markdown]
# The first loss is above that of blind guessing, ln 8,192 = 9.0: the base is *sure* that something else comes, and that a
# turn never ends. One example a step is a noisy way to learn. Real runs put several conversations into each row, which cannot see each
# other (*packing*): no time is lost on padding.

# %% [markdown]
# ## Many tasks, real texts
# A *task family* is one task in several wordings, made from real text: an encyclopaedia, scripture, AWS documentation. A
# program knows the right reply, so nobody has to judge.

# %%
collection = tasks.families()
print(f"{len(tasks.TRAINED)} families to train on, {len(tasks.HELD_OUT)} held out")
columns = ["name", "kind", "phrasings", "held_out"]
show.table(collection[columns].sample(8, random_state=1))

# %%
example = data.task_records(["value_or_refusal"], 4, seed=1)[0]
print(example["instruction"], "\n→", example["answer"])

# %% [markdown]
# Families are *held out as a whole*: no example of them is ever trained on. Doing those would be more than memory.

# %% [markdown]
# Sixteen of the others are our training tasks. Of each family the last wording is kept out of training, too.

# %%
chosen = list(tasks.ladder(seed=0)[16])
many = data.task_records(chosen, 12_000)
print(*chosen)

# %% [markdown]
# ## The same, through the library
# `instruct` runs TRL's `SFTTrainer`: template, mask, packing. What is too long is left out and counted, never cut
# in the middle of a reply.

# %%
recipe = train.InstructRecipe.at_scale(learning_rate=2e-3)
tuned = train.instruct(base, many, recipe, name="many tasks", show_progress=False)
tuned

# %% [markdown]
# ## The control
# Is it the *many tasks*, or would any tuning do? One family only, as many tokens:

# %%
single = chosen[:1]
one = data.task_records(single, 1_200)
narrow = train.instruct(base, one, recipe, name="one task", show_progress=False)
print("the one task:", *single)
for run in (narrow, tuned):
    print(f"{run.name}: each record was read {run.metrics['epochs']:.1f} times")

# %% [markdown]
# ## Before and after
# Three questions to the base, to the specialist and to the model of many tasks: of families it was trained on, in
# wordings and with texts that it was not. Look at the form of a reply first, and at what it says second.

# %%
trio = {"base": able, "one task": narrow.model, "many tasks": tuned.model}
said = {name: models.replies(model, questions, tokens=24)
        for name, model in trio.items()}
show.table([{"asked": asked.splitlines()[-1], **{name: said[name][i] for name in trio}}
            for i, asked in enumerate(questions)])

# %%
each = course.scale.probes // 45  # items of a family
held = data.task_records(chosen, 16 * each, seed=1, part="test")
done, given = {}, {}
for name, model in trio.items():
    table, given[name] = evaluate.instruction_rate(model, held, max_tokens=64,
                                                   details=True)
    done[name] = evaluate.overall(table)
course.claim("K3", metric="tasks done", treatment=done["many tasks"],
             control=done["base"])

# %% [markdown]
# Two that it did and two that it did not, and what it said:

# %%
columns = ["instruction", "reply", "followed"]
short = given["many tasks"].sort_values("instruction", key=lambda text: text.str.len())
show.table(short.groupby("followed").head(2)[columns])

# %% [markdown]
# Grammar and facts were there before; lesson 01 measured them. What the base lacks is that a question is to be
# *answered*. It was asked in the chat template here; the ledger asks it in plain text, too, and takes the better score.

# %% [markdown]
# ## Tasks nobody trained
# **Predict.** Now the families held out. Will sixteen tasks help with the seventeenth? Will one?

# %%
unseen = data.task_records(tasks.HELD_OUT, each * len(tasks.HELD_OUT), seed=1,
                           part="test")
first = unseen.to_pandas().groupby("kind").head(1)
show.table(first[["instruction", "answer"]].head(4))

# %%
answers, overlap = {}, {}
for name, model in trio.items():
    _, answers[name] = evaluate.instruction_rate(model, unseen, max_tokens=64,
                                                 details=True)
    scores = evaluate.rouge_l_scores(answers[name]["reply"], unseen["answer"][:])
    overlap[name] = scores["f1"].mean()
course.claim("M1", treatment=overlap["many tasks"], control=overlap["one task"])

# %% [markdown]
# The score is ROUGE-L: how much of the right reply is in the model's, in order. It counts what is half right, as the makers
# of *Super-NaturalInstructions* did with their unseen tasks.

# %%
exact = {name: said["followed"].mean() for name, said in answers.items()}
show.table([{"model": name, "ROUGE-L": f"{overlap[name]:.2f}",
             "exactly right": f"{exact[name]:.1%}"} for name in trio])

# %% [markdown]
# Read the last column too. Twelve million weights take up the *manner* of answering and hardly ever get a new task quite
# right. Models a thousand times larger do (T0, Sanh et al. 2022): what grows with size is not shown by a small model.

# %%
columns = ["kind", "instruction", "reply"]
show.table(answers["many tasks"][columns].sample(5, random_state=2))

# %% [markdown]
# ### More tasks, more of it
# The ledger tuned on 1, 2, 4, 8 and 16 families, each with the same number of tokens, over several seeds. Bars run from the
# lowest seed to the highest.

# %%
ledger = course.ledger("M1")
points, exactly = [], "unseen families: exactly right"
for arm in (name for name in ledger["arms"] if name != "base"):
    scores = {"ROUGE-L": ledger["arms"][arm],
              "exactly right": [seed[exactly][arm] for seed in ledger["details"]]}
    count = int(arm.split()[0])
    points += [{"score": score, "families": count, "of unseen tasks": value}
               for score, values in scores.items() for value in values]
show.learning_curves(points, x="families", y="of unseen tasks", group="score")

# %% [markdown]
# The way up is not even: on some seeds four families beat sixteen. And some single families teach so little that their
# score is almost 0; a ratio to almost 0 has no upper limit, hence six seeds.

# %%
print("M1:", ledger["verdict"])
surprise = course.ledger("M1", "unseen families: bits per byte of right replies")
show.seeds(surprise["arms"], control="1 family", unit="bits per byte of right replies",
           better="lower")

# %% [markdown]
# Look at the base, which was never tuned: one task makes a model *worse* at the others than no task. Most of the way from
# one family to sixteen is that harm, undone; the smaller part, from the base to sixteen, is gained.

# %% [markdown]
# ## Keeping to a form
# "At most 12 words", "as JSON", "end with these words": a program can verify it. The texts and wordings of this test are
# in no training set, and some of its forms are not either.

# %%
forms = data.constrained_records(8_000)
print(forms[0]["instruction"], "\n→", forms[0]["answer"])
recipe = train.InstructRecipe.at_scale(tokens=course.scale.instruct_tokens // 2)
formed = train.instruct(tuned.model, forms, recipe, name="and forms",
                        show_progress=False)

# %% [markdown]
# **Predict.** *Strict* reads the reply as it is, *loose* forgives a polite first or last line. Will they differ for a model
# that has never read a polite line?

# %%
items = evaluate.constraint_items(course.scale.probes // 2)
stages = {"base": able, "many tasks": tuned.model, "and forms": formed.model}
kept = {name: evaluate.constraint_rate(model, items) for name, model in stages.items()}
never = items["trained"][:].count(False)
print(f"{len(items)} requests, {never} of them in a form never taught")
last = {name: table.iloc[-1] for name, table in kept.items()}
show.table([{"model": name, "strict": f"{row['strict']:.0%}",
             "loose": f"{row['loose']:.0%}"} for name, row in last.items()])

# %%
course.claim("M2", treatment=kept["and forms"]["strict"].iloc[-1],
             control=kept["many tasks"]["strict"].iloc[-1])

# %% [markdown]
# Beware of habits. A reply that is always one short sentence keeps "on one line" and "no more than 12 words" without having
# read them. So the ledger has two controls: *without* constraints, and with constraints *swapped* between requests,
# where every form can be learnt and obedience cannot.

# %%
entry = course.ledger("M2")
show.seeds(entry["arms"], control="constraints swapped", unit=entry["metric"])

# %% [markdown]
# And forms that were never taught? The same rate for those alone, a value a seed:

# %%
never = "constraints kept, forms never taught"
show.table([{"arm": arm, **{f"seed {place}": f"{seed[never][arm]:.0%}"
                            for place, seed in enumerate(entry["details"])}}
            for arm in entry["arms"]])

# %% [markdown]
# A small model keeps to the forms it was shown, in new words and on new texts. A form that it never saw stays beyond it.

# %% [markdown]
# ## Talk to it
# The last stage taught forms and replayed no tasks. What has become of those? Lesson 05 is about that price.

# %%
table = evaluate.instruction_rate(formed.model, held, max_tokens=64)
print(f"tasks done: {done['many tasks']:.0%} before, {evaluate.overall(table):.0%} now")
show.chat(formed.model, opening=questions, tokens=32)

# %% [markdown]
# In a terminal: `fmcourse train instruct --data my.jsonl` tunes on records of your own, `fmcourse chat FOLDER` talks to the
# result, in the folder that was printed last.

# %% [markdown]
# ## What it costs
# Tuning reads a small part of what pre-training read, and the labels were made by a program. People's labels are what
# costs most in practice.

# %%
show.cost_bars({"pre-training the base": train.Cost(**base.card["cost"]),
                "instruction tuning": tuned.cost})

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A base model continues a question with more questions. What does it need?* Instruction tuning.
# - *What kind of data is that?* Labelled: instructions with their responses, from **many** tasks.
# - *What does it improve?* Helpfulness and format-following, also on tasks that were not in the data.
# - *What does it not add?* Knowledge. For new facts: continued pre-training (lesson 02) or retrieval.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("04")

# %% [markdown]
# ## Yours to try
# Take the tasks away: give `many` only the family in `single`, and M1's claim must fail. Or give `forms`
# `constraints="swapped"`: what happens to M2? Then on to lesson 05: one domain, one voice.
