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
# # 10 · Exercises: reward models and RLHF
# A reward model is taught by choices, a policy by the reward model; whatever is wrong with either ends up in what the
# assistant says. Here are the formulas of both, and three questions to put to them before you believe a rising curve.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("advantages")` gives a hint,
# `sheet.hint("advantages", 2)` the last one.

# %%
import torch
from torch.nn.functional import logsigmoid

import fmcourse as fm

sheet = fm.classroom.sheet("10")

# %% [markdown] exercise="preference_loss" kind="implement" difficulty=2 minutes=15 claims=["H2"]
# ## Which of two
# Bradley and Terry: the chance that a reply is preferred over another is the sigmoid of the difference of their rewards. A
# reward model is trained to be surprised as little as possible by what people chose. Where they could not decide, it is a
# *tie*: half a preference for either side.

# %%
def preference_loss(chosen: torch.Tensor, rejected: torch.Tensor,
                    ties: torch.Tensor) -> torch.Tensor:
    """The mean surprise at the choices, in nats a pair.

    Args:
        chosen, rejected: (pairs,) rewards; they may be hundreds apart.
        ties: (pairs,) bool; which side such a pair is written on must not matter.

    Returns:
        A scalar.

    >>> preference_loss(torch.tensor([2.0]), torch.tensor([0.0]), torch.tensor([False]))
    tensor(0.1269)
    """
    ### BEGIN SOLUTION
    gap = chosen - rejected
    clear, turned = -logsigmoid(gap), -logsigmoid(-gap)
    return torch.where(ties, (clear + turned) / 2, clear).mean()
    ### END SOLUTION


# %%
sheet.check(preference_loss)

# %% [markdown]
# **Now see what ties do.** The loss of a preference, and of a tie, by the difference of rewards. Where is each smallest?

# %%
for gap in (-2.0, 0.0, 2.0, 4.0):
    pair = torch.tensor([gap]), torch.tensor([0.0])
    print(f"{gap:+.0f}: preferred {preference_loss(*pair, torch.tensor([False])):.2f}, "
          f"tie {preference_loss(*pair, torch.tensor([True])):.2f}")

# %% [markdown] tags=["commentary"]
# **How it works.** Only differences enter, so a reward has no zero of its own: add 100 to all, and nothing changes. That is
# why rewards of two reward models cannot be compared, and why lesson 10 measures them in deviations of the start's.
# `log(sigmoid(x))` in two steps fails from about −100 on, where single precision has no number left for the sigmoid;
# `logsigmoid` goes on.

# %% [markdown] exercise="advantages" kind="implement" difficulty=5 minutes=25 claims=["H3"]
# ## Better than expected
# A reply is scored once, at its end. Which of its tokens deserve the praise? *Generalised advantage estimation*: a token's
# surprise is `δ = reward + γ · value of the next token − its own value`; its advantage is that, plus `λγ` times the next
# token's advantage.

# %%
def advantages(rewards: torch.Tensor, values: torch.Tensor, mask: torch.Tensor,
               gamma: float, lam: float) -> torch.Tensor:
    """How much better than expected each token turned out.

    Args:
        rewards: (batch, time), 0 where there is no token.
        values: (batch, time), what was expected before each token; anything where there is none.
        mask: (batch, time), 1 for tokens of the reply, then 0 to the end of the row.

    Returns:
        (batch, time), 0 where there is no token.

    >>> rewards, values = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.75]])
    >>> advantages(rewards, values, torch.ones(1, 2), gamma=1.0, lam=0.5)
    tensor([[0.3750, 0.2500]])
    """
    ### BEGIN SOLUTION
    made = torch.zeros_like(values)
    later = expected = torch.zeros(len(values))  # nothing, behind the last token
    for t in reversed(range(values.shape[1])):
        surprise = rewards[:, t] + gamma * expected - values[:, t]
        later = (surprise + gamma * lam * later) * mask[:, t]
        expected = values[:, t] * mask[:, t]
        made[:, t] = later
    return made
    ### END SOLUTION


# %%
sheet.check(advantages)

# %% [markdown]
# **Try it.** A reply of six tokens gets 1 at its end; after the third the value function already thinks that it will go
# well. Who is praised, with λ = 0, and with λ = 1?

# %%
reward, value = torch.tensor([[0.0, 0, 0, 0, 0, 1]]), torch.tensor([[0.2, 0.2, 0.2, 0.9, 0.9, 0.9]])
for lam in (0.0, 0.9, 1.0):
    print(f"λ = {lam}:", advantages(reward, value, torch.ones(1, 6), 1.0, lam)[0].round(decimals=2))

