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
#     minutes_cpu: 4
#     minutes_gpu: 4
# ---

# %% [markdown]
# # 09 · Data: size, labelling, representativeness
# **Question:** how many examples are enough, who says what they mean, and do they look like what the model will meet?
#
# Claims S1, S2, S3, L1, L2, L3, L4, D4, R1, R2, R3, R4, R5 · about 4 minutes on two CPU cores, 4 on a GPU · after lesson 08

# %% [markdown]
# > **Exam words.** *Size*: fine-tuning needs far less data than pre-training; too little *overfits*. *Labelling*:
# > guidelines, several annotators, *quality control*, in rounds. *Representativeness*: the data mirrors real use;
# > *diversity*, *edge cases*, *bias*, regular *refreshing*. The exam lists *RLHF*, learning from what people prefer, under
# > data preparation too: it comes in lesson 10.

# %%
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

import fmcourse as fm
from fmcourse import data, evaluate, models, show, train
from fmcourse.data import annotation
from fmcourse.data.swaps import JOBS, PRONOUNS
from fmcourse.evidence.experiments.fair import OTHERS, detected
from fmcourse.evidence.experiments.label_rounds import faded
from fmcourse.evidence.experiments.overfit import conversations
from fmcourse.evidence.experiments.unusual import other_languages

# %%
course = fm.start("09", claims=["S1", "S2", "S3", "L1", "L2", "L3", "L4", "D4",
                                "R1", "R2", "R3", "R4", "R5"])
base = models.load("base")

# %% [markdown]
# Three parts, with room for a pause between them: size, labels, representativeness.

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
tuned, fitted = {}, {}
for count in (few, many):
    taken = data.sample(pairs, count, 0)
    known = data.sample(taken, 32, 0)

    def surprise(model, share, known=known):
        """Bits per byte of answers that are taught, and of those that are not."""
        return {"training": evaluate.reply_bits_per_byte(model, known),
                "validation": evaluate.reply_bits_per_byte(model, asked)}

    run = train.instruct(base, taken, recipe, name=f"{count} pairs", observe=surprise,
                         observe_at=(0.02, 0.05, 0.1, 0.25, 1), show_progress=False)
    tuned[count], last = run, run.observations.iloc[-1]
    fitted[count] = {
        "pairs": count, "times read": run.metrics["epochs"],
        "own answers": last["training"], "new answers": last["validation"],
        "gap": last["validation"] - last["training"],
        "by heart": evaluate.recited(run.model, known).mean()}

# %%
show.table(list(fitted.values()), formats={
    "times read": ".1f", "own answers": ".2f", "new answers": ".2f", "gap": ".2f",
    "by heart": ".0%"}, caption="bits per byte, and answers known word for word")

# %% [markdown]
# *Overfitting*: what was read so often is known word for word, and new answers surprise the model more. A loss near 0 on
# training data says nothing about use. The gap, and the surprise at new answers alone:

# %%
course.claim("S2", treatment=fitted[few]["gap"], control=fitted[many]["gap"])

# %%
course.claim("S2", metric="bits per byte of unseen replies",
             treatment=fitted[many]["new answers"], control=fitted[few]["new answers"])

# %% [markdown]
# The exam shows it as a picture: training loss falls, validation loss rises. Here it is, for the eight. **Predict.** After
# how many passes should one have stopped?

# %%
path = tuned[few].observations.melt("share", ["training", "validation"], "answers",
                                    "bits")
path["times read"] = (path["share"] * fitted[few]["times read"]).round(1)
show.learning_curves(path, x="times read", y="bits", group="answers",
                     title=f"{few} pairs: bits per byte")

# %% [markdown]
# Fewer passes, then? **Predict.** Each pair read once only: what do eight pairs teach? The ledger has both ways, from few
# pairs to very many.

# %%
s2 = course.ledger("S2")["details"]
learnt = pd.DataFrame([row for seed in s2 for row in seed["rows"]])
learnt = learnt.rename(columns={"examples": "pairs",
                                "bits per byte of unseen replies": "bits per byte"})
show.learning_curves(learnt[learnt["regime"] != "stopped early"], x="pairs",
                     y="bits per byte", group="regime",
                     title="surprise at unseen answers")

# %% [markdown]
# A small set has two ways to fail: read often it is learnt by heart, and new answers surprise ever more; read once it
# teaches little (*underfitting*), as the base before any tuning shows. *Early stopping* softens the first way; it does not
# replace examples. Nor do more of them help than can be read in so many steps:

# %%
untuned = np.mean([seed["untuned"] for seed in course.ledger("S2")["details"]])
print(f"before any tuning: {untuned:.2f} bits per byte of unseen answers")
wanted = {("as many steps", learnt["pairs"].min()): "read over and over",
          ("stopped early", learnt["pairs"].min()): "stopped early",
          ("each pair once", learnt["pairs"].min()): "each once",
          ("each pair once", many): "each once",
          ("as many steps", learnt["pairs"].max()): "read in part"}
endings = {f"{count:,} pairs, {how}": learnt.query(
    "regime == @regime and pairs == @count")["bits per byte"].tolist()
    for (regime, count), how in wanted.items()}
show.seeds(endings, better="lower", unit="bits per byte of unseen answers")

# %% [markdown]
# ## What is that beside pre-training?
# The base was pre-trained by the same loop on the same kind of machine. **Predict.** How many fine-tunings like those above
# cost as much?

# %%
ratio = base.card["cost"]["flops"] / tuned[many].cost.flops
print(f"pre-training cost as much computing as {ratio:,.0f} such fine-tunings")

