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
#     title: Preference optimisation
#     claims: [H5]
#     minutes_cpu: 5
#     minutes_gpu: 3
# ---

# %% [markdown]
# # 11 · Preference optimisation
# **Question:** can a model learn from preferences without a reward model, and when is nobody's opinion needed?
#
# Claim H5 · about 5 minutes on two CPU cores, 3 on a GPU · after lesson 10

# %% [markdown]
# > **Exam words.** *Direct preference optimisation* (DPO) learns from comparisons without a reward model. *Reinforcement
# > fine-tuning* (RFT) takes a program, or another model, that grades replies; where a program can check what is right, it is a
# > *verifiable reward*. GRPO is its usual algorithm.

# %%
import pandas as pd
import torch
import torch.nn.functional as F

import fmcourse as fm
from fmcourse import data, evaluate, models, show, train
from fmcourse.data import assistant
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.commanded import PRICE, command_grade
from fmcourse.evidence.experiments.routes import RATES, REPLYING, TRAINING

course = fm.start("11", claims=["H5"])
base = models.load("base")

# %% [markdown]
# ## The raw idea: a policy is a reward model
# Lesson 10 ended with the best policy there is, at a price of β for a nat of divergence: `π ∝ π_start · exp(r / β)`. Read it
# backwards: `r = β · log(π / π_start)`, but for a constant. So *any* policy says which rewards it would be best for.
#
# Put that into Bradley and Terry's `P(a before b) = σ(r_a − r_b)`, and the reward model is gone:

# %%
tastes = torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0, -2.0])  # of six replies; hidden
draw = torch.Generator().manual_seed(0)
pairs = torch.rand(4000, 6, generator=draw).argsort(1)[:, :2]  # any two of them
first = torch.rand(4000, generator=draw) < (tastes[pairs[:, 0]]
                                            - tastes[pairs[:, 1]]).sigmoid()
chosen, rejected = torch.where(first[:, None], pairs, pairs.flip(1)).T

beta, start = 0.5, torch.full((6,), 1 / 6).log()
logits = torch.zeros(6, requires_grad=True)
climb = torch.optim.Adam([logits], lr=0.1)
for _ in range(300):
    reward = beta * (logits.log_softmax(0) - start)  # what this policy is best for
    loss = -F.logsigmoid(reward[chosen] - reward[rejected]).mean()
    climb.zero_grad()
    loss.backward()
    climb.step()

# %% [markdown]
# That loop is DPO. It has seen choices alone; the hidden tastes would have made this policy the best one:

# %%
best = (tastes / beta + start).softmax(0)
found = logits.softmax(0).detach()
assert torch.allclose(found, best, atol=0.05)
show.table([{"reply": name, "taste": taste, "best policy": f"{b:.0%}",
             "DPO found": f"{f:.0%}"}
            for name, taste, b, f in zip("abcdef", tastes.tolist(), best.tolist(),
                                         found.tolist(), strict=True)])

# %% [markdown]
# The library's loss is the same line, for the log-probabilities of whole replies; two models are needed, where PPO has four.

# %%
policy = logits.log_softmax(0)
same = train.losses.dpo_loss(policy[chosen], policy[rejected],
                             start[chosen], start[rejected], beta=beta)
assert torch.isclose(same, loss, atol=1e-3)
print(f"ours {loss.item():.4f}, the library's {same.item():.4f}")

# %% [markdown]
# ## From comparisons straight to a policy
# The same beginning as in lesson 10: the base is tuned on demonstrations by several hands, some of them rude, answers each
# question twice, and a **simulated** annotator prefers one.

# %%
shown = assistant.demonstrations(feedback.DEMONSTRATIONS, shares=feedback.QUESTIONS)
recipe = train.InstructRecipe.at_scale(learning_rate=2e-3)
tuned = train.instruct(base, shown, recipe, name="assistant", show_progress=False)