# %% [markdown] tags=["commentary"]
# **How it works.** One loop, from the end. With λ = 0 only the third token is praised, after which expectations rose:
# right, *if* the value function is. With λ = 1 it is not trusted, and everybody gets what came in the end less what was
# expected of them: right on average, and noisy. λ between the two. Padding has values, too, for a network gives a number
# for anything; multiply them away.

# %% [markdown] exercise="token_rewards" kind="debug" difficulty=3 minutes=20 claims=["H3"]
# ## The policy that was paid to leave
# The score of a reply is paid at its last token, and every token pays `beta` for each nat by which the policy finds it
# likelier than the *reference* (the frozen start) does. Somebody wrote this, and the policy was babbling within fifty
# steps. Run it: two replies of the same score; the second one's tokens are what the start would hardly ever say.

# %%
def faulty_token_rewards(scores, log_probs, reference_log_probs, mask, beta):
    rewards = beta * (log_probs - reference_log_probs) * mask
    rewards[:, -1] += scores
    return rewards


mask = torch.tensor([[1.0, 1, 0, 0], [1, 1, 1, 1]])
now = torch.tensor([[-1.0, -1.0, 0, 0], [-1.0, -1.0, -1.0, -1.0]])
start = torch.tensor([[-1.0, -1.5, 0, 0], [-6.0, -7.0, -6.0, -8.0]])
paid = faulty_token_rewards(torch.tensor([1.0, 1.0]), now, start, mask, beta=0.1)
print(paid.round(decimals=2), "in all:", (paid * mask).sum(1).round(decimals=2))

# %% [markdown]
# There are two faults. The mended one must not write into what it was given.

# %%
def token_rewards(scores: torch.Tensor, log_probs: torch.Tensor,
                  reference_log_probs: torch.Tensor, mask: torch.Tensor,
                  beta: float) -> torch.Tensor:
    """What each token earns.

    Args:
        scores: (batch,), of whole replies.
        log_probs, reference_log_probs: (batch, time), of the sampled tokens, in nats; anything
            where there is none.
        mask: (batch, time), 1 for tokens of the reply, then 0 to the end; each has one at least.
        beta: the price of a nat.

    Returns:
        (batch, time), 0 where there is no token.

    >>> now, start = torch.tensor([[-1.0, -1.0, 0.0]]), torch.tensor([[-1.0, -3.0, 0.0]])
    >>> token_rewards(torch.tensor([1.0]), now, start, torch.tensor([[1.0, 1.0, 0.0]]), 0.25) + 0
    tensor([[0.0000, 0.5000, 0.0000]])
    """
    ### BEGIN SOLUTION
    rewards = -beta * (log_probs - reference_log_probs) * mask
    last = mask.sum(1).long() - 1
    rewards[torch.arange(len(rewards)), last] += scores
    return rewards
    ### END SOLUTION


# %%
sheet.check(token_rewards)

# %% [markdown] tags=["commentary"]
# **What was wrong.** With the sign turned divergence is not paid for, it is paid *out*, so the reward rises beautifully
# while the policy leaves; only the KL beside it tells. And a reply that ended early got its score in the padding, where
# nobody learns: the policy was taught by long replies alone. Print what a single row earns before you train on it. Two
# replies like these are a unit test.

# %% [markdown] exercise="length_bias" kind="investigate" difficulty=3 minutes=30 claims=["H2"]
# ## Does it only count words?
# Many reward models like what is long. But so may people, and then it is no fault. *Length bias*: how often the longer
# reply of a pair earns more, less how often people chose the longer one. Write it; then ask it of your own choices.

# %%
def length_bias(chosen: list[float], rejected: list[float], chosen_lengths: list[int],
                rejected_lengths: list[int]) -> float:
    """How much more often length is rewarded than it was preferred.

    Args:
        chosen, rejected: rewards of the two replies of each pair. Equal ones count as half.
        chosen_lengths, rejected_lengths: of the replies. Pairs of equal length are left out of
            both shares; there is one of different length at least.

    Returns:
        From -1 to 1; above 0 where the rewards like length more than people do.

    >>> length_bias([2.0, 0.0], [1.0, 1.0], [5, 3], [3, 9])  # rated higher twice, chosen once
    0.5
    """
    ### BEGIN SOLUTION
    rated, preferred = [], []
    for good, bad, long, short in zip(chosen, rejected, chosen_lengths, rejected_lengths):
        if long != short:
            preferred.append(long > short)
            rated.append(0.5 if good == bad else (good > bad) == (long > short))
    return sum(rated) / len(rated) - sum(preferred) / len(preferred)
    ### END SOLUTION


