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
#     title: "Data: size, labelling, representativeness"
#     claims: [S1, S2, S3, L1, L2, L3, L4, D4, R1, R2, R3, R4, R5]
#     minutes_cpu: 3
#     minutes_gpu: 3
# ---

# %% [markdown]
# # 09 · Data: size, labelling, representativeness
# **Question:** how many examples are enough, who says what they mean, and do they look like what the model will meet?
#
# Claims S1, S2, S3, L1, L2, L3, L4, D4, R1, R2, R3, R4, R5 · about 3 minutes on two CPU cores, 3 on a GPU · after lesson 07

# %% [markdown]
# > **Exam words.** *Size*: fine-tuning needs far less data than pre-training; too little *overfits*. *Labelling*: guidelines,
# > several annotators, *quality control*, in rounds. *Representativeness*: the data mirrors real use; *diversity*, *edge
# > cases*, *bias*, regular *refreshing*.

# %%
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

import fmcourse as fm
from fmcourse import data, evaluate, models, show, train
from fmcourse.data import annotation
from fmcourse.data.swaps import PRONOUNS
from fmcourse.evidence.experiments.fair import detected
from fmcourse.evidence.experiments.label_rounds import faded
from fmcourse.evidence.experiments.overfit import conversations
from fmcourse.evidence.experiments.unusual import by_words, other_languages

course = fm.start("09", claims=["S1", "S2", "S3", "L1", "L2", "L3", "L4", "D4",
                                "R1", "R2", "R3", "R4", "R5"])
base = models.load("base")

# %% [markdown]
# ## Eight examples
# Pairs of a question and its answer, out of AWS documentation. The test asks about services that no pair is about.

# %%
pairs, asked = conversations("train"), data.sample(conversations("test"), 32, 0)
print(f"{len(pairs):,} pairs, such as", pairs[0]["prompt"], pairs[0]["completion"],
      sep="\n  ")

# %% [markdown]
# Our base, once on few of them and once on many, as many steps each: the few are read over and over. **Predict.** Which of
# the two will know its own answers better, and which the answers to new questions?

# %%
few, many = 8, 512
recipe = train.InstructRecipe(tokens=min(course.scale.adapter_tokens, 20_000),
                              batch_tokens=512)
rows, runs = {}, {}
for size in (few, many):
    own = data.sample(pairs, size, 0)
    run = train.instruct(base, own, recipe, name=f"{size} pairs", show_progress=False)
    known = data.sample(own, 32, 0)
    bits = [evaluate.reply_bits_per_byte(run.model, some) for some in (known, asked)]
    heart = evaluate.recited(run.model, known).mean()
    runs[size], rows[size] = run, {
        "pairs": size, "times read": run.metrics["epochs"], "own answers": bits[0],
        "new answers": bits[1], "gap": bits[1] - bits[0], "by heart": heart}

# %%
show.table(list(rows.values()), formats={
    "times read": ".1f", "own answers": ".2f", "new answers": ".2f", "gap": ".2f",
    "by heart": ".0%"}, caption="bits per byte, and answers known word for word")

# %%
course.claim("S2", treatment=rows[few]["gap"], control=rows[many]["gap"])

# %% [markdown]
# *Overfitting*: what was read so often is known word for word, and new answers surprise the model more. A loss near 0 on
# training data says nothing about use.

# %%
course.claim("S2", metric="bits per byte of unseen replies",
             treatment=rows[many]["new answers"], control=rows[few]["new answers"])

# %% [markdown]
# Fewer passes, then? **Predict.** Each pair read once only: what do eight pairs teach? The ledger has both ways, from few
# pairs to very many.

# %%
ledger = course.ledger("S2")
learnt = pd.DataFrame([row for seed in ledger["details"] for row in seed["rows"]])
learnt = learnt.rename(columns={"examples": "pairs",
                                "bits per byte of unseen replies": "bits per byte"})
both = learnt[learnt["regime"] != "stopped early"]
show.learning_curves(both, x="pairs", y="bits per byte", group="regime",
                     title="surprise at unseen answers")

# %% [markdown]
# A small set has two ways to fail: read often it is learnt by heart, read once it teaches hardly anything
# (*underfitting*). *Early stopping* softens the first way; it does not replace examples:

# %%
unseen = course.ledger("S2", "bits per byte of unseen replies")
wanted = [f"{size}, {how}" for how in ("as many steps", "each pair once")
          for size in ("fewest", "most")] + ["fewest, stopped early"]
show.seeds({arm: unseen["arms"][arm] for arm in wanted}, better="lower",
           unit="bits per byte of unseen answers")

# %% [markdown]
# ## What is that beside pre-training?
# **Predict.** The base was pre-trained by the same loop on the same kind of machine. How many fine-tunings like the one above
# cost as much?

# %%
spent = runs[many].cost
course.claim("S1", metric="training FLOPs", treatment=spent.flops,
             control=base.card["cost"]["flops"])

