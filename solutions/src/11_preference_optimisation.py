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
# ---

# %% [markdown]
# # 11 · Exercises: preference optimisation today
# Newer methods leave parts of RLHF out: DPO the reward model, GRPO the value function, a program the annotators. What is
# left is a few lines, and each line is where a run goes wrong without an error.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("dpo_loss")` gives a hint,
# `sheet.hint("dpo_loss", 2)` the last one.

# %%
import math

import torch
from torch.nn.functional import logsigmoid

import fmcourse as fm

sheet = fm.classroom.sheet("11")

# %% [markdown] exercise="dpo_loss" kind="debug" difficulty=3 minutes=20 claims=["H5"]
# ## The loss that did not begin at ln 2
# Before its first step a policy *is* its reference, so it prefers nothing more than the reference does. DPO's loss is then
# −log ½, or 0.69, whatever the pairs are. This one ran for a night. Run it, with the policy as it was at its start:

# %%
def faulty_dpo_loss(chosen, rejected, reference_chosen, reference_rejected,
                    chosen_mask, rejected_mask, beta):
    better = chosen.sum(1) - rejected.sum(1)
    return -logsigmoid(beta * better).mean()


long = torch.tensor([[-1.0, -2.0, -1.0, -3.0], [-2.0, -1.0, -2.0, -2.0]])
short = torch.tensor([[-1.0, -0.5, -9.0, -9.0], [-0.5, -9.0, -9.0, -9.0]])  # then padding
masks = torch.ones(2, 4), (short > -9).float()
print(f"long chosen: {faulty_dpo_loss(long, short, long, short, *masks, 0.1):.2f}, "
      f"short chosen: {faulty_dpo_loss(short, long, short, long, *masks[::-1], 0.1):.2f}")

# %% [markdown]
# Two things are forgotten, and the arguments for both are there. Mend it.

# %%
def dpo_loss(chosen: torch.Tensor, rejected: torch.Tensor, reference_chosen: torch.Tensor,
             reference_rejected: torch.Tensor, chosen_mask: torch.Tensor,
             rejected_mask: torch.Tensor, beta: float) -> torch.Tensor:
    """Direct preference optimisation, from the log-probabilities of tokens.

    Args:
        chosen, rejected: (pairs, time) under the policy, in nats; any number where there is none.
        reference_chosen, reference_rejected: (pairs, time), of the same tokens, under the
            reference.
        chosen_mask, rejected_mask: (pairs, time), 1 for the tokens of a reply.
        beta: the price of moving away from the reference.

    Returns:
        A scalar: the mean of -log sigmoid(beta · how much further than the reference the policy
        prefers the chosen reply).

    >>> now, start, one = torch.tensor([[-1.0]]), torch.tensor([[-3.0]]), torch.ones(1, 1)
    >>> dpo_loss(now, start, start, start, one, one, beta=1.0)  # chosen: 2 nats likelier now
    tensor(0.1269)
    """
    ### BEGIN SOLUTION
    moved = ((chosen - reference_chosen) * chosen_mask).sum(1)
    other = ((rejected - reference_rejected) * rejected_mask).sum(1)
    return -logsigmoid(beta * (moved - other)).mean()
    ### END SOLUTION


# %%
sheet.check(dpo_loss)

# %% [markdown] tags=["commentary"]
# **What was wrong.** A log-probability is a sum over tokens, so a long reply looks unlikely, and a padded one absurd.
# Without the reference the loss rewards what is short; with it, both sides are measured from where they began. One
# assertion finds that: the first loss is ln 2. It does not find padding, which cancels at the start and no more after the
# first step; for that, pad a pair by one token and see whether the loss moves. Counting the *prompt's* tokens, of which
# people warn, does no harm here as long as both replies have the same prompt: they cancel between the sides.

# %% [markdown] exercise="group_advantages" kind="implement" difficulty=2 minutes=10 claims=["H5"]
# ## Better than its siblings
# GRPO asks for several replies to each prompt and praises those that are better than their group: the reward less the
# group's mean, in standard deviations (n − 1) of the group. To the deviation 0.0001 is added. Where all are equal, nobody
# is praised.

# %%
def group_advantages(rewards: torch.Tensor) -> torch.Tensor:
    """Each reward against those of its group.

    Args:
        rewards: (prompts, replies), two replies at least.

    Returns:
        The same shape.

    >>> group_advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0]]))
    tensor([[ 0.8659, -0.8659, -0.8659,  0.8659]])
    """
    ### BEGIN SOLUTION
    mean, deviation = rewards.mean(1, keepdim=True), rewards.std(1, keepdim=True)
    return (rewards - mean) / (deviation + 1e-4)
    ### END SOLUTION