# %%
sheet.check(length_bias)

# %% [markdown]
# **Investigate.** Put at least ten pairs of your own here (two mails, two answers of an assistant, two texts of a menu),
# the one you like better first. `judged` is a reward model of one line; replace it by any rule or model that you would
# trust. Beforehand, write down which bias you expect.

# %%
mine = [("We open at nine.", "It is kind of you to ask, thank you so much! We open at nine."),
        ("Turn it off, wait ten seconds, turn it on.", "Have you tried turning it off?"),
        ("No.", "That is a good question, and many people ask it. No.")]
sheet.own("length_bias", mine)


def judged(reply):
    return sum(word.strip("!.?") in {"thank", "good", "please", "you"} for word in reply.split())


rewards = [[judged(pair[side]) for pair in mine] for side in (0, 1)]
lengths = [[len(pair[side]) for pair in mine] for side in (0, 1)]
print(f"length bias {length_bias(*rewards, *lengths):+.2f} of {len(mine)} pairs")

# %% [markdown]
# **Your finding.** Four or five sentences: what you expected, what you found, how sure it is, and what you would do about
# it.
#
# ### BEGIN SOLUTION
# *Such a finding might read (its numbers are made up):* I expected a bias above 0: polite words need room. Of fifteen pairs
# of support mails, all of different length, the rule gave the longer one more in eleven (two were equal and count half),
# and I had chosen the longer one in six: 0.80 − 0.40 = +0.40. With fifteen pairs either share may be off by 0.25, so that
# there is a bias I would say, its size I would not. The control is what I chose myself: with the raw 0.80 alone I could not
# have known that I do not like long mails. For the reward model I would add pairs in which the short reply is the better
# one, and measure again on pairs that it has not seen.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | foretold | an expectation was written down before the number was seen |
# | control | says how often the longer one was *chosen*, beside how often it was rewarded |
# | sure | says how many pairs there were, and what that leaves open |
# | remedy | names data or a measure that would lessen the bias, and how one would see that it did |

# %% [markdown] tags=["commentary"]
# **How it works.** One loop and two shares of the same pairs. A policy trained on a reward with this bias finds out within
# a few dozen steps that one more sentence is cheaper than a better one. So it is asked before training, and asked of the
# policy's own replies again afterwards: the pairs that a reward model learnt from say little about those a policy will look
# for.

# %% [markdown] exercise="ceiling" kind="investigate" difficulty=3 minutes=30 claims=["H2"]
# ## How good can it be?
# Two annotators choose for the same pairs, without talking. Each is right with the same chance, a half or more, in any
# pair, whatever the other does; where both are right, or both wrong, they agree. A reward model that is *always right* is
# tested on the choices of one of them. How often does it foretell them?

# %%
def ceiling(first: list[int], second: list[int]) -> float:
    """How often a model that is always right foretells one annotator's choices.

    Args:
        first, second: which of two replies each annotator chose (0 or 1), of the same pairs.

    Returns:
        From 0.5 to 1; 0.5 also where they agree in less than half of the pairs.

    >>> ceiling([0, 1, 1, 0], [0, 1, 1, 0])
    1.0
    """
    ### BEGIN SOLUTION
    agreed = sum(one == other for one, other in zip(first, second)) / len(first)
    return (1 + max(0.0, 2 * agreed - 1) ** 0.5) / 2
    ### END SOLUTION


# %%
sheet.check(ceiling)

# %% [markdown]
# **Investigate.** Rank twenty pairs (those of lesson 10, or your own) today and, without looking, again tomorrow; better
# still, have somebody else rank them. Put both lists here. Which accuracy of a reward model on your choices would be
# suspiciously good?

# %%
today = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1]
tomorrow = [0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1]
sheet.own("ceiling", today, tomorrow)
agreed = sum(one == other for one, other in zip(today, tomorrow))
low, high = fm.evaluate.wilson(agreed, len(today))
print(f"agreement {agreed / len(today):.0%} (95 %: {low:.0%} to {high:.0%}), kappa "
      f"{fm.evaluate.cohen_kappa(today, tomorrow):.2f}, ceiling {ceiling(today, tomorrow):.0%}")

