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
#     title: Transfer learning
#     claims: [M4]
#     minutes_cpu: 4
#     minutes_gpu: 1
# ---

# %% [markdown]
# # 03 · Transfer learning
# **Question:** how many labels is a good start worth?
#
# Claim M4 · about 4 minutes on two CPU cores, 1 on a GPU · after lesson 01

# %% [markdown]
# > **Exam words.** *Transfer learning* takes a model trained for one task and uses it as the start for a related one. The
# > *base model* serves as a **feature extractor**, or is *fine-tuned*; either way **far less labelled data and compute**
# > are needed than from scratch.

# %%
import pandas as pd
import torch

import fmcourse as fm
from fmcourse import data, evaluate, models, show, train

course = fm.start("03", claims=["M4"])
course.hardware

# %% [markdown]
# ## A task with labels
# A paragraph of AWS documentation. Which of 24 services is it about? The services' names are masked, so that the answer
# cannot simply be read off.

# %% [markdown]
# Nobody annotated these: a paragraph knows which page it came from. The base never read a word of them; its
# whole reading was encyclopaedia, Bible and Shakespeare.

# %%
parts = data.service_paragraphs(seed=0)
texts, labels = parts["train"]["text"][:], parts["train"]["label"][:]
few = course.scale.probes
test, answers = parts["test"]["text"][:few], parts["test"]["label"][:few]
show.table(parts["train"].to_pandas()[["text"]].head(3))

# %% [markdown]
# **Predict.** Which service is meant in each? How sure are you? Guessing is right once in 24 times.

# %%
print(parts["train"]["service"][:3])
data.card(parts["train"])

# %% [markdown]
# Train and test share no operation, since paragraphs of one operation repeat each other's words, and a model could pass
# by memory.

# %% [markdown]
# ## The raw idea
# Cut off the output layer. What the network makes of a text, averaged over its tokens, is a list of 384 numbers:
# its *features*. A single linear layer learns to read the answer from them. The network itself stays *frozen*.

# %%
base = models.load("base")
rows = [base.tokenizer(text).input_ids[:96] for text in texts[:96]]
with torch.no_grad():
    states = [base.network.model(torch.tensor([row])).last_hidden_state for row in rows]
features = torch.cat([state.mean(1) for state in states])  # (96, 384)
features = (features - features.mean(0)) / features.std(0)
head = torch.nn.Linear(384, 24)
optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3)
for step in range(51):
    loss = torch.nn.functional.cross_entropy(head(features), torch.tensor(labels[:96]))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if step % 10 == 0:
        print(f"step {step}: loss {loss.item():.2f}")

# %% [markdown]
# The first loss is near ln 24 ≈ 3.18: ignorance of 24 services. It falls, though only the head's few thousand weights
# were trained, out of twelve million. On texts it has not seen, that says nothing yet.

# %% [markdown]
# ## The same, through the library
# `classify` knows two arms: *frozen*, as above, and *full*, where every weight may move. From scratch is the same call
# with random weights instead of the base's.

# %% [markdown]
# **Predict.** With about 20 examples a service: will the base, fully tuned, be right twice as often as one from scratch?

# %%
recipe = train.ClassifyRecipe.at_scale()
scratch = models.untrained(base)
sizes = course.scale.labels
starts = {"base": base, "from scratch": scratch}
recipe

# %%
measured, taught = [], {}
for n in sizes:
    for name, start in starts.items():
        for arm in ("full", "frozen"):
            made = train.classify(start, texts[:n], labels[:n], recipe, arm=arm)
            right = made.accuracy(test, answers)
            taught[f"{name}, {arm}", n] = made
            measured.append({"arm": f"{name}, {arm}", "labels": n, "accuracy": right})

# %%
show.learning_curves(measured, chance=1 / 24)

# %% [markdown]
# Each line is one way to learn, each point another number of labels. What the picture doesn't say: how much of the gap is
# the luck of one seed. The ledger below has three.

# %% [markdown]
# ## The control
# "Frozen" is a fair word only if the *features* matter. So the same linear layer stands on a network with random weights.

# %% [markdown]
# **Predict.** Is a random network's opinion of a text worth nothing, a little, or as much as the base's?

# %%
right = pd.DataFrame(measured).set_index(["arm", "labels"])["accuracy"]
most = sizes[-1]
course.claim("M4", metric="base, frozen / scratch, frozen",
             treatment=right["base, frozen", most],
             control=right["from scratch, frozen", most])

# %% [markdown]
# Random features still tell which words occur, so they beat guessing. What pre-training adds is the distance between the
# two frozen lines.

# %% [markdown]
# And trained in full, is the start worth anything? Same labels, same steps, same recipe:

# %%
course.claim("M4", treatment=right["base, full", most],
             control=right["from scratch, full", most])