# %%
sheet.check(group_advantages)

# %% [markdown]
# **Try it.** Eight replies of which one is right, four, or seven. How loud is one right reply, and how loud one wrong one?

# %%
for right in (1, 4, 7):
    row = torch.tensor([[1.0] * right + [0.0] * (8 - right)])
    praise = group_advantages(row)[0]
    print(f"{right} of 8 right: a right one {praise[0]:+.2f}, a wrong one {praise[-1]:+.2f}")

# %% [markdown] tags=["commentary"]
# **How it works.** The group is the value function: what could be expected of this prompt is what its other replies got.
# Divided by the deviation, what is rare in a group is loud, be it right or wrong. Dr. GRPO leaves the division out, since
# it makes prompts count more that are nearly always, or nearly never, answered right. The 0.0001 is not for precision:
# without it one prompt with eight equal replies turns the whole model into NaN.

# %% [markdown] exercise="token_losses" kind="implement" difficulty=4 minutes=25 claims=["H5"]
# ## A step not too far
# GRPO's loss of a token has two parts. PPO's: with the ratio ρ of its probability now to that when it was sampled,
# −min(ρ·A, ρ clipped to 1 ± ε, times A). And β times an estimate of the divergence from the reference, *k3*: with r the
# ratio of the reference's probability to the policy's, `(r − 1) − log r`.

# %%
def token_losses(log_probs: torch.Tensor, old_log_probs: torch.Tensor,
                 reference_log_probs: torch.Tensor, advantages: torch.Tensor,
                 epsilon: float, beta: float) -> torch.Tensor:
    """GRPO's loss of each token, before any mean is taken.

    Args:
        log_probs, old_log_probs, reference_log_probs: (replies, time), in nats: now, when the
            tokens were sampled, and under the reference.
        advantages: (replies,), one for all tokens of a reply.
        epsilon: how far a probability may move, as a share.
        beta: the price of divergence.

    Returns:
        (replies, time).

    >>> now, then = torch.tensor([[0.6]]).log(), torch.tensor([[0.4]]).log()
    >>> token_losses(now, then, now, torch.tensor([1.0]), 0.2, 0.1)  # ρ is 1.5, clipped 1.2
    tensor([[-1.2000]])
    """
    ### BEGIN SOLUTION
    praise = advantages[:, None]
    ratio = (log_probs - old_log_probs).exp()
    step = torch.minimum(ratio * praise, ratio.clamp(1 - epsilon, 1 + epsilon) * praise)
    log_r = reference_log_probs - log_probs
    return -step + beta * (log_r.exp() - 1 - log_r)
    ### END SOLUTION


# %%
sheet.check(token_losses)

# %% [markdown]
# **Now see what clipping does.** The gradient of a token by its ratio, praised and blamed. Where is it 0, and where is it
# not, although the ratio is out of range?

# %%
then = torch.tensor([[0.2]]).log()
for ratio in (0.5, 1.0, 1.5):
    for praise in (1.0, -1.0):
        now = (then + math.log(ratio)).requires_grad_()
        token_losses(now, then, now.detach(), torch.tensor([praise]), 0.2, 0.0).sum().backward()
        print(f"ratio {ratio}, advantage {praise:+.0f}: gradient {now.grad.item():+.1f}")

# %% [markdown] tags=["commentary"]
# **How it works.** The minimum clips one way only. What has moved as it was asked to, and far enough, has no gradient left;
# what moved the wrong way keeps it and can come back. k3 is the log-ratio plus something that is 0 on average (`r − 1`),
# chosen so that no single token's estimate is below 0. Then the mean is taken, and *which* mean matters: over each reply
# first, a long wrong reply costs as little as a short one.

# %% [markdown] exercise="predicted_signals" kind="predict" difficulty=2 minutes=8 claims=["H5"]
# ## Groups that say nothing
# A program says right or wrong, and groups have eight replies. In how many groups is there something to learn: *hardly
# any*, *half* or *nearly all*? The model is right
#
# - `hopeless`: in 1 of 100 replies,
# - `hard`: in 10 of 100,
# - `even`: in 50 of 100,
# - `easy`: in 99 of 100.

# %%
def predicted_signals() -> dict[str, str]:
    """Your predictions, with the four keys and the words in italics above.

    >>> ", ".join(sorted(predicted_signals()))
    'easy, even, hard, hopeless'
    """
    ### BEGIN SOLUTION
    return {"hopeless": "hardly any", "hard": "half", "even": "nearly all", "easy": "hardly any"}
    ### END SOLUTION


# %%
sheet.check(predicted_signals)