# %% [markdown]
# And text? The ledger counts what a fine-tune reads until it keeps the rules of a house style nearly as well as it ever will.
# *From scratch* is the same network without pre-training, on the same examples.

# %%
show.seeds(course.ledger("S1", "unseen questions: all rules kept")["arms"],
           control="from scratch", unit="unseen questions: all rules kept")

# %%
text = course.ledger("S1", "characters of text")["arms"]
show.table([{"what": name, "characters": np.mean(text[name])} for name in text],
           formats={"characters": ",.0f"})

# %% [markdown]
# Few examples are enough *because* somebody paid for the many. For models a thousand times larger, the ratio is larger still.

# %% [markdown]
# ## How many are enough?
# Label more and more, and each new label brings less: a *learning curve*. Two tasks on real text: encyclopaedia or
# literature? And which of 24 services is a paragraph about? (Names that would give it away are masked.)

# %%
filtered = data.filter_sentences(0, train=2400, test=1000)
labelled = data.service_paragraphs(0, train=2400, test=600)
texts, kinds = labelled["train"]["text"][:], labelled["train"]["service"][:]
tests = labelled["test"]["text"][:]
test_kinds = np.array(labelled["test"]["service"][:])
for parts in (filtered, labelled):
    print(parts["train"][1]["label"], "·", parts["train"][1]["text"])

# %% [markdown]
# **Predict.** A bag of words learns both. Which of the two curves will be flat first?

# %%
sizes = [24, 48, 96, 192, 384, 768, 1536]
points = []
for task, parts in {"2 sources": filtered, "24 services": labelled}.items():
    for size in sizes:
        own = parts["train"].select(range(size))
        taught = train.bag_of_words(own["text"][:], own["label"][:])
        score = taught.score(parts["test"]["text"][:], parts["test"]["label"][:])
        points.append({"task": task, "labels": size, "share right": score})
show.learning_curves(points, y="share right", group="task")

# %% [markdown]
# ### The raw idea: a plateau
# Many such curves follow `score = plateau − a · n^−b`. For a given `b` that is a straight line in `n^−b`: so try many `b`,
# keep the best.

# %%
def plateau(sizes, scores):
    """The curve's plateau, and the examples for 90 % of it."""
    fits = []
    for b in np.geomspace(0.05, 3, 200):
        x = np.array(sizes) ** -b
        slope, top = np.polyfit(x, scores, 1)
        if 0 < top <= 1:
            fits.append((np.sum((top + slope * x - scores) ** 2), top, -slope, b))
    _, top, a, b = min(fits)
    return top, (a / (0.1 * top)) ** (1 / b)


# %%
measured = {task: [row["share right"] for row in points if row["task"] == task]
            for task in ("2 sources", "24 services")}
for task, scores in measured.items():
    curve = evaluate.fit_plateau(sizes, scores, limit=1)
    low, high = evaluate.plateau_interval(sizes, scores, limit=1)
    top, needed = plateau(sizes, scores)
    print(f"{task}\n  by hand: plateau {top:.3g}, 90 % of it with {needed:,.0f}"
          f"\n  the library: {curve}\n  95 % interval {low:,.0f} to {high:,.0f}")

# %% [markdown]
# The library's fit lets single bad points pull less, and says how unsure it is. Where a curve is still rising, its plateau is
# a guess, and the interval shows it: measure further before you plan on it.

# %% [markdown]
# The ledger has three tasks, each taught to our base. **Predict.** Answers in the style of a house, the service that a request
# needs, one of 24 labels for a paragraph: which takes fewest examples?

# %%
ledger = course.ledger("S3")
rows = pd.DataFrame([row for seed in ledger["details"] for row in seed["rows"]])
rows = rows.rename(columns={"score": "share right"})
show.learning_curves(rows[rows["start"] == "base"], x="examples", y="share right",
                     group="task", title="on what is new, from our base")

# %%
show.seeds(ledger["arms"], control="one of 24 labels", better="lower",
           unit=ledger["metric"])

# %% [markdown]
# That is read off each curve, not off a guessed plateau. "How many examples do I need?" has no answer without a task; and none
# without a base. The small one has a quarter of the weights and a hundredth of the reading:

# %%
same = course.ledger("S3", "pairs for the same bits per byte")
show.seeds(same["arms"], control="small base", better="lower",
           unit="pairs for the same bits per byte")

# %% [markdown]
# ## Labels are the lesson
# From now on the label of a paragraph is its *area*: six of them. The *guideline* says which service belongs where; so the
# truth is known.

# %%
clear = annotation.areas(0)
truth, answers = clear.meant(kinds), clear.meant(test_kinds)
print(*(f"{kind} → {clear.classes[label]}" for kind, label in zip(
    kinds[:6], truth[:6], strict=True)), sep="\n")

# %% [markdown]
# Now let the guideline be wrong about five services; and for the control, as many labels wrong at random. **Predict.** Which
# costs more on the true areas of other paragraphs?

