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
from fmcourse.evidence.experiments.feedback_on_aws import (
    ACCEPTED,
    BROKEN,
    MADE,
    feedback_on_aws,
)
from fmcourse.evidence.experiments.reinforced import PRICES, RATE

course = fm.start("10", claims=["H1", "H2", "H3", "H6"])
base = models.load("base")

# %% [markdown]
# ## A rubric that no model sees
# Three people of our imagination answer the same question. Which answer do you like best, and could you write a rule that
# says so for every question there will ever be?

# %%
rows = list(feedback.questions(40, seed=0))
row = min(rows, key=lambda row: len(row["prompt"]))
draw = random.Random(2)
by_hand = {hand: assistant.reply(row, hand, draw)
           for hand in ("to the point", "chatty", "rude")}
print(row["prompt"])

# %%
judged = evaluate.rubric([row] * 3, list(by_hand.values()))
show.table(judged[["helpful", "honest", "harmless", "concise", "utility"]].assign(
    hand=list(by_hand), says=list(by_hand.values())))

# %% [markdown]
# For this lesson somebody did: a program with a *rubric* judges. It stands for what people would agree on, and no model ever
# sees it. Annotators, all **simulated**, see it with noise; models see only what the annotators chose. So at the end it can
# be said who got better, and who only got better *liked*.

# %% [markdown]
# ## Step 1: supervised fine-tuning
# The base continues texts. It first has to learn to answer at all, from *demonstrations*: questions about a short text, with
# the reply of one hand or another, each in its manners.

# %%
shown = assistant.demonstrations(feedback.DEMONSTRATIONS, shares=feedback.QUESTIONS)
recipe = train.InstructRecipe.at_scale(learning_rate=2e-3)
tuned = train.instruct(base, shown, recipe, name="assistant", show_progress=False)
print({hand: f"{shown['hand'][:].count(hand) / len(shown):.0%}"
       for hand in sorted(set(shown["hand"]))})

# %% [markdown]
# **Predict.** The assistant imitates what it read. Will it imitate the good answers, or all of them?

# %%
test = feedback.questions(200 if course.scale.enforce else 12, seed=0, part="test")
rows = list(test)
said = {name: feedback.say(model, test, seed=0)
        for name, model in {"base": base, "assistant": tuned.model}.items()}
short = sorted(range(len(rows)), key=lambda i: len(rows[i]["prompt"]))
brief = [i for family in sorted({row["category"] for row in rows})
         for i in [i for i in short if rows[i]["category"] == family][:2]]
show.table([{"asked": rows[i]["prompt"], "right": rows[i]["answer"],
             **{who: said[who].replies[i] for who in said}} for i in brief])

# %%
scored = {who: feedback.judged(test, replies) for who, replies in said.items()}
show.table([{"model": who, **values} for who, values in scored.items()])

# %%
course.claim("H1", treatment=scored["assistant"][feedback.HELPFUL],
             control=scored["base"][feedback.HELPFUL])

# %% [markdown]
# All of them. Imitation has no opinion: a rude reply and a helpful one are learnt with the same care. So it answers, which
# the base does not, and it insults people, which the base does not either.
#
# The control in the ledger learnt from the same replies, each below a question that it does not belong to.

# %%
h1 = course.ledger("H1")
show.seeds(h1["arms"], control="tuned on misplaced replies", unit=h1["metric"])

# %% [markdown]
# Misplaced replies teach the manners of an answer, and that it ends; the table of the ledger, below, has that, too. *What*
# the answer is, they cannot teach.

# %% [markdown]
# ## Step 2: people compare
# To say what is good in general is hard; to say which of two replies is better is easy. So that is what people are asked.
# First you: fifty pairs, the same on every machine. Press `1` or `2`, `0` for a tie, `u` takes back; each choice is saved.
#
# Follow a taste of your own. Do you like it when an assistant is warm, or brief?

# %%
contest = assistant.rivals(50, seed=1, shares=feedback.QUESTIONS)
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
# Find the rewards that make the choices likely. Here `r` is a sum over three traits, each with a weight to learn:

# %%
def traits(reply):
    """Words by the dozen, and whether it exclaims, and insults."""
    return [len(reply.split()) / 12, "!" in reply, reply.startswith(assistant.RUDE)]


# %%
choices = sitting.preferences()
forty, ten = choices.select(range(40)), choices.select(range(40, 50))
gap = torch.tensor([[a - b for a, b in zip(traits(c), traits(r), strict=True)]
                    for c, r in zip(forty["chosen"], forty["rejected"], strict=True)])
weights = torch.zeros(3, requires_grad=True)
taste = torch.optim.Adam([weights], lr=0.1)
for _ in range(200):
    loss = -F.logsigmoid(gap @ weights).mean() + 0.01 * weights.square().sum()
    taste.zero_grad()
    loss.backward()
    taste.step()