# %%
count = course.scale.preference_pairs // 2
new = feedback.questions(count, seed=feedback.COMPARED)
[pairs] = feedback.compared(tuned.model, new, seed=0)
pairs = pairs.filter(lambda row: not row["tie"])
show.table(pairs.select_columns(["prompt", "chosen", "rejected"]).select(range(4)))

# %% [markdown]
# Ties say nothing here, and are left out. **Predict.** What will DPO make likelier: right answers, better manners, or both?

# %%
recipe = train.PreferenceRecipe(learning_rate=RATES["DPO"])
policy = train.prefer(tuned.model, pairs, recipe, name="DPO", show_progress=False)
test = feedback.questions(200 if course.scale.enforce else 12, seed=0, part="test")
rows = list(test)
said = {name: feedback.say(model, test, seed=0)
        for name, model in {"assistant": tuned.model, "DPO": policy.model}.items()}
short = sorted(range(len(rows)), key=lambda i: len(rows[i]["prompt"]))[:5]
show.table([{"asked": rows[i]["prompt"], "right": rows[i]["answer"],
             **{who: said[who].replies[i] for who in said}} for i in short])

# %%
wins = evaluate.win_rate(rows, *(said[who].replies for who in ("DPO", "assistant")))
print("DPO won {rate:.0%}, 95 %: {low:.0%} to {high:.0%}".format(**wins))
show.table([{"policy": who, **feedback.judged(test, replies)}
            for who, replies in said.items()])

# %%
course.claim("H5", treatment=wins["rate"], control=0.5)

# %% [markdown]
# The rubric, which neither has seen, says who won: the same reply would win half. Comparisons were enough; no reward model
# was trained, and nothing was sampled while training. Manners improve; right answers do not, as with PPO in lesson 10.
#
# A price is left: with `β` too small or too many steps DPO makes *both* replies of a pair unlikelier, the rejected one more so,
# and something third is said. Its loss has no floor.

# %% [markdown]
# ## When nobody's opinion is needed
# Is a command for the AWS CLI right? Its own parser knows, and the API's model. Such a *verifiable reward* cannot be talked
# into anything. A quarter each: for the right service, the right operation, being taken by the CLI, and parameters that fit.

# %%
manual, commands = data.manual(), data.commands()
told = data.with_manual(commands["train"], manual, count=1)
told = told.filter(lambda row: len(row["text"]) < 400)  # short enough to be read whole
row = told[0]
tries = [row["completion"], row["completion"].replace(" --", " -"), "aws please"]
show.table([{"reply": reply, "reward": reward} for reply, reward in zip(
    tries, command_grade([row] * 3, tries), strict=True)],
    caption=row["prompt"].split("\n\n")[-1])

# %% [markdown]
# ### The raw idea: the siblings say what was to be expected
# PPO learns a value function to tell a good reply from a lucky prompt. *Group-relative policy optimisation* (GRPO) asks the
# model the same thing several times instead. What beats its siblings gets likelier:

# %%
rewards = torch.tensor([[1.0, 0.0, 0.0, 1.0],  # a prompt's four replies
                        [0.3, 0.3, 0.3, 0.3]])
spread = rewards.std(1, keepdim=True) + 1e-4
advantages = (rewards - rewards.mean(1, keepdim=True)) / spread
assert torch.allclose(advantages, train.losses.group_advantages(rewards), atol=1e-3)
print(advantages)

# %% [markdown]
# In the second group all are alike: nothing can be learnt, and nothing is. A prompt that is too easy or too hard costs
# replies and teaches nothing.

# %%
tokens = course.scale.instruct_tokens // 2
recipe = train.InstructRecipe(tokens=tokens, learning_rate=2e-3)
clerk = train.instruct(base, told, recipe, name="tuned on commands",
                       show_progress=False)
recipe = train.GRPORecipe(steps=course.scale.online_steps // 2 or 1, prompts=8,
                          samples=8, tokens=64, learning_rate=1e-4, beta=PRICE)