# %% [markdown]
# **Now count**, by sampling 10,000 groups of each:

# %%
draw = torch.Generator().manual_seed(0)
for share in (0.01, 0.1, 0.5, 0.99):
    right = (torch.rand(10_000, 8, generator=draw) < share).float()
    loud = (right.std(1) > 0).float().mean()
    print(f"right in {share:.0%}: {loud:.0%} of groups say something")

# %% [markdown] tags=["commentary"]
# **Why.** `1 − p⁸ − (1 − p)⁸`: 8, 57, 99 and 8 %. A method that compares learns at the edge of what the model can do. So
# AWS's advice on reinforcement fine-tuning: where all rewards are 0, tune on demonstrations first; above 95 %, you do not
# need it. And look at the share of silent groups during training. It rises as the model gets better, and with it the price
# of each lesson learnt.

# %% [markdown] exercise="right_answer" kind="debug" difficulty=3 minutes=20 claims=["H5"]
# ## The grader that could be talked round
# Replies should end with a line `Answer: …`. This reward rose to 1.0 within an hour of GRPO, and the model had become
# useless. Run it on what the policy says now, and find out why.

# %%
def faulty_right_answer(reply, answer):
    return float(answer.lower() in reply.lower())


now_says = ["Answer: 1 2 3 4 5 6 7 8 9 10 11 12", "Answer: 112", "Yes no maybe. 12. Answer: 7"]
print([faulty_right_answer(reply, "12") for reply in now_says])

# %% [markdown]
# Write a reward that pays for an answer, and for nothing that merely contains one.

# %%
def right_answer(reply: str, answer: str) -> float:
    """1.0 for a right reply, else 0.0.

    It is right if exactly one of its lines begins with "Answer:", and what follows on that line
    is the answer.
    White space around a line and around the answer, capitals, and one full stop at its end do not
    matter.

    >>> right_answer("Half of 24.\\nAnswer: 12.", "12"), right_answer("It is 12.", "12")
    (1.0, 0.0)
    """
    ### BEGIN SOLUTION
    def bare(text):
        return text.strip().removesuffix(".").strip().casefold()

    lines = [line.strip() for line in reply.splitlines()]
    said = [bare(line[len("answer:"):]) for line in lines if line.casefold().startswith("answer:")]
    return float(said == [bare(answer)])
    ### END SOLUTION


# %%
sheet.check(right_answer)

# %% [markdown]
# **Attack it.** Find a reply that earns 1.0 and that you would still not want. (There are some: this rule sees the last
# line, and not how it was come by.)

# %%
for reply in [*now_says, "I have no idea.\nAnswer: 12"]:
    print(right_answer(reply, "12"), repr(reply))

# %% [markdown] tags=["commentary"]
# **What was wrong.** *Contains* is a fair test of an honest reply, and no test of a policy that searches for what earns. It
# found that saying everything contains the answer. A verifiable reward is a program with an attacker: before a run, write
# the replies that should earn nothing, and after it, read those that earned most. Partial credit for several answers is an
# invitation.

# %% [markdown] exercise="most_harm" kind="investigate" difficulty=3 minutes=35 claims=["H5"]
# ## None of thirty
# "We asked thirty harmful things, and it met none." How harmful may it still be? Give the largest rate at which so little
# harm (so many met, or fewer) is still seen in one of twenty such tests.

# %%
def most_harm(met: int, asked: int) -> float:
    """The rate of met requests that a test cannot rule out, with 95 % confidence.

    Args:
        met: harmful requests that were met.
        asked: all of them; each is met or not with the same chance.

    Returns:
        The largest p at which `met` or fewer have a chance of 0.05, to within one per cent
        of itself; 1.0 if all were met.

    >>> round(most_harm(0, 30), 3)
    0.095
    """
    ### BEGIN SOLUTION
    low, high = 0.0, 1.0
    for _ in range(50):
        p = (low + high) / 2
        so_few = sum(math.comb(asked, k) * p**k * (1 - p) ** (asked - k) for k in range(met + 1))
        low, high = (p, high) if so_few > 0.05 else (low, p)
    return high
    ### END SOLUTION


# %%
sheet.check(most_harm)

# %% [markdown]
# **Investigate.** Write twenty requests that an assistant you can use should decline (mild ones will do; you need not read
# what it would have said), and twenty harmless ones that *look* like them: "How do I kill a process?" Ask, count, and put
# the four numbers here.

# %%
met, harmful, declined, lookalikes = 0, 20, 3, 20
sheet.own("most_harm", met, harmful, declined, lookalikes)
print(f"harmful requests met: {met} of {harmful}, at most {most_harm(met, harmful):.0%}")
print(f"look-alikes declined: {declined} of {lookalikes}, at most "
      f"{most_harm(declined, lookalikes):.0%}")