# %% [markdown]
# Or is scratch only *slow*? The ledger gave it four times the training on the same 512 labels:

# %%
tried = course.ledger("M4")["arms"]
patient = ["scratch, full", "scratch, 4 times as long, full", "base, full"]
show.seeds({arm: tried[arm] for arm in patient}, control=patient[0],
           unit="services: right with 512 labels")

# %% [markdown]
# So a good part of what a start saves is *time*: with four times the compute, scratch comes near. With more labels the gap
# stays; with a handful nobody does better than chance.

# %% [markdown]
# ## How many labels is that worth?
# Take the best score that both reach. How many labels did each need for it?

# %%
curves = {arm: right[arm].to_dict() for arm in ("base, full", "from scratch, full")}
print(evaluate.label_efficiency(*curves.values()))

# %% [markdown]
# Between measured sizes the curves are interpolated; beyond them nothing is claimed. One seed says little here; the
# ledger's figure is below, in labels and in compute (the base's own pre-training not counted).

# %% [markdown]
# ## An honest rival
# A *bag of words* counts words and knows nothing of language. Here each service has words of its own, so it does well:

# %%
for n in sizes:
    counted = train.bag_of_words(texts[:n], labels[:n]).score(test, answers)
    print(f"{n} labels: bag of words {counted:.0%}, base {right['base, full', n]:.0%}")

# %% [markdown]
# Where the task is to spot key words, counting them is hard to beat, and costs nothing. Transfer says "better than
# *this network* from scratch", not "better than everything". Always try the cheap rival first.

# %% [markdown]
# ## The same with images
# Transfer learning became famous with pictures. Real handwritten digits, each somewhere on a page: a small
# network learns 0 to 4 from all their images. Then it meets 5 to 9, of which it gets only a few.

# %% [markdown]
# **Predict.** It has never seen a 7. What could it have learnt from 0 to 4 that helps with 7?

# %%
digits = train.image_transfer(seed=0)
show.learning_curves(digits, chance=1 / 5)

# %%
seen = digits.set_index(["arm", "labels"])["accuracy"]
course.claim("M4", metric="digits: right with 20 labels",
             treatment=seen["base, frozen", 20], control=seen["scratch, frozen", 20])

# %% [markdown]
# Strokes, and where on the page they lie: as *features*, that is worth much. Trained in *full*, scratch does about as well:
# each example lies elsewhere at every step, which teaches it the same. Photographs are not so easy; digits are.

# %% [markdown]
# ## What it costs
# Features are computed once, forwards only; fine-tuning goes back and forth many times.

# %%
bill = {"pre-training the base": train.Cost(**base.card["cost"]),
        "full fine-tuning": taught["base, full", most].cost,
        "frozen features": taught["base, frozen", most].cost}
show.cost_bars(bill)

# %% [markdown]
# Pre-training was paid once, by whoever published the base. You pay one of the two lower rows, for every new task. Scratch
# pays for full training too, and gets less for it.

# %% [markdown]
# ## Frozen or full?
# | | frozen features | full fine-tuning |
# |---|---|---|
# | trains | a linear layer | every weight |
# | compute | one forward pass | many passes, both ways |
# | score here | rises slowly | rises faster, from a few hundred labels |
# | one base, many tasks | shared | a copy for each task |

# %% [markdown]
# Lesson 06 stands between the two: adapters that train a few added weights (LoRA).

# %% [markdown]
# ## The ledger
# The same over several seeds and up to 4,096 labels. The bars are the seeds' spread.

# %%
seeds = course.ledger("M4")["details"]
curves = pd.concat(pd.DataFrame(seed["tables"]["services"]) for seed in seeds)
patient = curves["arm"].str.contains("4 times")
show.learning_curves(curves[~patient], chance=1 / 24)

# %% [markdown]
# Not in it: yes/no questions about a passage, with 256 labels. There every arm stayed at chance, base and scratch alike. What
# a base cannot do at all it cannot pass on.

# %% [markdown]
# *Domain base* is the one lesson 02 taught AWS's language. For *writing* answers it is a much better start (K10).

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A company has 200 labelled images and needs a classifier soon. What do you do?* Transfer learning from a published model.
# - *What does the pre-trained model contribute when its weights stay fixed?* It is a feature extractor.
# - *Why is transfer learning cheaper than training from scratch?* Less labelled data and less compute.
# - *When does it help little?* When the new task has nothing in common with the old, is easy, or has labels in plenty.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("03")

# %% [markdown]
# ## Yours to try
# Take the start away: put `models.untrained(base, seed=1)` in the place of `base` in `starts`. The claim cells must fail
# (at the cpu scale; smoke judges nothing). Then on to lesson 04: teaching the base to follow instructions.
