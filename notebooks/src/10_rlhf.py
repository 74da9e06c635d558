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
#     title: Reward models and RLHF
#     claims: [H1, H2, H3, H6]
#     minutes_cpu: 5
#     minutes_gpu: 3
# ---

# %% [markdown]
# # 10 · Reward models and RLHF
# **Question:** how does a model learn what people like, when nobody can write down what that is?
#
# Claims H1, H2, H3, H6 · about 5 minutes on two CPU cores, 3 on a GPU · after lesson 09

# %% [markdown]
# > **Exam words.** *Reinforcement learning from human feedback* (RLHF) has three steps: *supervised fine-tuning* on prompts
# > and responses; a *reward model*, trained on people's rankings of responses; *reinforcement learning*, which maximises the
# > reward. It aligns a model with what people value: *helpful, honest, harmless*.

# %%
import random

import pandas as pd
import torch
import torch.nn.functional as F

import fmcourse as fm
from fmcourse import aws, evaluate, models, show, train
from fmcourse.data import assistant
from fmcourse.evidence.experiments import feedback

course = fm.start("10", claims=["H1", "H2", "H3", "H6"])
base = models.load("base")

# %% [markdown]
# ## A rubric that no model sees
# Four people of our imagination answer the same question. Which answer do you like best, and could you write a rule that
# says so for every question there will ever be?

# %%
asked = feedback.manners(200, seed=0)
row = next(row for row in asked if row["kind"] == "ordinary")
draw = random.Random(0)
by_hand = {hand: assistant.reply(row, hand, draw)
           for hand in ("to the point", "chatty", "curt", "vague")}
print(row["prompt"])
judged = evaluate.rubric([row] * len(by_hand), list(by_hand.values()))
show.table(judged[["helpful", "honest", "harmless", "concise", "utility"]].assign(
    hand=list(by_hand), says=list(by_hand.values())))

# %% [markdown]
# For this lesson somebody did: a program with a *rubric* judges. It stands for what people would agree on, and no model ever
# sees it. Annotators, all **simulated**, see it with noise; models see only what the annotators chose. So at the end it can
# be said who got better, and who only got better *liked*.

# %% [markdown]
# ## Step 1: supervised fine-tuning
# The base continues texts. It first has to learn to answer at all, from *demonstrations*: prompts, with the reply of one
# hand or another, each in its manners.

# %%
shown = assistant.demonstrations(3800, shares=feedback.MANNERS)
recipe = train.InstructRecipe.at_scale(learning_rate=2e-3)
tuned = train.instruct(base, shown, recipe, name="assistant", show_progress=False)
print({hand: f"{shown['hand'][:].count(hand) / len(shown):.0%}"
       for hand in sorted(set(shown["hand"]))})

# %% [markdown]
# **Predict.** The assistant imitates what it read. Will it imitate the good answers, or all of them?

# %%
test = feedback.manners(200 if course.scale.enforce else 12, seed=0, part="test")
rows = list(test)
said = {name: feedback.say(model, test, seed=0)
        for name, model in {"base": base, "assistant": tuned.model}.items()}
brief = [i for i, row in enumerate(rows) if row["kind"] != "task"][:5]
show.table([{"asked": rows[i]["prompt"], **{who: said[who].replies[i] for who in said}}
            for i in brief])

# %%
scored = {who: feedback.judged(test, replies) for who, replies in said.items()}
show.table([{"model": who, **values} for who, values in scored.items()])

# %%
course.claim("H1", treatment=scored["assistant"][feedback.HELPFUL],
             control=scored["base"][feedback.HELPFUL])

# %% [markdown]
# All of them. Imitation has no opinion: a curt reply and a helpful one are learnt with the same care. So it is more helpful
# than the base, and by the whole rubric hardly better: the base answers nothing, and insults nobody.
#
# The control in the ledger learnt from the same replies, each below a prompt that it does not belong to.

# %%
h1 = course.ledger("H1")
show.seeds(h1["arms"], control="tuned on misplaced replies", unit=h1["metric"])