graded = train.grpo(clerk.model, told, command_grade, recipe, show_progress=False)
show.loss_curve({"GRPO": graded}, y="reward", x="step", smooth=0.5,
                title="reward, mean of a step's replies")

# %% [markdown]
# A few steps of sixty-four commands each, on a small model. **Predict.** What does it do with requests for operations that it
# never saw?

# %%
held = data.sample(commands["test_operations"], 64 if course.scale.enforce else 4)
held = data.with_manual(held, manual, count=1)
commanded = {}
for name, model in {"tuned": clerk.model, "GRPO": graded.model}.items():
    made = models.roll_out(models.with_chat(model), held["prompt"][:], 64, seed=0)
    commanded[name] = made.replies(model)
    print(f"{name}: {sum(command_grade(list(held), commanded[name])) / len(held):.2f}")
show.table([{"asked": row["prompt"].split("\n\n")[-1], "wanted": row["completion"],
             **{name: texts[i] for name, texts in commanded.items()}}
            for i, row in enumerate(held.select(range(3)))])

# %% [markdown]
# Whatever you see here is one run on sixty-four requests: no evidence, a demonstration. Judge a reward by what it makes
# likelier: four quarters invite a policy to collect the easy ones first.

# %% [markdown]
# ## Every route, from one start
# The ledger took lesson 10's assistant, its questions, comparisons and reward model, and went six ways from there. *Best of
# 8* trains no policy: the reward model picks, whenever somebody asks.

# %%
h5 = course.ledger("H5", feedback.WINS)
show.seeds(h5["arms"], control="start", unit=h5["metric"])

# %%
routes = pd.DataFrame([{"route": name, **arm}
                       for seed in course.ledger("H5")["details"]
                       for name, arm in seed["arms"].items()])
shown = {"wins": feedback.WINS, "right answers": feedback.HELPFUL,
         "KL, nats": feedback.KL, TRAINING: TRAINING, REPLYING: REPLYING}
mean = routes.groupby("route", sort=False)[list(shown.values())].mean()
show.table(mean.set_axis(list(shown), axis=1).reset_index(), caption="means over seeds")

# %%
routes["comparisons lost"] = 1 - routes[feedback.WINS]
show.trade_off(routes, x=feedback.KL, y="comparisons lost", label="route",
               start="start", title="comparisons lost, at what divergence")

# %% [markdown]
# DPO wins less often than those with a reward model, and goes nowhere near as far: a quarter of a nat. Its right answers are
# left as they were, where PPO and GRPO trade some for manners.
#
# Read the table by what you have. *Comparisons, and little time*: DPO. *A reward model, and time for each reply*: best of n.
# *A reward model, and replies that may not cost more*: PPO or GRPO.
#
# And *a program that checks*? Its reward of right answers made none likelier here. The assistant gives most of its practice
# questions' answers right already: groups are all alike, and nothing is learnt, as above. It needs prompts that are neither
# always nor never answered right. A random reward is no harmless control: it makes the policy drift.

# %% [markdown]
# ## What it costs

# %%
show.cost_bars({"supervised": tuned.cost, "DPO": policy.cost,
                "supervised, commands": clerk.cost, "GRPO, commands": graded.cost})

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *Comparisons, but no reward model wanted?* DPO: prompts with a chosen and a rejected reply.
# - *A right answer can be checked by a program?* Reinforcement fine-tuning: prompts and a grader, no replies written by people.
# - *Why not imitate good replies?* Imitation says what is good; a comparison says what is better, and of what to do less.

# %% [markdown]
# > **Today** (November 2026). Older notes know RLHF with PPO alone. Bedrock offers *reinforcement fine-tuning* (a Lambda
# > function or a model grades), SageMaker *DPO* and RFT, too; lesson 10 checks their records and jobs. In the exam guide
# > stands *RLHF*; DPO is one way to do its second half.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("11")

# %% [markdown]
# ## Yours to try
# Set `beta=0.5` in the recipe of DPO: what is won then, and how far from the start? Or give the graded commands a fifth part,
# for brevity. Then on to lesson 12.