# %%
wrong = clear.misread(5, seed=0)
ruled, rule = wrong.meant(kinds), wrong.meant(test_kinds)
noise = annotation.flipped(truth, int((ruled != truth).sum()), len(clear.classes))
concerned = rule != answers  # what the wrong rule gets wrong
found = {}
for arm, labels in {"true": truth, "at random": noise, "by a rule": ruled}.items():
    said = train.bag_of_words(texts, labels.tolist()).predict(tests)
    found[arm] = {"labels": arm, "wrong labels": (labels != truth).mean(),
                  "right": (said == answers).mean(),
                  "as the rule": (said == rule)[concerned].mean()}
show.table(list(found.values()), formats=dict.fromkeys(
    ("wrong labels", "right", "as the rule"), ".0%"))

# %%
course.claim("L1", treatment=found["by a rule"]["as the rule"],
             control=found["at random"]["as the rule"])

# %%
course.claim("L1", metric="bag of words: right on the test",
             treatment=found["at random"]["right"], control=found["by a rule"]["right"])

# %% [markdown]
# Random mistakes point everywhere and partly cancel; a wrong rule is learnt as if it were true. No test whose labels follow
# the same rule will notice.

# %% [markdown]
# > **Exam words.** *Supervised data must be labelled right.* This is why; how to find what is wrong among labels that you have
# > already was lesson 07 (claim D6).

# %%
course.claim("D4", treatment=found["true"]["right"],
             control=found["by a rule"]["right"])

# %%
show.seeds(course.ledger("L1", "bag of words: right on the test")["arms"],
           control="wrong by a rule", unit="right on the test")

# %% [markdown]
# ## Do they agree?
# Annotators here are **simulated**: real ones cost money, and only with a known truth can mistakes be counted. Five careful
# people; the guideline leaves some services open, and each decides those privately.

# %%
vague, careful, some = annotation.areas(8), annotation.crew()[:5], kinds[:600]
classes = len(clear.classes)
first = annotation.annotate(vague.read_by(5, some), careful, classes)
wide = evaluate.ratings(first)  # a row an item, a column an annotator
show.table(wide.head(4).map(lambda label: clear.classes[label]))

# %% [markdown]
# ### The raw idea: Cohen's kappa
# Two people agree by chance, too. *Kappa* is the agreement beyond chance: 1 is perfect, 0 is chance.

# %%
def kappa(one, other):
    """Agreement of two annotators beyond what their habits would give."""
    one, other = np.array(one), np.array(other)
    chance = sum((one == k).mean() * (other == k).mean() for k in set(one))
    return ((one == other).mean() - chance) / (1 - chance)


ada, ben = wide["careful 1"], wide["careful 2"]
print(f"the same {(ada == ben).mean():.2f}, by hand {kappa(ada, ben):.4f}, "
      f"the library {evaluate.cohen_kappa(ada.tolist(), ben.tolist()):.4f}")

# %% [markdown]
# **Predict.** The same people, equally careful, with a guideline that decides: how much more will they agree?

# %%
second = annotation.annotate(clear.read_by(5, some), careful, classes)
agree = {name: evaluate.agreement(table).set_index("measure")["value"]
         for name, table in {"vague": first, "clear": second}.items()}
show.table(pd.DataFrame(agree), formats={"vague": ".2f", "clear": ".2f"})

# %%
alpha = "Krippendorff's alpha"
course.claim("L2", treatment=agree["clear"][alpha], control=agree["vague"][alpha])

# %% [markdown]
# *Fleiss's kappa* and *Krippendorff's alpha* do the same for more than two; alpha also when labels are missing. Where do they
# disagree? That is the list of questions for whoever owns the data:

# %%
show.table(annotation.disputed(first, some).head(6), formats={"disagree": ".0%"})

# %% [markdown]
# Agreement is not truth: all can be wrong together. But it needs no truth to be measured, and low agreement is a sure sign.

# %%
show.seeds(course.ledger("L2", "labels that are right")["arms"],
           control="vague guideline", unit="labels that are right")

# %% [markdown]
# ## Label some yourself
# Thirty real paragraphs, each twice, in two orders: how consistent are *you*? In a running notebook click a class, or type its
# number into the field "Key"; `u` takes back. Each label is saved, so you may go on another day.

# %%
chosen = list(range(0, 600, 20))
box = show.label([texts[i] for i in chosen], clear.classes,
                 [int(truth[i]) for i in chosen])
box

# %% [markdown]
# Run the next cell when you are done. Before that, a **simulated** annotator stands in, and the table says so.

# %%
mine = box if box.done else box.simulate()
mine.result()

# %% [markdown]
# Labels leave as a *manifest*, one JSON object a line, in the form of SageMaker Ground Truth; and come back. Confidence is 0
# where one person labelled alone, whoever it was: so does Ground Truth.

# %%
place = mine.manifest(Path(tempfile.mkdtemp()) / "mine.manifest")
print(place.read_text().splitlines()[0][-260:])
show.table(annotation.read_manifest(place).head(3).assign(
    text=lambda table: table["text"].str[:60]))