# %% [markdown]
# ## Step 2: people compare
# To say what is good in general is hard; to say which of two replies is better is easy. So that is what people are asked.
# First you: fifty pairs, the same on every machine. Press `1` or `2`, `0` for a tie, `u` takes back; each choice is saved.
#
# Follow a taste of your own. Do you like it when an assistant is warm, or brief?

# %%
contest = assistant.rivals(50, seed=1)
scores = [evaluate.rubric(list(contest), contest[side][:])["utility"]
          for side in ("first", "second")]
box = show.rank(contest.add_column("scores", [*zip(*scores, strict=True)]))
box

# %% [markdown]
# Run the next cell when you are done. Before that, a **simulated** annotator stands in, who follows the rubric with a slip
# in ten; and the table says so.

# %%
sitting = box if box.done else box.simulate(noise=0.1)
sitting.result()

# %% [markdown]
# The left side should win about half of the time, for sides were drawn. And you met some pairs twice, sides swapped:
# whoever disagrees with himself sets a limit to what can be learnt from him.

# %% [markdown]
# ### The raw idea: Bradley and Terry
# Give every reply a number, its reward `r`. The wider two are apart, the surer the choice: `P(a before b) = σ(r_a − r_b)`.
# Find the rewards that make the choices likely. Here `r` is a sum over four traits, each with a weight to learn:

# %%
def traits(reply):
    """Words by the dozen, and whether it exclaims, asks, and brushes off."""
    curt = any(reply.startswith(words) for words in assistant.CURT)
    return [len(reply.split()) / 12, "!" in reply, "?" in reply, curt]


# %%
choices = sitting.preferences()
forty, ten = choices.select(range(40)), choices.select(range(40, 50))
gap = torch.tensor([[a - b for a, b in zip(traits(c), traits(r), strict=True)]
                    for c, r in zip(forty["chosen"], forty["rejected"], strict=True)])
weights = torch.zeros(4, requires_grad=True)
taste = torch.optim.Adam([weights], lr=0.1)
for _ in range(200):
    loss = -F.logsigmoid(gap @ weights).mean() + 0.01 * weights.square().sum()
    taste.zero_grad()
    loss.backward()
    taste.step()
names = ("a dozen words", "an exclamation", "a question", "a brush-off")
print({name: round(weight, 1) for name, weight in zip(
    names, weights.tolist(), strict=True)})

# %% [markdown]
# That is what the choices say about the one who chose. **Predict.** A network that reads the replies themselves, taught by
# forty choices: how many of the ten others will it foretell?

# %%
small = train.RewardRecipe(pairs=480 if course.scale.enforce else 16)
yours = train.reward(base, forty, small, name="your taste", show_progress=False).model
reward = {side: yours.raw(ten["prompt"][:], ten[side][:]) for side in ("chosen", "rejected")}
right = evaluate.pairwise_accuracy(reward["chosen"], reward["rejected"], ten["tie"][:])
low, high = evaluate.wilson(round(right * len(ten)), len(ten))
print(f"{right:.0%} of the last ten foretold (95 %: {low:.0%} to {high:.0%})")

# %% [markdown]
# Ten choices decide little, as the interval says. But a taste was learnt from choices alone, and nobody wrote it down.

# %% [markdown]
# ### Two answers of the assistant's own
# For the real thing the assistant answers each prompt twice, and annotators compare. They are simulated; so it is known how
# often the truth itself would agree with their choices: the *ceiling* of any reward model.

# %%
count = course.scale.preference_pairs // 2
pairs = feedback.compared(tuned.model, feedback.manners(count, seed=0), seed=0)
held = feedback.compared(tuned.model, test, seed=0)
top = assistant.ceiling(held, feedback.ANNOTATOR)
show.table(pairs.select_columns(["prompt", "chosen", "rejected"]).select(range(4)))

# %%
once = train.RewardRecipe(pairs=len(pairs))
judge = train.reward(base, pairs, once, name="reward model", show_progress=False).model
report = evaluate.preference_report(judge, held)
show.table([{"measure": name, "value": value} for name, value in
            {**report, "ceiling of the accuracy": top}.items()])

# %% [markdown]
# *Accuracy*: of choices held out. *ECE*: how far being sure and being right are apart. *Length bias*: how much more often it
# takes the longer reply than the annotators did; many reward models only count words.