names = ("a dozen words", "an exclamation", "an insult")
print({name: round(weight, 1) for name, weight in zip(
    names, weights.tolist(), strict=True)})

# %% [markdown]
# That is what the choices say about the one who chose: below zero is what was disliked. **Predict.** A network that reads
# the replies themselves, taught by forty choices, again and again: how many of the ten others will it foretell?

# %%
small = train.RewardRecipe(pairs=480 if course.scale.enforce else 16)
yours = train.reward(tuned.model, forty, small, name="your taste",
                     show_progress=False).model
reward = [yours.raw(ten["prompt"][:], ten[side][:]) for side in ("chosen", "rejected")]
right = evaluate.pairwise_accuracy(*reward, ten["tie"][:])
low, high = evaluate.wilson(round(right * len(ten)), len(ten))
print(f"{right:.0%} of the last ten foretold (95 %: {low:.0%} to {high:.0%})")

# %% [markdown]
# Ten choices decide little, as the interval says. But a taste was learnt from choices alone; nobody told it to the model.

# %% [markdown]
# ### Two answers of the assistant's own
# For the real thing the assistant answers each question twice, and annotators compare. They are simulated; so it is known
# how often the truth itself would agree with their choices: the *ceiling* of any reward model.

# %%
count = course.scale.preference_pairs // 2
new = feedback.questions(count, seed=feedback.COMPARED)
[pairs] = feedback.compared(tuned.model, new, seed=0)
[held] = feedback.compared(tuned.model, test, seed=0)
top = assistant.ceiling(held, feedback.ANNOTATOR)
show.table(pairs.select_columns(["prompt", "chosen", "rejected"]).select(range(4)))

# %%
judge = train.reward(tuned.model, pairs, train.RewardRecipe.at_scale(),
                     name="reward model", show_progress=False).model
report = evaluate.preference_report(judge, held)
print(f"ceiling: {top:.0%}; accuracy: {report['accuracy'] / top:.0%} of it")
show.table([{"measure": name, "value": report[name]}
            for name in ("accuracy", "ece", "length_bias")])

# %% [markdown]
# *Accuracy*: of choices held out. *ECE*: how far being sure and being right are apart. *Length bias*: how much more often it
# takes the longer reply than the annotators did. Many reward models only count words; with a bias near 0, this one does not.

# %%
lengths = [[len(text) for text in held[side]] for side in ("chosen", "rejected")]
longer = evaluate.pairwise_accuracy(*lengths, held["tie"][:])
by_length = max(longer, 1 - longer)  # the longer reply, or the shorter
course.claim("H2", treatment=report["accuracy"], control=by_length)

# %% [markdown]
# The control is a rule that anybody could write down: by length. The ledger has more comparisons, fewer, and worse ones:
# from an annotator who is careless, and one who guesses. Is 85 % of the ceiling reached? Just. With five seeds it was still
# open; it took eight to be sure.

# %%
h2 = course.ledger("H2", "better reply found")
show.seeds(h2["arms"], control="guessing annotator", unit=h2["metric"])

# %% [markdown]
# Here it is known which reply is truly better. More comparisons help; an annotator who guesses teaches nothing, however
# much he is paid. Look at the dots of the careless one, from seed to seed: among thousands of choices slips may average
# out, or not. The rule *the one that is not rude* does well, for people agree on insults.

# %%
alike = course.ledger("H2", "better reply found, of two alike in manners")
show.seeds(alike["arms"], control="guessing annotator", unit=alike["metric"])

# %% [markdown]
# Where both replies are rude or neither is, what decides is who is right, and how briefly it is said. Look at *the longer
# reply*: it is so often wrong that its opposite, the shorter one, beats the reward model here. A network is no better than
# a rule because it is one: look for the best simple rule, and compare.
#
# So it judges manners better than truth. Remember this when a policy is told to please it.

# %% [markdown]
# ## Step 3: maximise the reward
# ### The raw idea
# Take sixteen replies to one question, with their rewards. A *policy* is a probability for each. Make the expected reward
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
            for i in best], caption=f"{rows[0]['prompt']} (right: {rows[0]['answer']})")

# %% [markdown]
# Only differences of reward count. For free, the policy says one thing only (twice, where it was sampled twice): whatever
# the reward model likes best, right or wrong. The dearer divergence is, the more of the start is left. The best policy is
# known in closed form, `π ∝ π_start · exp(r / β)`:

# %%
closed = (found / 0.3).softmax(0)
assert torch.allclose(closed, prices[0.3], atol=0.02)
print(f"largest difference: {(closed - prices[0.3]).abs().max():.4f}")