# %% [markdown]
# That is accounting. The question is whether so little is *enough*, and why. So: the style of a house, which prescribes how
# an answer opens, closes, and what it may not say. The base learns it from a few examples; and so does the same network
# *without* pre-training. **Predict.** Which share of new answers keeps all rules, either way?

# %%
voice = data.house_style(0)
styled = data.sample(voice["train"], 128, 0)
questions = data.sample(voice["test"], 12, 0)
print(styled[0]["prompt"], styled[0]["completion"], sep="\n→ ")

# %%
brief = train.InstructRecipe(epochs=1, least_steps=30, batch_tokens=512)
kept_rules = {}
for name, start in {"base": base, "from scratch": models.untrained(base, 0)}.items():
    pupil = train.instruct(start, styled, brief, name=name, show_progress=False).model
    replies = models.replies(pupil, questions["prompt"][:], tokens=80)
    rates = evaluate.style_rates(replies, questions).set_index("measure")["rate"]
    kept_rules[name] = rates["all rules"]
    print(f"{name}: {kept_rules[name]:.0%} keep all rules\n  {replies[0][:120]!r}")

# %% [markdown]
# The same examples, the same steps, the same network: what differs is what it had read before.

# %%
course.claim("S1", metric="unseen questions: all rules kept",
             treatment=kept_rules["base"], control=kept_rules["from scratch"])

# %% [markdown]
# Few examples are enough *because* somebody paid for the many. The ledger counts what a fine-tune reads until it keeps the
# rules nearly as well as it ever will:

# %%
volume = course.ledger("S1", "characters of text")["arms"]
show.table([{"what": name, "characters": np.mean(volume[name])} for name in volume],
           formats={"characters": ",.0f"})

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
for task in (filtered, labelled):
    print(task["train"][1]["label"], "·", task["train"][1]["text"])

# %% [markdown]
# From here on a *bag of words* does most of the learning: a linear classifier that sees which words a text has, not their
# order. In a course on foundation models? For sorting paragraphs it is the best learner we have, and it is taught in a
# second, so what *data* does can be tried again and again. The ledger asks features of the base beside it.
#
# **Predict.** It learns both tasks. Which of the two curves will be flat first?

# %%
sizes = [24, 48, 96, 192, 384, 768, 1536]
curves = []
for task, parts in {"2 sources": filtered, "24 services": labelled}.items():
    for size in sizes:
        part = parts["train"].select(range(size))
        bag = train.bag_of_words(part["text"][:], part["label"][:])
        share = bag.score(parts["test"]["text"][:], parts["test"]["label"][:])
        curves.append({"task": task, "labels": size, "share right": share})
show.learning_curves(curves, y="share right", group="task")

# %% [markdown]
# ### The raw idea: a plateau
# Many such curves follow `score = plateau − a · n^−b`. For a given `b` that is a straight line in `n^−b`: so try many `b`,
# keep the best. **Predict.** Whose plateau can be told from these points?

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
measured = {task: [row["share right"] for row in curves if row["task"] == task]
            for task in ("2 sources", "24 services")}
for task, scores in measured.items():
    curve = evaluate.fit_plateau(sizes, scores, limit=1)
    low, high = evaluate.plateau_interval(sizes, scores, limit=1)
    top, needed = plateau(sizes, scores)
    print(f"{task}\n  by hand: plateau {top:.3g}, 90 % of it with {needed:,.0f}"
          f"\n  the library: {curve}\n  95 % interval {low:,.0f} to {high:,.0f}")

# %% [markdown]
# The library's fit lets single bad points pull less, and says how unsure it is. Where a curve is still rising, its plateau
# is a guess, and the interval shows it: measure further before you plan on it.

# %% [markdown]
# So read a number off the curve instead: the examples until a third is right. Two tasks on our base: answers in the style
# of the house, and one of 24 labels for a paragraph. The labels are told by a linear head on the base, the answers by
# tuning all of it: part of the difference is the learner's. **Predict.** Which takes fewer examples, and how many times
# fewer?

# %%
from fmcourse.evidence.experiments.enough import label_curve, needed, style_curve

steps = 32 if course.scale.enforce else 1
curves = {"a format": style_curve(voice, (8, 32, 128), steps, 0, 24, base),
          "one of 24 labels": label_curve(labelled, (32, 128, 512, 2048), base)}
until = {task: needed(rows) for task, rows in curves.items()}
print({task: f"{count:,.0f} examples" for task, count in until.items()})
course.claim("S3", metric="a format / one of 24 labels", treatment=until["a format"],
             control=until["one of 24 labels"])

# %% [markdown]
# The ledger has a third task, to name the service that a request needs, and up to two thousand examples. **Predict.** Where
# does it stand?

# %%
third = course.ledger("S3")
s3 = pd.DataFrame([row for seed in third["details"] for row in seed["rows"]])
s3 = s3.rename(columns={"score": "share right"})
show.learning_curves(s3[s3["start"] == "base"], x="examples", y="share right",
                     group="task", title="on what is new, from our base")

# %%
show.seeds(third["arms"], control="one of 24 labels", better="lower",
           unit=third["metric"])

# %% [markdown]
# A task that never gets a third right counts as its largest set and needs more: read its number as "at least". "How many
# examples do I need?" has no answer without a task; and none without a base. The small one has a quarter of the weights and
# a hundredth of the reading:

# %%
same_bits = course.ledger("S3", "pairs for the same bits per byte")
show.seeds(same_bits["arms"], control="small base", better="lower",
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
taught_by = {}
for arm, labels in {"true": truth, "at random": noise, "by a rule": ruled}.items():
    guess = train.bag_of_words(texts, labels.tolist()).predict(tests)
    taught_by[arm] = {"labels": arm, "wrong labels": (labels != truth).mean(),
                      "right": (guess == answers).mean(),
                      "as the rule": (guess == rule)[concerned].mean(),
                      "right by the wrong rule": (guess == rule).mean()}
show.table(list(taught_by.values()), formats=dict.fromkeys(
    ("wrong labels", "right", "as the rule", "right by the wrong rule"), ".0%"))

# %% [markdown]
# *As the rule*: of the paragraphs that the rule gets wrong, those that are answered in its way. Random mistakes point
# everywhere and partly cancel; a wrong rule is learnt as if it were true.

# %%
course.claim("L1", treatment=taught_by["by a rule"]["as the rule"],
             control=taught_by["at random"]["as the rule"])

# %%
course.claim("L1", metric="bag of words: right on the test",
             treatment=taught_by["at random"]["right"],
             control=taught_by["by a rule"]["right"])

# %% [markdown]
# No test whose labels follow the same rule will notice. The last column is such a test: there the wrong labels seem to have
# taught nearly as much as true ones really did, and the true ones less.
#
# > **Exam words.** *Supervised data must be labelled right.* This is why; how to find what is wrong among labels that you
# > have already was lesson 07 (claim D6).

# %%
course.claim("D4", treatment=taught_by["true"]["right"],
             control=taught_by["by a rule"]["right"])

# %%
show.seeds(course.ledger("D4", "bag of words: right on the test")["arms"],
           control="wrong by a rule", unit="bag of words: right on the test")

# %% [markdown]
# And a linear head on features of the base? **Predict.** Does what it has read protect it from wrong labels?

# %%
show.seeds(course.ledger("D4", "features of the base: right on the test")["arms"],
           control="wrong by a rule", unit="features of the base: right on the test")

# %% [markdown]
# The same order; our small base knows less about AWS than the words do, so there is less to lose.

# %% [markdown]
# ## Do they agree?
# Annotators here are **simulated**: real ones cost money, and only with a known truth can mistakes be counted. Five careful
# people; the guideline leaves some services open, and each decides those privately.

# %%
vague, careful, shown = annotation.areas(8), annotation.crew()[:5], kinds[:600]
classes = len(clear.classes)
by_vague = annotation.annotate(vague.read_by(5, shown), careful, classes)
wide = evaluate.ratings(by_vague)  # a row an item, a column an annotator
show.table(wide.head(4).map(lambda label: clear.classes[label]))

# %% [markdown]
# ### The raw idea: Cohen's kappa
# How far people agree about the same items is called *inter-annotator agreement*. But two people agree by chance, too.
# *Kappa* is the agreement beyond chance: 1 is perfect, 0 is chance. **Predict.** If two agree on 85 of 100, is kappa above
# or below 0.85?

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
by_clear = annotation.annotate(clear.read_by(5, shown), careful, classes)
agree = {name: evaluate.agreement(given).set_index("measure")["value"]
         for name, given in {"vague": by_vague, "clear": by_clear}.items()}
show.table(pd.DataFrame(agree), formats={"vague": ".2f", "clear": ".2f"})

# %% [markdown]
# *Fleiss's kappa* and *Krippendorff's alpha* do the same for more than two; alpha also when labels are missing.

# %%
alpha = "Krippendorff's alpha"
course.claim("L2", treatment=agree["clear"][alpha], control=agree["vague"][alpha])

# %% [markdown]
# That they agree more is built into the simulation; the numbers show how much eight open services of 24 cost, and that care
# does not mend it. Where do they disagree? That is the list of questions for whoever owns the data:

# %%
show.table(annotation.disputed(by_vague, shown).head(6), formats={"disagree": ".0%"})

# %% [markdown]
# Agreement is not truth: all can be wrong together. But it needs no truth to be measured, and low agreement is a sure sign.

# %%
show.seeds(course.ledger("L2", "labels that are right")["arms"],
           control="vague guideline", unit="labels that are right")

# %% [markdown]
# ## Label some yourself
# Thirty real paragraphs, each twice, in two orders. In a running notebook click a class, or type its number into the field
# "Key"; `u` takes back. Each label is saved, so you may go on another day. Label all thirty once by what the six names say
# to you. **Predict.** How many of them will be as the owner means it?

# %%
mine = list(range(0, 600, 20))
box = show.label([f"{kinds[i]}: {texts[i]}" for i in mine], clear.classes,
                 [int(truth[i]) for i in mine])
box

# %% [markdown]
# Now read the guideline, and do the second reading with it:

# %%
print(clear)

# %% [markdown]
# Run the next cell when you are done. Before that, a **simulated** annotator stands in, and the table says so; it is as
# careful the second time as the first, so what differs is chance. Yours shows what reading it did: *right* before
# and after, and a kappa with yourself that holds both your slips and what the guideline changed.

# %%
sitting = box if box.done else box.simulate()
sitting.result()

# %% [markdown]
# Labels leave as a *manifest*, one JSON object a line, in the form of SageMaker Ground Truth; and come back. Confidence is 0
# where one person labelled alone, whoever it was: so does Ground Truth.

# %%
place = sitting.manifest(Path(tempfile.mkdtemp()) / "mine.manifest")
print(place.read_text(encoding="utf-8").splitlines()[0][-260:])
back = annotation.read_manifest(place)
show.table(back.head(3).assign(text=back["text"].str[:60]))

# %% [markdown]
# ## Three heads, or one?
# Nine simulated annotators: five careful, and one each who is biased, tires, drifts, or does not read at all. Some
# paragraphs are harder than others (by lot).

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
votes = three.groupby("item")["label"].apply(
    lambda given: Counter(given).most_common(1)[0][0])
voted, alone = (annotation.majority(given, classes) for given in (three, single))
print(f"right: one {alone.right(truth):.3f}, by hand "
      f"{(votes == truth[votes.index]).mean():.3f}, "
      f"the library {voted.right(truth):.3f}")

# %%
course.claim("L3", treatment=voted.right(truth), control=alone.right(truth))

# %% [markdown]
# Mistakes here are independent, but for the hard paragraphs. Real annotators' mistakes resemble each other, and a majority
# of people who err alike errs: real majorities are worse than this one.

# %% [markdown]
# ### The raw idea: Dawid and Skene
# In a majority, one who never reads has the same vote as the others. But who often contradicts the others is probably wrong.
# So take turns: given the labels, what does each annotator confuse? Given that, what are the labels? Ground Truth
# consolidates classes by a variant of this *expectation-maximisation*. **Predict.** How much more will be right, from the
# same votes?

# %%
def dawid_skene(given, rounds=60):
    """Likeliest labels, and each annotator's confusion matrix (class, label)."""
    item, label = given["item"].to_numpy(), given["label"].to_numpy()
    who, people = pd.factorize(given["annotator"], sort=True)
    votes = np.zeros((item.max() + 1, classes))
    np.add.at(votes, (item, label), 1)
    belief = votes / votes.sum(axis=1, keepdims=True)
    for _ in range(rounds):
        confusion = np.ones((len(people), classes, classes))
        np.add.at(confusion, (who, slice(None), label), belief[item])
        confusion /= confusion.sum(axis=2, keepdims=True)
        log = np.tile(np.log(belief.mean(axis=0)), (len(belief), 1))
        np.add.at(log, item, np.log(confusion[who, :, label]))
        belief = np.exp(log) / np.exp(log).sum(axis=1, keepdims=True)
    return belief.argmax(axis=1), dict(zip(people, confusion, strict=True))


# %%
ours, confused = dawid_skene(three)
skilled = annotation.dawid_skene(three, classes)
print(f"right: majority {voted.right(truth):.3f}, "
      f"by hand {(ours == truth[:len(ours)]).mean():.3f}, "
      f"the library {skilled.right(truth):.3f}; "
      f"the two agree on {(ours == skilled.items['label']).mean():.1%}")

# %% [markdown]
# It also graded the annotators, without knowing any truth. **Predict.** Who comes last?

# %%
show.table(skilled.skill().rename_axis("annotator").reset_index(),
           formats={"skill": ".2f"})

# %% [markdown]
# ### An expert for the rest
# A person looks where the machine is unsure: *human-in-the-loop*. An expert (simulated: the truth) costs five labels a look,
# and looks at the tenth of the items that were most disputed. All arms cost the same, so this one has fewer items.
# **Predict.** Whose labels are best, and whose teach most?

# %%
afforded = int(money / (3 + 0.1 * 5))
fewer = annotation.majority(bought(afforded, 3), classes)
reviewed = annotation.review(fewer, truth, afforded // 10, price=5)


def learnt_from(rows, labels, expected):
    """Share of the test that is right after these paragraphs."""
    bag = train.bag_of_words([texts[i] for i in rows], labels)
    return float((bag.predict(tests) == expected).mean())


# %%
bargains = []
for name, one in {"one annotator": alone, "majority": voted, "Dawid-Skene": skilled,
                  "majority, reviewed": reviewed}.items():
    items, correct = one.items["item"], one.right(truth)
    bargains.append({"labels from": name, "items": len(items), "right labels": correct,
                     "price of one": one.cost / correct / len(items),
                     "learnt": learnt_from(items, one.items["label"], answers)})
show.table(bargains, formats={
    "right labels": ".1%", "price of one": ".2f", "learnt": ".2f"})

# %% [markdown]
# *Price*: labels paid for a right one. *Learnt*: right on the test, after these labels. Read both: three labels an item make
# labels better and dearer, and more items with worse labels may teach as much or more. A *test* set needs the better labels.

# %%
course.claim("L3", metric="majority, disputed ones reviewed / majority of three",
             treatment=reviewed.right(truth), control=voted.right(truth))

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
    given = annotation.annotate(held, careful, classes, each=3, seed=seed)
    return given.assign(item=np.array(rows)[given["item"]])


pilot = buy(vague, range(120), seed=0)
doubts = annotation.disputed(pilot, kinds).query("disagree > 0.4")["kind"].tolist()
better = vague.settled(doubts)
print("asked about:", *doubts, "\nreally open:", *vague.open)

# %% [markdown]
# The owner answers what was disputed, and the pilot's items concerned are labelled again, which is paid for too:

# %%
again = [i for i in range(120) if kinds[i] in doubts]
anew = buy(better, again, seed=1)
rest = buy(better, range(120, 600 - len(again)), seed=2)
at_once = buy(vague, range(600), seed=0)
assert len(pilot) + len(anew) + len(rest) == len(at_once)  # the same price
in_rounds = pd.concat([pilot[~pilot["item"].isin(again)], anew, rest])
of_rounds = {name: annotation.majority(given, classes).right(truth)
             for name, given in {"in rounds": in_rounds, "at once": at_once}.items()}
course.claim("L4", treatment=of_rounds["in rounds"], control=of_rounds["at once"])

# %% [markdown]
# ### What to label next
# Rounds have a second use: ask the model what it is least sure of (*active learning*). *Unsure* means: its two likeliest
# classes are nearly equally likely.

# %%
def least_sure(chances, count):
    """The rows whose two likeliest classes are closest."""
    second, first = np.sort(chances, axis=1)[:, -2:].T
    return np.argsort(first - second, kind="stable")[:count].tolist()


# %% [markdown]
# Nobody has balanced the pool: each area has half as many paragraphs as the next (*class imbalance*).

# %%
unlabelled = faded(truth.tolist(), 0.5, seed=0)


def teach(rows):
    taken = [unlabelled[i] for i in rows]
    return train.bag_of_words([texts[i] for i in taken], truth[taken].tolist())


def doubt(model, rows):
    return model.predict_proba([texts[unlabelled[i]] for i in rows])


pilot_model, later = teach(range(40)), list(range(40, len(unlabelled)))
chances = doubt(pilot_model, later)
assert least_sure(chances, 9) == annotation.least_sure(chances, 9)

# %% [markdown]
# **Predict.** As many labels, chosen so or at random; the test has all areas alike.

# %%
steps = []
for arm, choose in {"least sure next": doubt, "at random": None}.items():
    for labels, model in annotation.in_rounds(
            len(unlabelled), teach, choose, start=40, batch=40,
            budget=min(280, len(unlabelled))):
        steps.append({"arm": arm, "labels": len(labels),
                      "share right": (model.predict(tests) == answers).mean()})
show.learning_curves(steps, y="share right")

# %% [markdown]
# One run is a draw of lots. Over seeds:

# %%
l4 = course.ledger("L4", "bag of words: right on the test, mean over rounds")
show.seeds(l4["arms"], control="at random", unit="share right, mean over rounds")

# %% [markdown]
# Part of the gain is that it finds the rare ones; in a pool that is balanced already there is less to find. What a model
# chose is no fair sample any more: draw the *test* at random, apart.

# %% [markdown]
# > **Exam words.** What else helps a rare class: collect more of it, draw it more often (*oversampling*), drop some of the
# > common ones (*undersampling*), or let it count more (*weights*). Look at each class by itself: with one case in a
# > hundred, who never finds it has an accuracy of 99 %.

# %% [markdown]
# ## The data at hand is not the data in use
# A filter for pre-training text: encyclopaedia, or literature? For examples of literature we take the book that is at hand.
# In use, half of the literature is plays. That is *sampling bias* (or *selection bias*): the labels are right, but who is
# there is not who will come. Whoever chooses sources with an eye on that calls them *curated*, and *balanced* if none drowns
# the others.

# %%
pool, in_use = filtered["train"], filtered["test"]
origin = np.array(pool["source"][:])
plays, bible = (np.flatnonzero(origin == name).tolist()
                for name in ("shakespeare", "web-bible"))
prose = [i for i in range(len(pool)) if origin[i] not in ("shakespeare", "web-bible")]
at_hand = prose[:384] + bible[:365] + plays[:19]  # what was easy to get
mixes = {"as in use": prose[:384] + bible[:192] + plays[:192], "one slice": at_hand,
         "and more of it": at_hand + bible[365:429],
         "and a few plays": at_hand + plays[19:83]}

# %% [markdown]
# **Predict.** All sets are of about the same size. How much does the slice lose, and what do a few plays mend?

# %%
def judged(rows, weights=None):
    """Share right: all of the test, its plays."""
    taken = pool.select(rows)
    bag = train.bag_of_words(taken["text"][:], taken["label"][:], weights)
    right = bag.predict(in_use["text"][:]) == np.array(in_use["label"][:])
    on_plays = right[np.array(in_use["source"][:]) == "shakespeare"]
    return float(right.mean()), float(on_plays.mean())


# %%
mixed = {name: judged(rows) for name, rows in mixes.items()}
shares = {"prose": 0.5, "web-bible": 0.25, "shakespeare": 0.25}
strata = [origin[i] if origin[i] in shares else "prose" for i in at_hand]
weights = data.strata_weights(strata, shares)
mixed["one slice, reweighted"] = judged(at_hand, weights)
show.table([{"taught on": name, "right": f"{overall:.1%}", "on plays": f"{lacking:.1%}"}
            for name, (overall, lacking) in mixed.items()])

# %% [markdown]
# An average hides most of it: three quarters of the test are like the slice. What the slice *lacks* shows it.

# %%
course.claim("R1", treatment=mixed["as in use"][1], control=mixed["one slice"][1])

# %%
arms = "one slice and a few of the rest / one slice and as many more of it"
course.claim("R1", metric=arms, treatment=mixed["and a few plays"][1],
             control=mixed["and more of it"][1])

# %% [markdown]
# *Reweighting* makes the few plays that are there count more. It costs no labels, and cannot show what is not there: the
# weighted set says as much as a smaller one. Over seeds, in the picture below, it gains nothing.

# %%
print(f"{len(at_hand)} weighted sentences say as much as "
      f"{data.effective_size(weights):.0f}")

# %% [markdown]
# ### A warning before the errors
# *Data drift*: other texts arrive than those we taught. Statistics of it need no labels, unlike *concept drift*, where the
# same text gets another right answer: that only new labels show. The *population stability index* (PSI) of the lengths, by
# hand, with half a record more in each bin where one is empty:

# %%
met = [pool["text"][i] for i in prose[384:768] + bible[-192:] + plays[-192:]]
had = [pool["text"][i] for i in at_hand]
lengths = [np.array([len(text.split()) for text in group]) for group in (had, met)]
inner = np.unique(np.quantile(lengths[0], np.linspace(0, 1, 11)[1:-1]))
counted = np.array([np.bincount(np.searchsorted(inner, group), minlength=len(inner) + 1)
                    for group in lengths], float)
counted += 0.5 * (counted == 0).any()  # a share of 0 has no logarithm
p, q = counted / counted.sum(axis=1, keepdims=True)
print(f"by hand {((p - q) * np.log(p / q)).sum():.4f}, "
      f"the library {data.psi(*lengths):.4f}")

# %% [markdown]
# **Predict.** Lengths, words, or a classifier that tries to tell the two apart: which sees the drift?

# %%
show.table(data.drift(had, met, train.bag_of_words, shuffles=40),
           formats={"value": ".3f", "chance": ".3f"},
           caption="one slice against what is met")

# %% [markdown]
# *Chance* is what two samples of one distribution show in most draws; without it no value says anything. For the classifier
# 0.5 is chance, a coin, and its interval decides: *drift* is true where all of it lies above. And what the slice costs, over
# seeds:

# %%
r1 = course.ledger("R1")
show.seeds(r1["arms"], control="one slice", unit=r1["metric"])

# %% [markdown]
# ## Alike or different
# Which service is a paragraph about, again. Three sets of the same size, with as many of each service: spread over all kinds
# of paragraphs, drawn at random, or close neighbours.

# %%
vectors = data.text_vectors(texts)
assigned = data.clusters(vectors, 128)
budget = 384
picks = {"diverse": data.diverse(vectors, budget, by=kinds),
         "at random": list(range(budget)),
         "narrow": data.narrow(vectors, budget, by=kinds)}

# %% [markdown]
# *Coverage*: of all clusters of texts, in how many does the set have one? **Predict.** It is known before training. Will the
# score follow it?

# %%
covered = {name: len(set(assigned[rows])) / len(set(assigned))
           for name, rows in picks.items()}
assert covered["narrow"] == data.coverage(assigned, picks["narrow"]).hit
spread = {name: learnt_from(rows, [kinds[i] for i in rows], test_kinds)
          for name, rows in picks.items()}
show.table([{"set": name, "clusters covered": f"{covered[name]:.0%}",
             "Vendi score": f"{data.vendi(vectors[rows]):.0f}",
             "right": f"{spread[name]:.1%}"} for name, rows in picks.items()])

# %%
course.claim("R2", treatment=spread["diverse"], control=spread["narrow"])

# %% [markdown]
# The *Vendi score*, which counts how many wholly different texts would be as diverse, hardly tells *diverse* from *at
# random*; clusters do. Is it diversity, or are diverse texts only longer? The ledger asks which of the two goes with the
# score.

# %%
show.seeds(course.ledger("R2", "rank correlation with the score")["arms"],
           control="characters read", unit="rank correlation with the score")

# %% [markdown]
# ## What nobody sends in a tidy set
# *Edge cases*: capitals, typing errors, HTML, an order to ignore the question, nothing at all. A suite makes them of
# labelled texts (simulated), so the right answers are known. For what means nothing the right answer is "none of these".

# %%
tidy, spare = (labelled["train"].select(rows) for rows in (
    range(1008), range(1008, 2400)))
nothing, services = 24, sorted(set(kinds))
foreign = other_languages(24 + 72, seed=0)
suite = data.edge_cases(labelled["test"].select(range(72)), nothing, foreign[24:], 0,
                        services)
show.table([{"slice": row["slice"], "text": repr(row["text"][-70:])} for row in suite
            if row["row"] == 0])

# %% [markdown]
# The same is done to a record of every service, to teach: *data augmentation* with *synthetic* examples. Greetings, orders
# and mark-up of what is taught are not those of the suite; else we should measure how well those were learnt by heart.

# %%
def extra_cases(records, some_foreign, part):
    """Edge cases to teach: of each record one a slice, the ordinary one left out."""
    rows = data.edge_cases(records, nothing, some_foreign, 1, services, part=part)
    return rows.filter(lambda row: row["slice"] != "ordinary")


def answers_after(extra):
    """What is said of the suite, taught on the tidy set and some more."""
    bag = train.bag_of_words(tidy["text"][:] + extra["text"][:],
                             tidy["label"][:] + extra["label"][:])
    return bag.predict(suite["text"][:]).tolist()


# %% [markdown]
# **Predict.** A classifier taught on tidy paragraphs: where will it fail, and what will 24 of each kind mend?

# %%
made = extra_cases(spare.select(range(24)), foreign[:24], "taught")
replied = {"tidy": answers_after(tidy.select([])),
           "and edge cases": answers_after(made),
           "and ordinary ones": answers_after(spare.select(range(len(made))))}
slices = {name: evaluate.slice_rates(given, suite["label"][:], suite["slice"][:])
          for name, given in replied.items()}
show.table(evaluate.slice_change(slices["tidy"], slices["and edge cases"]), formats={
    "before": ".0%", "after": ".0%", "change": "+.0%"})

# %%
blank = ["empty", "only spaces", "other language"]
mended, unmended = (slices[name].set_index("slice")["accuracy"][blank].mean()
                    for name in ("and edge cases", "and ordinary ones"))
course.claim("R3", treatment=mended, control=unmended)

# %% [markdown]
# An average over all would have hidden it: *evaluate by slice*. No number of ordinary examples teaches an answer that is not
# among them. There is another way, without new data: answer "none of these" wherever the largest probability is below a
# threshold, such as 95 of 100 ordinary texts exceed. **Predict.** Which of the two is better about what means nothing?

# %%
usual = train.bag_of_words(tidy["text"][:], tidy["label"][:])
least = np.quantile(usual.predict_proba(tests[72:]).max(axis=1), 0.05)
unsure = usual.predict_proba(suite["text"][:]).max(axis=1) < least
cautious = np.where(unsure, nothing, replied["tidy"]).tolist()
slices["a threshold"] = evaluate.slice_rates(cautious, suite["label"][:],
                                             suite["slice"][:])
few_slices = pd.DataFrame({name: rates.set_index("slice")["accuracy"]
                           for name, rates in slices.items()}).loc[["ordinary", *blank]]
show.table(few_slices.reset_index(), formats=dict.fromkeys(slices, ".0%"))

# %% [markdown]
# Made cases can do harm. Here they come from eight records only, in the suite's own HTML. **Predict.** What becomes of pages
# in HTML about the other services?

# %%
eight = spare.select(range(8))
narrowly = answers_after(extra_cases(eight, foreign[:8], "asked"))
of_html = [i for i, name in enumerate(suite["slice"][:]) if name == "HTML"]
for name, reply in {**replied, "and eight records' cases": narrowly}.items():
    drawn_to = np.mean([reply[i] in set(eight["label"][:]) for i in of_html])
    print(f"{name}: {drawn_to:.0%} of HTML texts given to one of those 8 services")

# %% [markdown]
# A third of the texts are about those eight. A bag of words passed over tags as long as it knew none; now it has seen them
# with a few labels only, and takes them for a sign of those: a *shortcut*. So make cases of *every* class. The ledger did,
# and asks two things: what is said of what means nothing, and what ordinary texts pay for it.

# %%
show.seeds(course.ledger("R3", "right about what means nothing")["arms"],
           control="as many ordinary ones, by words",
           unit="right about what means nothing")

# %%
show.seeds(course.ledger("R3", "right on ordinary texts")["arms"],
           control="before, by words", unit="right on ordinary texts")

# %% [markdown]
# ## Bias
# The filter again, now on sentences about a man or a woman. Texts and labels are real; the **bias is simulated**, of two
# kinds: fewer sentences about women were collected (*sampling bias*), and half of the good ones were labelled bad (*label
# bias*, or *measurement bias*).

# %%
people = data.people(0)
biased = data.with_biased_labels(people["train"])
equal = people["train"].select(range(len(biased)))
marks, facet = np.array(biased["label"][:]), np.array(biased["facet"][:])
cross = pd.crosstab(facet, marks, rownames=["about"], colnames=["label"])
show.table(cross.reset_index())

# %% [markdown]
# ### Before training: eight metrics
# SageMaker Clarify has eight *pre-training bias metrics*. Two of them by hand: *class imbalance* (CI), who is there how
# often; *difference in proportions of labels* (DPL), who gets the good label how often.

# %%
he, she = facet == "he", facet == "she"
print(f"CI {(he.sum() - she.sum()) / len(facet):.3f}, "
      f"DPL {marks[he].mean() - marks[she].mean():.3f}")

# %% [markdown]
# KL, JS, LP, TVD and KS compare whole distributions of labels; CDD looks within groups of like records, here of like length.
# **Predict.** With two labels only, how many of these can say something of their own?

# %%
quarter = pd.qcut([len(text) for text in biased["text"][:]], 4, labels=False)
report = data.bias_report(marks, facet, "she", groups=quarter.tolist())
show.table(report[["metric", "name", "value", "reading"]], formats={"value": ".3f"})

# %% [markdown]
# With two labels TVD and KS *are* DPL without its sign, and LP is √2 times it; they part with three labels or more; KL and
# JS are other scales of the same two shares. So three say something of their own: CI, DPL, CDD.
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
# *resampling* to the same end (over- and undersampling at once), and a swapped copy of every record under the same label
# (augmentation again). Which helps, and what does it cost?

# %%
said, given = biased["text"][:], biased["label"][:]
drawn = biased.select(data.resampled(given, facet))
ways = {"unbiased": (equal["text"][:], equal["label"][:]), "biased": (said, given),
        "reweighed": (said, given, data.reweighing(given, facet)),
        "resampled": (drawn["text"][:], drawn["label"][:]),
        "with swapped copies": (said + data.swapped(said, PRONOUNS), given + given)}

# %%
sentences, sex = people["test"]["text"][:], np.array(people["test"]["facet"][:])
fair, outcomes = np.array(people["test"]["label"][:]), {}
apparent = np.array(data.with_biased_labels(people["test"], collected=1.0)["label"][:])
for name, way in ways.items():
    judge = train.bag_of_words(*way)
    kept = judge.predict(sentences)
    flipped = [evaluate.swap_test(lambda some, one=judge: one.predict_proba(some)[:, 1],
                                  sentences, words)["value"][0]
               for words in (PRONOUNS, OTHERS)]
    outcomes[name] = {"taught on": name, "flips": flipped[0], "by nouns": flipped[1],
                      "he − she": kept[sex == "he"].mean() - kept[sex == "she"].mean(),
                      "right": (kept == fair).mean(),
                      "seems right": (kept == apparent).mean()}
show.table(list(outcomes.values()), formats={
    "flips": ".1%", "by nouns": ".1%", "he − she": "+.1%", "right": ".1%",
    "seems right": ".1%"})

# %% [markdown]
# *Flips*: decisions that a swap of pronouns changes; *by nouns*: of "man" and "woman", "king" and "queen". *He − she*: share
# of the sentences kept. *Seems right*: by labels as biased as those of the training set, which is all that practice has. By
# the truth mending pays; by those labels hardly anything has happened, so they are no reason to leave it.

# %%
flips = "decisions that a swap changes"
course.claim("R4", metric=flips, treatment=outcomes["biased"]["flips"],
             control=outcomes["unbiased"]["flips"])

# %% [markdown]
# Copies guard against the words that were swapped, here pronouns: that no pronoun changes a decision was bound to come out.
# They do not guard against "Mrs" or "queen", as the column *by nouns* shows: where pronouns tell nothing any more, other
# words are left to tell by. A fairer question: of the gap in what is *kept* that the bias made, how much is closed?

# %%
gap = {name: row["he − she"] for name, row in outcomes.items()}
made_by_bias = gap["biased"] - gap["unbiased"]
closed = {name: (gap["biased"] - gap[name]) / made_by_bias for name in gap}
course.claim("R4", metric="with swapped copies / biased",
             treatment=closed["with swapped copies"], control=closed["biased"])

# %% [markdown]
# The price is small: copies double the text, and weighted records count as fewer. Over seeds:

# %%
print(f"{len(said):,} weighted records say as much as "
      f"{data.effective_size(data.reweighing(given, facet)):,.0f}")
show.seeds(course.ledger("R4", "share of the gap closed")["arms"], control="biased",
           unit="share of the gap closed")

# %% [markdown]
# And the base? It has read old books. How much likelier does it find "he" than "she", in bits? **Predict.** Of whom most,
# and what of "the person", whose job nobody names?

# %%
tilt = evaluate.swap_bits(base, data.templates(jobs=(*JOBS, "person")))
tilt["job"] = tilt["text"].str.extract(r"[Tt]he (\w+)", expand=False)
by_job = tilt.groupby("job")["bits"].mean().sort_values()
ends = by_job.iloc[[0, 1, 2, -3, -2, -1]].index.union(["person"])
show.table([{"job": job, "bits": bits, "beyond a person": bits - by_job["person"]}
            for job, bits in by_job[by_job.index.isin(ends)].items()],
           formats={"bits": "+.2f", "beyond a person": "+.2f"})

# %% [markdown]
# "He" is the likelier word for nearly anybody in such books; what a *job* adds to that is the last column. It says what the
# texts were like, not what the model would decide once tuned: that is measured after tuning, by swaps.

# %% [markdown]
# ## Years pass
# Whose documentation is it, in AWS's releases of five Novembers? Services come, texts are rewritten. Real texts, real time;
# that questions come about all services alike is an assumption.
#
# **Predict.** A set of the first year, never refreshed: how much is lost by the last? And a set of the last year, no larger?

# %%
oldest, newest = 2022, 2026
yearly = data.yearly_paragraphs(0, years=(oldest, newest))
equally = min(len(yearly[year]["train"]) for year in yearly)
by_year = {}
for year, parts in yearly.items():
    part = parts["train"].select(range(equally))
    bag = train.bag_of_words(part["text"][:], part["label"][:])
    by_year[year] = {f"on {other}": bag.score(
        yearly[other]["test"]["text"][:], yearly[other]["test"]["label"][:])
        for other in yearly}
show.table([{"taught on": str(year), **by_year[year]} for year in yearly],
           formats={f"on {year}": ".0%" for year in yearly})

# %%
course.claim("R5", treatment=by_year[newest]["on 2026"],
             control=by_year[oldest]["on 2026"])

# %% [markdown]
# No model answers with a label that it was never taught. **Predict.** How many of the lost points are services that did not
# exist?

# %%
had_then = set(yearly[oldest]["train"]["label"][:])
come_up = yearly[newest]["test"]["label"][:]
lacking = np.mean([label not in had_then for label in come_up])
before, after = by_year[oldest].values()
print(f"lost {100 * (before - after):.0f} points; {lacking:.0%} of the last test are "
      f"of services that the first set lacks,\n"
      f"which costs {100 * lacking * before:.0f}; "
      f"right on all others: {before:.0%} then, {after / (1 - lacking):.0%} now")

# %% [markdown]
# The rest are texts that were rewritten or came later, about services that were there all the time. With all five releases:

# %%
r5 = course.ledger("R5")["details"]
show.table([{"release": str(year), **{
    name: f"{np.mean([seed['curves'][name][i] for seed in r5]):.0%}"
    for name in r5[0]["curves"]}} for i, year in enumerate(r5[0]["years"])],
    caption="right, mean over seeds")

# %%
last_release = course.ledger("R5", "right on the last release")
show.seeds(last_release["arms"], control="never refreshed",
           unit="right on the last release")

# %% [markdown]
# *As many old ones added* is the control of *as many new ones added*: more data of the past does not do it. In place of the
# old records, new ones cost some of what was known; added to them, little. Refreshing is a date in a calendar, not a
# reaction to complaints.

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers(), rows=60)

# %% [markdown]
# ## What the exam asks
# - *Training loss is near 0, validation loss rises.* Overfitting: more, and more varied, examples; fewer epochs.
# - *Annotators disagree about the same items.* Mend the guideline first, then several annotators and a consensus.
# - *A labelling budget is short.* Label a pilot, then what the model is least sure of (*active learning*).
# - *A rare class is missed.* Collect more of it, oversample or weight it; accuracy alone hides it.
# - *A model does well in tests and badly for users in one region.* The data does not represent them: collect, evaluate by
#   slice.
# - *One group gets the good outcome less often in the training data.* Pre-training bias metrics, such as DPL (SageMaker
#   Clarify).

# %% [markdown]
# > **Today** (November 2026). Older notes name SageMaker *Ground Truth* (labelling), *Clarify* (bias), *Model Monitor*
# > (drift) and *A2I* (human review). AWS says of all four that they are no longer open to new customers; the exam guide
# > added Clarify in 2026 all the same. AWS tells users to compute Clarify's metrics with pandas or scikit-learn, as above.
# > Mechanical Turk was to close on 30 September 2026.

# %% [markdown]
# > Older notes want "petabytes" for pre-training; curated text is tens of terabytes: FineWeb, 15 trillion tokens, is 44 TB.
# > And "a few hundred examples" for fine-tuning: Bedrock's least numbers are 8 (Nova), 32 (Claude 3 Haiku, retired in
# > September 2026) and 100 (Llama). A least number is what a job accepts, not what is enough.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("09")

# %% [markdown]
# ## Yours to try
# Label the thirty paragraphs and compare your kappa with the simulated one. Or set `crew = annotation.crew()[:5]`, careful
# people all: what do a majority, and Dawid and Skene's model, still gain? Then on to lesson 10.