# %% [markdown]
# ## Three heads, or one?
# Nine simulated annotators: five careful, and one each who is biased, tires, drifts, or does not read at all. Some paragraphs
# are harder than others (by lot).

# %%
crew, money = annotation.crew(), 2400
hard = np.random.default_rng(0).beta(1, 4, len(truth))


def bought(items, each):
    """Labels of the first so many items, so many an item."""
    return annotation.annotate(truth[:items], crew, classes, each=each,
                               difficulty=hard[:items])


single, three = bought(money, 1), bought(money // 3, 3)
print(f"{len(single)} labels of {money} items, {len(three)} of {money // 3}")

# %% [markdown]
# ### The raw idea: vote
# **Predict.** Same money: one label each for all, or three each for a third. Whose labels are right more often?

# %%
by_hand = three.groupby("item")["label"].apply(
    lambda own: Counter(own).most_common(1)[0][0])
library, alone = (annotation.majority(some, classes) for some in (three, single))
print(f"right: one {alone.right(truth):.3f}, by hand "
      f"{(by_hand == truth[by_hand.index]).mean():.3f}, "
      f"the library {library.right(truth):.3f}")

# %%
course.claim("L3", treatment=library.right(truth), control=alone.right(truth))

# %% [markdown]
# ### The raw idea: Dawid and Skene
# A majority counts the one who does not read like everybody else. But who often contradicts the others is probably wrong. So
# take turns: given the labels, what does each annotator confuse? Given that, what are the labels? Ground Truth consolidates
# classes by a variant of this *expectation-maximisation*.

# %%
def dawid_skene(table, rounds=60):
    """Likeliest labels, and each annotator's confusion matrix (class, label)."""
    item, said = table["item"].to_numpy(), table["label"].to_numpy()
    who, names = pd.factorize(table["annotator"], sort=True)
    votes = np.zeros((item.max() + 1, classes))
    np.add.at(votes, (item, said), 1)
    belief = votes / votes.sum(axis=1, keepdims=True)
    for _ in range(rounds):
        confusion = np.ones((len(names), classes, classes))
        np.add.at(confusion, (who, slice(None), said), belief[item])
        confusion /= confusion.sum(axis=2, keepdims=True)
        log = np.tile(np.log(belief.mean(axis=0)), (len(belief), 1))
        np.add.at(log, item, np.log(confusion[who, :, said]))
        belief = np.exp(log) / np.exp(log).sum(axis=1, keepdims=True)
    return belief.argmax(axis=1), dict(zip(names, confusion, strict=True))


# %%
ours, confusion = dawid_skene(three)
model = annotation.dawid_skene(three, classes)
same = (ours == model.items["label"]).mean()
by_hand = (ours == truth[:len(ours)]).mean()
print(f"right: majority {library.right(truth):.3f}, by hand {by_hand:.3f}, "
      f"the library {model.right(truth):.3f}; the two agree on {same:.1%}")

# %% [markdown]
# It also graded the annotators, without knowing any truth. **Predict.** Who comes last?

# %%
show.table(model.skill().rename_axis("annotator").reset_index(),
           formats={"skill": ".2f"})

# %% [markdown]
# ### An expert for the rest
# An expert (simulated: the truth) costs five labels a look, and looks at the tenth of the items that were most disputed. All
# arms cost the same, so this one has fewer items.

# %%
items = int(money / (3 + 0.1 * 5))
fewer = annotation.majority(bought(items, 3), classes)
reviewed = annotation.review(fewer, truth, items // 10, price=5)


def learnt_from(rows, labels, expected):
    """Share of the test that is right after these paragraphs."""
    taught = train.bag_of_words([texts[i] for i in rows], labels)
    return float((taught.predict(tests) == expected).mean())


# %%
table = []
for name, one in {"one annotator": alone, "majority": library, "Dawid-Skene": model,
                  "majority, reviewed": reviewed}.items():
    rows, share = one.items["item"], one.right(truth)
    table.append({"labels from": name, "items": len(rows), "right labels": share,
                  "price of one": one.cost / share / len(rows),
                  "learnt": learnt_from(rows, one.items["label"], answers)})
show.table(table, formats={
    "right labels": ".1%", "price of one": ".2f", "learnt": ".2f"})

# %%
course.claim("L3", metric="majority, disputed ones reviewed / majority of three",
             treatment=reviewed.right(truth), control=library.right(truth))

# %% [markdown]
# *Price*: labels paid for a right one. *Learnt*: right on the test, after these labels. Read both: three labels an item make
# labels better and dearer, and more items with worse labels may teach as much or more. A *test* set needs the better labels.

# %%
show.seeds(course.ledger("L3", "labels that are right")["arms"],
           control="one annotator", unit="labels that are right")

# %% [markdown]
# ## In rounds
# A guideline is never finished at a desk. Label a small *pilot*, look at what is disputed, decide, label that part anew, go
# on. **Predict.** Is the pilot worth its price? Both ways buy the same number of labels, three an item.

# %%
def buy(guideline, rows, seed):
    """Three labels of each of these items, as the guideline is read."""
    held = guideline.read_by(5, [kinds[i] for i in rows])
    table = annotation.annotate(held, careful, classes, each=3, seed=seed)
    return table.assign(item=np.array(rows)[table["item"]])


pilot = buy(vague, range(120), seed=0)
doubts = annotation.disputed(pilot, kinds).query("disagree > 0.4")["kind"].tolist()
better = vague.settled(doubts)
print("asked about:", *doubts, "\nreally open:", *vague.open)

# %%
again = [i for i in range(120) if kinds[i] in doubts]
anew = buy(better, again, seed=1)
rest = buy(better, range(120, 600 - len(again)), seed=2)
at_once = buy(vague, range(600), seed=0)
assert len(pilot) + len(anew) + len(rest) == len(at_once)  # the same price
in_rounds = pd.concat([pilot[~pilot["item"].isin(again)], anew, rest])
share = {name: annotation.majority(table, classes).right(truth)
         for name, table in {"in rounds": in_rounds, "at once": at_once}.items()}
course.claim("L4", treatment=share["in rounds"], control=share["at once"])

# %% [markdown]
# ### What to label next
# Rounds have a second use: ask the model what it is least sure of (*active learning*). *Unsure* means: its two likeliest
# classes are nearly equally likely.

# %%
def least_sure(chances, count):
    """The rows whose two likeliest classes are closest."""
    second, first = np.sort(chances, axis=1)[:, -2:].T
    return np.argsort(first - second, kind="stable")[:count].tolist()


# %%
pool = faded(truth.tolist(), 0.5, seed=0)  # of each area half as many as of the next


def teach(rows):
    own = [pool[i] for i in rows]
    return train.bag_of_words([texts[i] for i in own], truth[own].tolist())


def doubt(model, rows):
    return model.predict_proba([texts[pool[i]] for i in rows])


model = teach(range(40))
rows = list(range(40, len(pool)))
assert least_sure(doubt(model, rows), 9) == annotation.least_sure(doubt(model, rows), 9)

# %% [markdown]
# **Predict.** As many labels, chosen so or at random. Nobody has balanced the pool, some areas are rare; the test has all of
# them.

# %%
points = []
for arm, choose in {"least sure next": doubt, "at random": None}.items():
    for labels, model in annotation.in_rounds(len(pool), teach, choose, start=40,
                                              batch=40, budget=min(280, len(pool))):
        points.append({"arm": arm, "labels": len(labels),
                       "share right": (model.predict(tests) == answers).mean()})
show.learning_curves(points, y="share right")

# %% [markdown]
# One run is a draw of lots. Over seeds:

# %%
rounds = course.ledger("L4", "bag of words: right on the test, mean over rounds")
show.seeds(rounds["arms"], control="at random", unit="share right, mean over rounds")

# %% [markdown]
# What a model chose is no fair sample any more: draw the *test* at random, apart. And in a pool that is balanced already,
# there is less to find.

# %% [markdown]
# ## The data at hand is not the data in use
# A filter for pre-training text: encyclopaedia, or literature? For examples of literature we take the book that is at hand.
# In use, half of the literature is plays.

# %%
pool, test = filtered["train"], filtered["test"]
origin = np.array(pool["source"][:])
plays, bible = (np.flatnonzero(origin == name).tolist()
                for name in ("shakespeare", "web-bible"))
prose = [i for i in range(len(pool)) if origin[i] not in ("shakespeare", "web-bible")]
own = prose[:384] + bible[:365] + plays[:19]  # what was easy to get
sets = {"as in use": prose[:384] + bible[:192] + plays[:192], "one slice": own,
        "and more of it": own + bible[365:429], "and a few plays": own + plays[19:83]}

# %% [markdown]
# **Predict.** All sets are of about the same size. How much does the slice lose, and what do a few plays mend?

# %%
def graded(rows, weights=None):
    """Share right: all of the test, its plays."""
    rows = pool.select(rows)
    taught = train.bag_of_words(rows["text"][:], rows["label"][:], weights)
    right = taught.predict(test["text"][:]) == np.array(test["label"][:])
    on_plays = right[np.array(test["source"][:]) == "shakespeare"]
    return float(right.mean()), float(on_plays.mean())


# %%
table = {name: graded(rows) for name, rows in sets.items()}
shares = {"prose": 0.5, "web-bible": 0.25, "shakespeare": 0.25}
weights = data.strata_weights(
    [origin[i] if origin[i] in shares else "prose" for i in own], shares)
table["one slice, reweighted"] = graded(own, weights)
show.table([{"taught on": name, "right": f"{all_:.1%}", "on plays": f"{some:.1%}"}
            for name, (all_, some) in table.items()])

# %%
course.claim("R1", treatment=table["as in use"][0], control=table["one slice"][0])

# %%
arms = "one slice and a few of the rest / one slice and as many more of it"
course.claim("R1", metric=arms, treatment=table["and a few plays"][0],
             control=table["and more of it"][0])

# %% [markdown]
# *Reweighting* makes the few plays that are there count more. It costs no labels, and cannot show what is not there: the
# weighted set says as much as a smaller one.

# %%
print(f"{len(own)} weighted sentences say as much as "
      f"{data.effective_size(weights):.0f}")

# %% [markdown]
# ### A warning before the errors
# *Drift* statistics need no labels: do the texts that arrive look like those we taught? The *population stability index* (PSI)
# of the lengths, by hand:

# %%
met = [pool["text"][i] for i in prose[384:768] + bible[-192:] + plays[-192:]]
taught = [pool["text"][i] for i in own]
lengths = [np.array([len(text.split()) for text in some]) for some in (taught, met)]
inner = np.quantile(lengths[0], np.linspace(0, 1, 11)[1:-1])
p, q = (np.bincount(np.searchsorted(inner, some), minlength=10) / len(some)
        for some in lengths)
print(f"by hand {((p - q) * np.log(p / q)).sum():.4f}, "
      f"the library {data.psi(*lengths):.4f}")

# %% [markdown]
# **Predict.** Lengths, words, or a classifier that tries to tell the two apart: which sees the drift?

# %%
seen = data.drift(taught, met, train.bag_of_words, shuffles=10)
show.table(seen, formats={"value": ".3f", "chance": ".3f"},
           caption="one slice against what is met")

# %% [markdown]
# *Chance* is what two samples of one distribution show in most draws; without it no value says anything. A classifier's AUC
# of 0.5 is a coin.

# %%
show.seeds(course.ledger("R1", "right on the real distribution")["arms"],
           control="one slice", unit="right on the real distribution")

# %% [markdown]
# ## Alike or different
# Which service is a paragraph about, again. Three sets of the same size, with as many of each service: spread over all kinds
# of paragraphs, drawn at random, or close neighbours.

# %%
points = data.text_vectors(texts)
assigned = data.clusters(points, 128)
n = 384
chosen = {"diverse": data.diverse(points, n, by=kinds), "at random": list(range(n)),
          "narrow": data.narrow(points, n, by=kinds)}

# %% [markdown]
# *Coverage*: of all clusters of texts, in how many does the set have one? **Predict.** It is known before training. Will the
# score follow it?

# %%
covered = {name: len(set(assigned[rows])) / len(set(assigned))
           for name, rows in chosen.items()}
assert covered["narrow"] == data.coverage(assigned, chosen["narrow"]).hit
spread = {name: learnt_from(rows, [kinds[i] for i in rows], test_kinds)
          for name, rows in chosen.items()}
show.table([{"set": name, "clusters covered": f"{covered[name]:.0%}",
             "Vendi score": f"{data.vendi(points[chosen[name]]):.0f}",
             "right": f"{spread[name]:.1%}"} for name in chosen])

# %%
course.claim("R2", treatment=spread["diverse"], control=spread["narrow"])

# %% [markdown]
# The *Vendi score* counts how many wholly different texts would be as diverse. Is it diversity, or are diverse texts only
# longer? The ledger asks which of the two goes with the score.

# %%
show.seeds(course.ledger("R2", "rank correlation with the score")["arms"],
           control="characters read", unit="rank correlation with the score")

# %% [markdown]
# ## What nobody sends in a tidy set
# *Edge cases*: capitals, typing errors, HTML, an order to ignore the question, nothing at all. A suite makes them of labelled
# texts (simulated), so the right answers are known. For what means nothing the right answer is "none of these".

# %%
tidy, spare = (labelled["train"].select(rows) for rows in (range(504), range(504, 900)))
foreign, nothing = other_languages(8 + 72, seed=0), 24
names = sorted(set(kinds))
usual = labelled["test"].select(range(72))
suite = data.edge_cases(usual, nothing, foreign[8:], 0, names)
made = data.edge_cases(spare.select(range(8)), nothing, foreign[:8], 1, names)
made = made.filter(lambda row: row["slice"] != "ordinary")
show.table([{"slice": row["slice"], "text": repr(row["text"][-70:])} for row in suite
            if row["row"] == 0])

# %% [markdown]
# **Predict.** A classifier taught on tidy paragraphs: where will it fail, and what will eight of each kind mend?

# %%
def answers_after(extra):
    """What is said of the suite, taught on the tidy set and some more."""
    return by_words(tidy["text"][:] + extra["text"][:],
                    tidy["label"][:] + extra["label"][:], suite["text"][:])


said = {"tidy": answers_after(tidy.select([])), "and edge cases": answers_after(made),
        "and ordinary ones": answers_after(spare.select(range(8, 8 + len(made))))}
graded = {name: evaluate.slice_rates(own, suite["label"][:], suite["slice"][:])
          for name, own in said.items()}
show.table(evaluate.slice_change(graded["tidy"], graded["and edge cases"]), formats={
    "before": ".0%", "after": ".0%", "change": "+.0%"})

# %%
blank = ["empty", "only spaces", "other language"]
some, none = (graded[name].set_index("slice")["accuracy"][blank].mean()
              for name in ("and edge cases", "and ordinary ones"))
course.claim("R3", treatment=some, control=none)

# %% [markdown]
# An average over all would have hidden it: *evaluate by slice*. The answer "none of these" can only be learnt where it is in
# the data; no number of ordinary examples teaches it.

# %% [markdown]
# But some disguises got *worse*. **Predict.** Why? A hint: the edge cases were made from eight records.

# %%
own = set(made["label"][:]) - {nothing}
html = [i for i, name in enumerate(suite["slice"][:]) if name == "HTML"]
print(f"HTML texts that are given to one of those {len(own)} services:")
for name, answer in said.items():
    print(f"  {name}: {np.mean([answer[i] in own for i in html]):.0%}")

# %% [markdown]
# A bag of words passed over tags as long as it knew none. Now it has seen them with a few labels only, and takes them for a
# sign of those: a *shortcut*. The ledger made its cases from a record of *every* service. Very long texts, and the price that
# ordinary ones pay:

# %%
show.seeds(course.ledger("R3", "right on very long texts")["arms"],
           control="as many ordinary ones, by words", unit="right on very long texts")

# %%
show.seeds(course.ledger("R3", "right on ordinary texts")["arms"],
           control="before, by words", unit="right on ordinary texts")

# %% [markdown]
# ## Bias
# The filter again, now on sentences about a man or a woman. Texts and labels are real; the **bias is simulated**: fewer
# sentences about women were collected, and half of the good ones were labelled bad.

# %%
parts = data.people(0)
biased = data.with_biased_labels(parts["train"])
equal = parts["train"].select(range(len(biased)))
labels, facet = np.array(biased["label"][:]), np.array(biased["facet"][:])
counts = pd.crosstab(facet, labels, rownames=["about"], colnames=["label"])
show.table(counts.reset_index())

# %% [markdown]
# ### Before training: eight metrics
# SageMaker Clarify has eight *pre-training bias metrics*. Two of them by hand: *class imbalance* (CI), who is there how
# often; *difference in proportions of labels* (DPL), who gets the good label how often.

# %%
he, she = facet == "he", facet == "she"
print(f"CI {(he.sum() - she.sum()) / len(facet):.3f}, "
      f"DPL {labels[he].mean() - labels[she].mean():.3f}")

# %%
length = pd.qcut([len(text) for text in biased["text"][:]], 4, labels=False)
report = data.bias_report(labels, facet, "she", groups=length.tolist())
show.table(report[["metric", "name", "value", "reading"]], formats={"value": ".3f"})

# %% [markdown]
# KL, JS, LP, TVD and KS compare whole distributions of labels; CDD looks within groups of like records, here of like length.
# **Predict.** How many of the eight are above what chance gives, in this set and in an unbiased one?

# %%
alarm = {name: detected(rows, draws=60, seed=0)[1]
         for name, rows in {"biased": biased, "unbiased": equal}.items()}
course.claim("R4", treatment=alarm["biased"], control=alarm["unbiased"])

# %% [markdown]
# A metric says that labels differ, never whether they should.

# %% [markdown]
# ### After training: swap
# *Counterfactual*: the same sentence about somebody else. Whatever the filter then decides otherwise, it decides for that
# reason alone.

# %%
show.table([{"as it is": text, "swapped": data.swapped([text])[0]} for text in (
    "She was the first to cross it, and wrote to her brother.", "HE did not answer.")])

# %% [markdown]
# **Predict.** Three ways to mend it without new labels: weights that make label and sex independent (*reweighing*),
# *resampling* to the same end, and a swapped copy of every record under the same label. Which helps, and what does it cost?

# %%
said, given = biased["text"][:], biased["label"][:]
drawn = biased.select(data.resampled(given, facet))
ways = {"unbiased": (equal["text"][:], equal["label"][:]), "biased": (said, given),
        "reweighed": (said, given, data.reweighing(given, facet)),
        "resampled": (drawn["text"][:], drawn["label"][:]),
        "with swapped copies": (said + data.swapped(said, PRONOUNS), given + given)}

# %%
test, sex = parts["test"]["text"][:], np.array(parts["test"]["facet"][:])
true, rows = np.array(parts["test"]["label"][:]), {}
apparent = np.array(data.with_biased_labels(parts["test"], collected=1.0)["label"][:])
for name, way in ways.items():
    taught = train.bag_of_words(*way)
    kept = taught.predict(test)
    swap = evaluate.swap_test(lambda some, one=taught: one.predict_proba(some)[:, 1],
                              test, PRONOUNS)
    rows[name] = {"taught on": name, "flips": swap["value"][0],
                  "he − she": kept[sex == "he"].mean() - kept[sex == "she"].mean(),
                  "right": (kept == true).mean(),
                  "seems right": (kept == apparent).mean()}
show.table(list(rows.values()), formats={
    "flips": ".1%", "he − she": "+.1%", "right": ".1%", "seems right": ".1%"})

# %% [markdown]
# *Flips*: decisions that a swap changes. *He − she*: share of the sentences kept. *Seems right*: by labels as biased as those
# of the training set, which is all that practice has. By the truth mending pays; by those labels hardly anything has happened,
# so they are no reason to leave it. Its price: copies double the text, and weighted records count as fewer:

# %%
print(f"{len(said):,} weighted records say as much as "
      f"{data.effective_size(data.reweighing(given, facet)):,.0f}")

# %%
flips = "decisions that a swap changes"
course.claim("R4", metric=flips, treatment=rows["biased"]["flips"],
             control=rows["unbiased"]["flips"])

# %%
course.claim("R4", metric="with swapped copies / biased",
             treatment=rows["with swapped copies"]["flips"],
             control=rows["biased"]["flips"])

# %%
show.seeds(course.ledger("R4", flips)["arms"], control="biased", better="lower",
           unit=flips)

# %% [markdown]
# And the base? It has read old books. How much likelier does it find "he" than "she", in bits?

# %%
bits = evaluate.swap_bits(base, data.templates())
jobs = bits.assign(job=bits["text"].str.extract(r"[Tt]he (\w+)")).groupby("job")["bits"]
show.table(jobs.mean().sort_values().reset_index().iloc[[0, 1, 2, -3, -2, -1]],
           formats={"bits": "+.2f"})

# %% [markdown]
# ## Years pass
# Whose documentation is it, in AWS's releases of five Novembers? Services come, texts are rewritten. Real texts, real time;
# that questions come about all services alike is an assumption.

# **Predict.** A set of the first year, never refreshed: how much is lost by the last? And a set of the last year, no larger?

# %%
first, last = 2022, 2026
yearly = data.yearly_paragraphs(0, years=(first, last))
size = min(len(yearly[year]["train"]) for year in yearly)
score = {}
for year, parts in yearly.items():
    own = parts["train"].select(range(size))
    taught = train.bag_of_words(own["text"][:], own["label"][:])
    score[year] = {f"on {test}": taught.score(yearly[test]["test"]["text"][:],
                                              yearly[test]["test"]["label"][:])
                   for test in yearly}
show.table([{"taught on": str(year), **score[year]} for year in yearly],
           formats={f"on {year}": ".0%" for year in yearly})

# %%
course.claim("R5", treatment=score[last]["on 2026"], control=score[first]["on 2026"])

# %% [markdown]
# Part of the loss are services that did not exist: no model answers what it has no label for. With all five releases:

# %%
details = course.ledger("R5")["details"]
show.table([{"release": str(year), **{
    name: f"{np.mean([seed['curves'][name][i] for seed in details]):.0%}"
    for name in details[0]["curves"]}} for i, year in enumerate(details[0]["years"])],
    caption="right, mean over seeds")

# %%
entry = course.ledger("R5", "right on the last release")
show.seeds(entry["arms"], control="never refreshed", unit="right on the last release")

# %% [markdown]
# *As many old ones added* is the control of *as many new ones added*: more data of the past does not do it. Refreshing is a
# date in a calendar, not a reaction to complaints.

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers(), rows=60)

# %% [markdown]
# ## What the exam asks
# - *Training loss is near 0, validation loss rises.* Overfitting: more, and more varied, examples; fewer epochs.
# - *Annotators disagree about the same items.* Mend the guideline first, then several annotators and a consensus.
# - *A labelling budget is short.* Label a pilot, then what the model is least sure of (*active learning*).
# - *A model does well in tests and badly for users in one region.* The data does not represent them: collect, evaluate by
#   slice.
# - *One group gets the good outcome less often in the training data.* Pre-training bias metrics, such as DPL (SageMaker
#   Clarify).

# %% [markdown]
# > **Today** (November 2026). Older notes name SageMaker *Ground Truth* (labelling), *Clarify* (bias), *Model Monitor* (drift)
# > and *A2I* (human review). AWS says of all four that they are no longer open to new customers; the exam guide added Clarify
# > in 2026 all the same. AWS tells users to compute Clarify's metrics with pandas or scikit-learn, as above. Mechanical Turk
# > was to close on 30 September 2026.

# %% [markdown]
# > Older notes want "petabytes" for pre-training; curated text is tens of terabytes: FineWeb, 15 trillion tokens, is 44 TB.
# > And "a few hundred examples" for fine-tuning: Bedrock's least numbers are 8 (Nova), 32 (Claude 3 Haiku, retired in
# > September 2026) and 100 (Llama). A least number is what a job accepts, not what is enough.

# %% [markdown]
# ## Yours to try
# Label the thirty paragraphs and compare your kappa with the simulated one. Or set `crew = annotation.crew()[:5]`, careful
# people all: what do a majority, and Dawid and Skene's model, still gain? Then on to lesson 10.