# %% [markdown]
# **Your finding.** Four or five sentences. In which pairs did the two differ, and what does this say about the assumptions
# above?
#
# ### BEGIN SOLUTION
# *Such a finding might read (its numbers are made up):* A colleague and I ranked twenty pairs in other orders, with the
# sides of half of them swapped; neither saw the other's list. We agreed on 16: 80 %, by Wilson's interval 58 to 92 %, which
# puts the ceiling at 89 %, or anywhere from 70 to 96 %. A reward model that foretold 97 % of my choices would make me look
# for a leak. The four we differed on were all between a correct dry answer and a friendly vague one. So errors are *not*
# independent of the pair: most pairs are easy, and a few are no matter of error at all but of taste. For those the
# guideline must say what counts, or they should be written down as ties.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | blind | the second ranking was made without seeing the first, in another order or by another person |
# | number | gives agreement with an interval, and the ceiling that follows |
# | differ | looks at the pairs that differ, and says what they have in common |
# | assume | says which assumption (same chance in any pair, independence, a truth) fails there |

# %% [markdown] tags=["commentary"]
# **How it works.** `a = p² + (1 − p)²`, so `p = (1 + √(2a − 1)) / 2`: 80 % agreement allow 89 %. The ceiling lies *above*
# agreement, since for agreement neither of two may err. With errors on hard pairs only, or the same errors of both, the
# formula flatters or belittles; it is a first answer. Lesson 10 knows its annotators, for they are simulated, and can
# compute the ceiling exactly.

# %% [markdown] exercise="feedback" kind="design" difficulty=3 minutes=25 claims=["H1", "H2", "H3", "H6"]
# ## Six desks
# Choose for each what to use, or what to do *first*: *demonstrations*, *comparisons*, *checked answers*, *dearer
# divergence*, *new comparisons*, *clearer guideline*.
#
# - `letters`: "We keep 3,000 letters by our best clerks, each with the question. The base model does not even answer yet."
# - `drafts`: "The assistant answers. Each day editors see two drafts and send one; both are on file. A good draft nobody
#   can define."
# - `sums`: "A claim has one right amount, and our old program computes it. How the reply words it does not matter."
# - `flatterer`: "After weeks of PPO near the start replies praise the customer. The judge gives 9 of 10, editors wince; it
#   was never shown flattery."
# - `stranger`: "Twenty steps of PPO, price on divergence 0: reward tripled, 90 nats from the start, and not one sentence
#   makes sense."
# - `coins`: "Two careful annotators agree on 52 % of the pairs, and a judge taught by them foretells 51 %."

# %%
def feedback() -> dict[str, str]:
    """Your choice for each of the six.

    >>> ", ".join(sorted(feedback()))
    'coins, drafts, flatterer, letters, stranger, sums'
    """
    ### BEGIN SOLUTION
    return {"letters": "demonstrations", "drafts": "comparisons", "sums": "checked answers",
            "flatterer": "new comparisons", "stranger": "dearer divergence",
            "coins": "clearer guideline"}
    ### END SOLUTION


# %%
sheet.check(feedback)

# %% [markdown]
# **Your plan.** For `drafts`, with one constraint: it has to run on AWS, and nobody may start a cluster. Five or six
# sentences from the editors' desk to a model that you would dare to switch on.
#
# ### BEGIN SOLUTION
# Every day's drafts become records with `prompt`, `chosen` and `rejected`; pairs of which neither was sent as it was stay
# out. A tenth of the pairs two editors judge independently, so that we know the ceiling; below 70 % agreement we mend the
# guideline before anything is trained. We hold out the newest month by date. Then serverless DPO on SageMaker AI, LoRA on
# the model that wrote the drafts, because the pairs are there and no reward model has to be kept. (PPO would need a judge
# and sampling during training; Bedrock's reinforcement fine-tuning wants a grader, and a program cannot tell a good draft.)
# We switch it on if editors, who do not know which model wrote what, prefer it in more than half of 200 new questions,
# interval above a half, and if replies have not become longer; and we collect its own drafts for the next round.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | records | names the record's fields, and what becomes of ties or rewritten drafts |
# | ceiling | measures how far editors agree, with a number that would stop the project |
# | route | names the AWS service and method, and says why the other routes do not fit the constraint |
# | test | a blind comparison on questions held out, with a number, and one guard against hacking (length, divergence, other) |
# | renewal | collects comparisons of the new model's own replies |

# %% [markdown] tags=["commentary"]
# **Why.** The three steps answer three questions. Can it answer at all? *Demonstrations.* Which answer is better?
# *Comparisons*, or a program, if there is one that knows. And who watches the judge? Near the start it is the data (*new
# comparisons* of what the policy now says), far from it nobody can: hold the policy first. A judge cannot be better than
# those who taught it.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/10_rlhf.ipynb`.