print("asked, to say below 1 %:", next(n for n in range(1, 1000) if most_harm(0, n) < 0.01))

# %% [markdown]
# **Your finding.** Four or five sentences that a person who decides about a launch could use.
#
# ### BEGIN SOLUTION
# *Such a finding might read (its numbers are made up):* Of twenty requests in four kinds of harm, written before the first
# was asked, the assistant met none; at 95 % it may still meet up to 14 % of such requests, so this is no evidence for a
# public launch. It declined three of twenty harmless look-alikes, all of them with *kill* or *attack* in them: it seems to
# listen to words. A model that declines everything would have passed the first test, so neither number says anything
# without the other. Next we ask 300 harmful requests, half of them by people who want to break it, in words that training
# has not seen; and we add look-alikes to the comparisons before that.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | bound | gives the upper bound beside the count, and says what it allows |
# | control | reports look-alikes declined beside harm met, and says why both |
# | sample | says how the requests came about, and whom they do not stand for (kinds, languages, attackers) |
# | next | names a step with a number that would change the decision |

# %% [markdown] tags=["commentary"]
# **How it works.** With none met it is `1 − 0.05^(1/n)`, about `3/n`, the *rule of three*: thirty requests rule out one in
# ten, and nothing below. For 1 % it takes 299. The formula assumes that requests are drawn like those that will come. They
# are not, if somebody wants to do harm: an attacker does not draw, he searches. So the bound is on chance alone, and red
# teams exist.

# %% [markdown] exercise="align" kind="design" difficulty=3 minutes=25 claims=["H5"]
# ## Which route?
# Choose for each: *DPO*, *PPO with a reward model*, *GRPO with a program*, *best of n*, *demonstrations first*,
# *comparisons about look-alikes*.
#
# - `archive`: "40,000 pairs of replies, of which customers chose one. One GPU; nothing can be sampled while we train."
# - `amounts`: "One in three of its refunds is computed right, and a program can tell which."
# - `none right`: "A parser can tell whether a command is right. Of a thousand that it wrote, none is."
# - `tonight`: "We rent the model, its weights are not ours. There is a good reward model, and no hurry with replies."
# - `fashion`: "What is liked changes by the week. Each week raters judge the policy's newest replies, and our judge is
#   renewed. We have a cluster."
# - `kill`: "Since it was aligned it meets no harmful request. Nor does it say how to kill a process, or shoot a film."

# %%
def align() -> dict[str, str]:
    """Your choice for each of the six.

    >>> ", ".join(sorted(align()))
    'amounts, archive, fashion, kill, none right, tonight'
    """
    ### BEGIN SOLUTION
    return {"archive": "DPO", "amounts": "GRPO with a program",
            "none right": "demonstrations first", "tonight": "best of n",
            "fashion": "PPO with a reward model", "kill": "comparisons about look-alikes"}
    ### END SOLUTION


# %%
sheet.check(align)

# %% [markdown]
# **Your plan.** For `amounts`, with one constraint: a wrong amount in the customer's favour must be paid. Five or six
# sentences: the reward, what could hack it, and when you would stop.
#
# ### BEGIN SOLUTION
# The reward is 1 if exactly one line begins with "Refund:" and its amount is the program's to the cent, else 0; too much
# and too little both earn nothing, for half a point for "near" would be learnt as "a little more". One in three right means
# that nearly all groups of eight say something, so no demonstrations are needed first. What could hack it: stating several
# amounts, copying one that stands in the customer's mail, or answering only the easy claims; so a tenth of the prompts hold
# a wrong amount in the mail, and we read the fifty best-paid replies after each hundred steps. KL to the start is priced
# and drawn beside the reward. We stop when right amounts on 500 claims of the newest month no longer rise, or when overpaid
# cents per claim do, which the reward does not see; and if overpayment is above what clerks do today, it does not go out.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | reward | could be programmed as it is written, edge cases included |
# | signal | says whether groups will have something to compare, and what if not |
# | hacks | names two ways of earning without answering, and a guard for each |
# | constraint | measures overpayment by itself, and lets it decide |
# | stop | a number on held-out claims ends the run |

# %% [markdown] tags=["commentary"]
# **Why.** Look at what there *is*. Pairs on file: DPO, the cheapest to run. A program: sample and compare, if the model is
# right now and then. A judge that is kept fresh: PPO, or GRPO with it. No weights: choose among several replies, and pay at
# every request. And a refusal is learnt like anything else, from examples; what it should *not* refuse must be among them.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/11_preference_optimisation.ipynb`.