# %%
course.claim("H2", metric="held-out choices foretold",
             treatment=report["accuracy"], control=0.5)

# %% [markdown]
# The ledger has more comparisons, fewer, and worse ones: from an annotator who is careless, and one who guesses.

# %%
h2 = course.ledger("H2", "held-out choices foretold")
show.seeds(h2["arms"], control="ceiling", unit="held-out choices foretold")

# %% [markdown]
# How many choices, and how carefully made? More of either helps; the ceiling stays. An annotator who guesses teaches nothing,
# however much he is paid.

# %% [markdown]
# ## Step 3: maximise the reward
# ### The raw idea
# Take sixteen replies to one prompt, with their rewards. A *policy* is a probability for each. Make the expected reward
# large, and pay `β` for every nat of divergence from the start (here: all are equally likely).

# %%
one = feedback.say(tuned.model, test.select([0]), seed=3, samples=16).replies
found = torch.tensor(judge.raw([rows[0]["prompt"]] * 16, one)).float()


def maximised(beta):
    """The policy that is best at this price, by gradient ascent."""
    logits = torch.zeros(16, requires_grad=True)
    climb = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        policy = logits.softmax(0)
        divergence = (policy * (policy * 16).log()).sum()  # KL from the start, nats
        climb.zero_grad()
        (beta * divergence - policy @ found).backward()
        climb.step()
    return logits.softmax(0).detach()


# %%
prices = {beta: maximised(beta) for beta in (0.0, 0.3, 3.0)}
best = found.topk(4).indices.tolist()
show.table([{"reply": one[i], "reward": f"{found[i]:.2f}",
             **{f"β = {beta}": f"{policy[i]:.0%}" for beta, policy in prices.items()}}
            for i in best])

# %% [markdown]
# For free, the policy says one thing only: whatever the reward model likes best, right or wrong. The dearer divergence is,
# the more of the start is left. The best policy is known in closed form, `π ∝ π_start · exp(r / β)`:

# %%
closed = (found / 0.3).softmax(0)
assert torch.allclose(closed, prices[0.3], atol=0.02)
print(f"largest difference: {(closed - prices[0.3]).abs().max():.4f}")

# %% [markdown]
# ### The same for all prompts: PPO
# Nobody can list all replies of a language model. So it samples some, and makes those that got more reward than expected
# likelier, by a small step (*proximal*), again and again: *proximal policy optimisation*. Four models take part: the
# policy, its frozen start (*reference*), the reward model, and a value function, which says what was to be expected.

# %%
practice = feedback.manners(2000, seed=100)
scale = practice.select(range(200 if course.scale.enforce else 8))
judge = judge.standardised(scale["prompt"][:],
                           feedback.say(tuned.model, scale, seed=0).replies)
settings = {"steps": course.scale.online_steps, "learning_rate": 2e-4}
priced = train.ppo(tuned.model, practice, judge,
                   train.PPORecipe(kl_coefficient=0.05, **settings), name="PPO",
                   show_progress=False)

# %% [markdown]
# **Predict.** And if divergence were for free? The same steps, from the same start:

# %%
free = train.ppo(tuned.model, practice, judge,
                 train.PPORecipe(kl_coefficient=0.0, **settings),
                 name="PPO without a price", show_progress=False)
show.loss_curve({"PPO": priced, "without a price": free}, y="reward", x="step",
                smooth=0.5, title="reward, deviations of the start's")

# %%
show.loss_curve({"PPO": priced, "without a price": free}, y="kl", x="step",
                smooth=0.5, title="divergence from the start, nats a reply")

# %% [markdown]
# The reward rises either way; of course it does. But it is the reward *model's* opinion. What does the rubric say, which
# none of them has seen?

# %%
policies = {"assistant": tuned, "PPO": priced, "PPO without a price": free}
said |= {name: feedback.say(policies[name].model, test, seed=0)
         for name in ("PPO", "PPO without a price")}
start = said["assistant"].replies
verdict = {}
for name in policies:
    replies = said[name].replies
    wins = evaluate.win_rate(rows, replies, start)
    verdict[name] = {"reward": judge.score(test["prompt"][:], replies).mean(),
                     "utility": feedback.judged(test, said[name])[feedback.UTILITY],
                     "wins": wins["rate"], "low": wins["low"], "high": wins["high"]}