# %% [markdown]
# ### The same for all questions: PPO
# Nobody can list all replies of a language model. So it samples some, and makes those that got more reward than expected
# (an *advantage*) likelier, by a small step (*proximal*), again and again: *proximal policy optimisation*. Four models take
# part: the policy, its frozen start (*reference*), the reward model, and a value function, which says what was to be
# expected. The price is on the *KL divergence* from the reference; rewards are in deviations of the start's own.

# %%
practice = feedback.questions(2000, seed=feedback.PRACTISED)
few = practice.select(range(200 if course.scale.enforce else 8))
judge = judge.standardised(few["prompt"][:],
                           feedback.say(tuned.model, few, seed=0).replies)
recipe = train.PPORecipe(steps=course.scale.online_steps, learning_rate=RATE,
                         tokens=feedback.LONGEST, kl_coefficient=PRICES["PPO"])
policy = train.ppo(tuned.model, practice, judge, recipe, show_progress=False)
show.loss_curve({"PPO": policy}, y="reward", x="step", smooth=0.5,
                title="reward, deviations of the start's")

# %% [markdown]
# The reward rises; of course it does. But it is the reward *model's* opinion. **Predict.** What will the rubric say, which
# none of them has seen: more right answers, better manners, or both?

# %%
said["PPO"] = feedback.say(policy.model, test, seed=0)
verdict = {}
for name in ("assistant", "PPO"):
    replies = said[name].replies
    wins = evaluate.win_rate(rows, replies, said["assistant"].replies)
    verdict[name] = {"reward": judge.score(test["prompt"][:], replies).mean(),
                     **feedback.judged(test, said[name]),
                     **{key: wins[key] for key in ("rate", "low", "high")}}
show.table([{"policy": name, **values} for name, values in verdict.items()],
           caption="rate: of questions with a better reply than the assistant's")

# %%
show.table([{"asked": rows[i]["prompt"],
             **{who: said[who].replies[i] for who in ("assistant", "PPO")}}
            for i in brief])

# %%
course.claim("H3", metric="reward", treatment=verdict["PPO"]["reward"],
             control=verdict["assistant"]["reward"])

# %%
course.claim("H3", treatment=verdict["PPO"]["rate"], control=0.5)

# %% [markdown]
# Better manners. A right answer earns reward only as far as the reward model can tell it from a wrong one.

# %% [markdown]
# ### Reward hacking
# A policy searches for whatever the reward model likes, its mistakes included. **Predict.** And if divergence were cheap, or
# for free? The ledger has all three, for longer:

# %%
h3 = course.ledger("H3")
curves = {}
for arm in h3["details"][0]["steps"]:
    each = [pd.DataFrame(seed["steps"][arm]) for seed in h3["details"]]
    curves[arm] = (sum(each) / len(each)).assign(step=range(1, len(each[0]) + 1))
show.loss_curve(curves, y="reward", x="step", smooth=0.5,
                title="reward, mean over seeds")

# %%
show.loss_curve(curves, y="kl", x="step", smooth=0.5,
                title="divergence from the start, nats a reply, mean over seeds")

# %% [markdown]
# On average more reward, at many times the divergence; a low price holds the policy, too, if less tightly. And what do they
# say?

# %%
last = h3["details"][0]
show.table([{"asked": asked, **{arm: texts[i] for arm, texts in last["says"].items()}}
            for i, asked in enumerate(last["prompts"])],
           caption="seed 0 of the ledger, at its end")

# %% [markdown]
# In this seed, with nothing to hold it, the policy says what answers no question, and its reward is the highest. The rubric,
# seed by seed:

# %%
h3 = course.ledger("H3", "utility by the rubric")
show.seeds(h3["arms"], control="start", unit=h3["metric"])

# %% [markdown]
# *When a measure becomes a target, it ceases to be a good measure* (Goodhart). The price on divergence is no detail of the
# method: it is what keeps the policy where the reward model's opinion is worth something.
#
# How far a free policy runs differs from seed to seed. Yet in each it ends with the highest reward of all, and worse by the
# rubric than the start.

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
outcome = feedback_on_aws()
accepted = {arm: outcome.arms[arm][ACCEPTED] for arm in (MADE, BROKEN)}
show.table(outcome.details["broken"], rows=8)

# %%
course.claim("H6", treatment=accepted[MADE], control=accepted[BROKEN])

# %% [markdown]
# All of them; and each refusal names the line, or the field of the job, and what to do.

# %% [markdown]
# ## What it costs
# Supervised tuning reads; reinforcement learning writes, too, and asks three other models about each reply.

# %%
show.cost_bars({"pre-training the base": train.Cost(**base.card["cost"]),
                "supervised": tuned.cost, "PPO": policy.cost})

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
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("10")

# %% [markdown]
# ## Yours to try
# Rank the fifty pairs by a taste that is not the rubric's (the chattiest wins), run on: whose taste does the reward model
# have? Or set `kl_coefficient=0.5`: what is left of the reward, and of the divergence? Then on to lesson 11.