show.table([{"policy": name, **values} for name, values in verdict.items()],
           caption="wins: share of prompts with a better reply than the assistant's")

# %%
course.claim("H3", metric="reward", treatment=verdict["PPO"]["reward"],
             control=verdict["assistant"]["reward"])

# %%
course.claim("H3", treatment=verdict["PPO"]["wins"], control=0.5)

# %% [markdown]
# ### Reward hacking
# A policy searches for whatever the reward model likes, its mistakes included. The longer it may search for free, the more
# it finds. The ledger went on for twice as long:

# %%
h3 = course.ledger("H3")
looks = pd.DataFrame([
    {"policy": arm, "share of training": share, "what": what, "value": value}
    for seed in h3["details"] for arm, seen in seed["looks"].items()
    for what in ("reward", "utility by the rubric")
    for share, value in zip(seen["share"], seen[what], strict=True)])
for what in ("reward", "utility by the rubric"):
    means = looks[looks["what"] == what].groupby(["policy", "share of training"])["value"]
    show.table(means.mean().unstack().reset_index(), caption=what)

# %%
last = h3["details"][0]
show.table([{"asked": asked, **{arm: texts[i] for arm, texts in last["says"].items()}}
            for i, asked in enumerate(last["prompts"])],
           caption="seed 0 of the ledger, at its end")

# %%
utilities = course.ledger("H3", "utility by the rubric")["arms"]
show.seeds(utilities, control="start", unit="utility by the rubric")

# %% [markdown]
# *When a measure becomes a target, it ceases to be a good measure* (Goodhart). The price on divergence is no detail of the
# method: it is what keeps the policy where the reward model's opinion is worth something.

# %% [markdown]
# ## Where the pieces live on AWS
# Then and now, with AWS's own pages. What older notes have no word for is marked "—".

# %%
show.table(aws.feedback_table())

# %% [markdown]
# Comparisons leave as records with `prompt`, `chosen` and `rejected` (DPO on SageMaker); prompts whose right answer is known,
# as `messages` with a `reference_answer` (reinforcement fine-tuning on Bedrock). Such files, and the jobs that would read
# them, are made here and checked without an account. **Predict.** Break one thing in each: how many are refused?

# %%
from fmcourse.evidence.experiments.feedback_on_aws import (
    ACCEPTED,
    BROKEN,
    MADE,
    feedback_on_aws,
)

outcome = feedback_on_aws()
accepted = {arm: outcome.arms[arm][ACCEPTED] for arm in (MADE, BROKEN)}
show.table(outcome.details["broken"], rows=8)

# %%
course.claim("H6", treatment=accepted[MADE], control=accepted[BROKEN])

# %% [markdown]
# ## What it costs
# Supervised tuning reads; reinforcement learning writes, too, and asks three other models about each reply.

# %%
show.cost_bars({"pre-training the base": train.Cost(**base.card["cost"]),
                "supervised": tuned.cost, "PPO": priced.cost})

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *Which data does a reward model need?* Several responses to a prompt, ranked by people.
# - *In which order?* Supervised fine-tuning, reward model, reinforcement learning.
# - *Why feedback, if there are labels?* Values such as helpfulness are hard to write as labels, and easy to compare.
# - *Replies score ever better and read ever worse.* Reward hacking: keep near the reference (a KL penalty), or renew the
#   reward model with new comparisons.

# %% [markdown]
# > **Today** (November 2026). The exam lists RLHF under data preparation, for the rankings are data. Older notes say that
# > SageMaker RL can do it; SageMaker RL was made for simulated environments (Coach, RLlib), never for language models.
# > Bedrock offers *reinforcement fine-tuning*, SageMaker that and *DPO*: lesson 11 has both. Ground Truth, where the
# > rankings were to be made, takes no new customers.

# %% [markdown]
# ## Yours to try
# Rank the fifty pairs by a taste that is not the rubric's (the chattiest wins), run on: whose taste does the reward model
# have? Or set `kl_coefficient=0.5`: what is left of the reward, and of the divergence? Then on to lesson 11.
