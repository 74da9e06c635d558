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
# # 12 · Exercises: distillation
# A teacher that says "Paris, hardly Lyon, never seven" says more than the answer. How much of it is worth keeping, how a
# student learns from it, and whether the student is worth its price.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("soft_loss")` gives a hint,
# `sheet.hint("soft_loss", 2)` the last one.

# %%
import math

import torch
from torch import nn
from torch.nn.functional import kl_div

import fmcourse as fm

sheet = fm.classroom.sheet("12")

# %% [markdown] exercise="predicted_sizes" kind="predict" difficulty=1 minutes=5 claims=["K12"]
# ## What a teacher takes up
# A teacher reads a million tokens; its vocabulary has 32,000. How many gigabytes (10⁹ bytes) does it take to keep what it
# said of each:
#
# - `all`: all logits, 2 bytes each;
# - `likeliest`: the 64 likeliest tokens, for each a number of 4 bytes (which) and one of 2 (how likely);
# - `text`: one token that it would have written, as a number of 4 bytes?

# %%
def predicted_sizes() -> dict[str, float]:
    """{"all": gigabytes, "likeliest": gigabytes, "text": gigabytes}.

    >>> ", ".join(sorted(predicted_sizes()))
    'all, likeliest, text'
    """
    ### BEGIN SOLUTION
    tokens = 1e6
    return {"all": tokens * 32_000 * 2 / 1e9, "likeliest": tokens * 64 * (4 + 2) / 1e9,
            "text": tokens * 4 / 1e9}
    ### END SOLUTION


# %%
sheet.check(predicted_sizes)

# %% [markdown]
# **Now look** at what is lost with the others: how much of a teacher's probability do its k likeliest tokens hold? Our
# base, in the middle of a sentence:

# %%
base = fm.models.load("base")
ids = torch.tensor([base.tokenizer.encode("The capital of France is the city of")])
with torch.no_grad():
    chances = base.network(ids).logits[0].softmax(-1)  # (time, vocabulary)
for k in (1, 8, 64, 512):
    print(f"{k} of {chances.shape[1]:,}: {chances.topk(k).values.sum(-1).mean():.0%}")

# %% [markdown] tags=["commentary"]
# **Why.** 64 GB, 0.4 GB, 0.004 GB. Most of a vocabulary is hardly ever possible, so a few tokens hold most of the
# probability. Text is smallest, and often all that can be had; a service returns nothing else. It also keeps least: one
# token instead of an opinion.

# %% [markdown] exercise="soft_loss" kind="implement" difficulty=3 minutes=20 claims=["K12"]
# ## Learn the opinion, not the word
# Hinton's loss: soften both with a temperature, p = softmax(teacher / T) and q = softmax(student / T), and take `T² · KL(p
# ‖ q)`, the mean over the tokens that count.

# %%
def soft_loss(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor,
              temperature: float) -> torch.Tensor:
    """How far the student's opinions are from the teacher's, in nats a token, times T².

    Args:
        student, teacher: (batch, time, vocabulary) logits.
        mask: (batch, time), 1 where a token of the reply is foretold, else 0.
        temperature: T.

    Returns:
        A scalar, 0 where the student agrees.

    >>> teacher = torch.tensor([[[0.75, 0.25]]]).log()
    >>> soft_loss(torch.zeros(1, 1, 2), teacher, torch.ones(1, 1), 1.0)
    tensor(0.1308)
    """
    ### BEGIN SOLUTION
    p = (teacher / temperature).log_softmax(-1)
    q = (student / temperature).log_softmax(-1)
    each = (p.exp() * (p - q)).sum(-1)  # (batch, time)
    return temperature**2 * (each * mask).sum() / mask.sum()
    ### END SOLUTION


# %%
sheet.check(soft_loss)

# %% [markdown]
# **Now see what T and T² do.** A teacher's opinion by temperature, and the size of the student's gradient:

# %%
teacher = torch.tensor([[[6.0, 4.0, 1.0, 0.0]]])
for temperature in (1.0, 2.0, 4.0, 16.0):
    student = torch.zeros(1, 1, 4, requires_grad=True)
    soft_loss(student, teacher, torch.ones(1, 1), temperature).backward()
    size = student.grad.norm()
    print(f"T = {temperature:2.0f}: {(teacher / temperature).softmax(-1)[0, 0].round(decimals=2)}, "
          f"gradient {size:.2f}, without T² {size / temperature**2:.4f}")

# %% [markdown] tags=["commentary"]
# **How it works.** Softened, the second best and the never become visible; that is what a label cannot say. The gradient of
# the loss shrinks as 1/T² (once for the logits' division, once because both distributions come closer), and T² makes up for
# it, so that the share of this loss beside the one on labels does not depend on T. PyTorch's `kl_div(q, p)` takes
# logarithms of the *student* first; with the two exchanged it runs just as well, and `batchmean` divides by rows.

# %% [markdown] exercise="likeliest_tokens" kind="implement" difficulty=3 minutes=20 claims=["K12"]
# ## Keep a few, and do not lie about the rest
# Kept are the k likeliest tokens at a temperature, how likely each is, and one number more: how likely any *other* token
# is, all of them together. As logarithms, for some are very small.

# %%
def likeliest_tokens(logits: torch.Tensor, k: int, temperature: float
                     ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What is kept of a teacher's opinion.

    Args:
        logits: (positions, vocabulary); no two of a row are equal.
        k: tokens to keep, fewer than the vocabulary has.
        temperature: T.

    Returns:
        tokens (positions, k) int64, likeliest first; their log-probabilities (positions, k) in
        the whole vocabulary; and the log-probability of all others together (positions,). The
        last may be as low as -60, and is wanted exactly even so.

    >>> kept = likeliest_tokens(torch.tensor([[0.2, 0.5, 0.3]]).log(), 1, 1.0)
    >>> kept[0].tolist(), kept[1].exp(), kept[2].exp()
    ([[1]], tensor([[0.5000]]), tensor([0.5000]))
    """
    ### BEGIN SOLUTION
    log_probs = (logits / temperature).log_softmax(-1)
    values, tokens = log_probs.topk(k)
    rest = log_probs.scatter(-1, tokens, -torch.inf).logsumexp(-1)
    return tokens, values, rest
    ### END SOLUTION


# %%
sheet.check(likeliest_tokens)

# %% [markdown]
# **Why the rest?** Two students: one is like the teacher, the other mostly says what the teacher never would. How far is
# each off, by the two kept tokens renormalised, and by the two and the rest?

# %%
opinion = torch.tensor([[0.6, 0.3, 0.06, 0.04]]).log()
kept = fm.train.losses.Likeliest(*likeliest_tokens(opinion, 2, 1.0))
for name, chances in {"like it": [0.6, 0.3, 0.06, 0.04],
                      "raving": [0.06, 0.03, 0.45, 0.46]}.items():
    student = torch.tensor([chances]).log()
    alone = kl_div(student[:, kept.tokens[0]].log_softmax(-1), kept.log_probs.log_softmax(-1),
                   reduction="batchmean", log_target=True).abs()
    print(f"{name}: renormalised {alone:.2f}, with the rest "
          f"{fm.train.losses.top_k_kl(student, kept).abs():.2f} nats")

# %% [markdown] tags=["commentary"]
# **How it works.** Choose after the softmax, or before (the order is the same), but never *take* it over the chosen alone:
# renormalised, two students with the same odds between two tokens look alike, however seldom they say either. One number
# more closes the hole. `log(1 − sum)` looks like the same and is −∞ as soon as the teacher is sure.

# %% [markdown] exercise="distil" kind="debug" difficulty=3 minutes=20 claims=["K12"]
# ## The teacher who came to meet the student
# The loss of this run falls beautifully, and afterwards the *teacher* was another one. Run it: what does the teacher say of
# one and the same token?

# %%
def faulty_distil(student, teacher, batches, temperature):
    optimizer = torch.optim.SGD([*student.parameters(), *teacher.parameters()], lr=0.5)
    losses = []
    for ids in batches:
        p = (teacher(ids) / temperature).softmax(-1)
        q = (student(ids) / temperature).log_softmax(-1)
        loss = temperature**2 * kl_div(q, p, reduction="sum") / ids.numel()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


torch.manual_seed(0)
teacher = nn.Sequential(nn.Embedding(11, 16), nn.Dropout(0.5), nn.Linear(16, 11))
student = nn.Sequential(nn.Embedding(11, 4), nn.Linear(4, 11))


def says():
    return round(teacher(torch.tensor([3])).softmax(-1)[0, 3].item(), 2)


print("in training mode, asked three times:", says(), says(), says())
print("calm, before:", teacher.eval() and says(), end=", ")
faulty_distil(student, teacher.train(), torch.randint(0, 11, (50, 4, 5)), 2.0)
print("after:", teacher.eval() and says())

# %% [markdown]
# Two faults: one in how the teacher is asked, one in who learns.

# %%
def distil(student: nn.Module, teacher: nn.Module, batches: torch.Tensor,
           temperature: float) -> list[float]:
    """Teach the student for a step on each batch, by SGD with a rate of 0.5.

    Args:
        student, teacher: give logits (rows, time, vocabulary) for ids (rows, time). The teacher may
            have dropout, and be in any mode.
        batches: (steps, rows, time) int64; all tokens count.
        temperature: T.

    Returns:
        The loss before each step, `T² KL(teacher ‖ student)` in nats a token.

    >>> student, teacher = nn.Embedding(3, 3), nn.Embedding(3, 3)  # ids to logits
    >>> _ = teacher.load_state_dict(student.state_dict())
    >>> losses = distil(student, teacher, torch.tensor([[[0, 1]], [[2, 1]]]), 2.0)
    >>> [round(abs(loss), 3) for loss in losses]  # they agree already
    [0.0, 0.0]
    """
    ### BEGIN SOLUTION
    teacher.eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.5)
    losses = []
    for ids in batches:
        with torch.no_grad():
            p = (teacher(ids) / temperature).softmax(-1)
        q = (student(ids) / temperature).log_softmax(-1)
        loss = temperature**2 * kl_div(q, p, reduction="sum") / ids.numel()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION


# %%
sheet.check(distil)

# %% [markdown] tags=["commentary"]
# **What was wrong.** With dropout on, the teacher drops half of its features, each time other ones: the student learns to
# imitate noise. And with its weights in the optimiser it met the student half way, which is the cheapest way to agree.
# `eval()` is for how a network answers, `no_grad()` for what is remembered of it; neither stands in for the other. A
# teacher asked once and kept on disk can do neither.

# %% [markdown] exercise="break_even" kind="investigate" difficulty=2 minutes=30 claims=["K12"]
# ## When has it paid?
# A student costs once: the teacher's answers, and training. It saves at every request. From which request on has it cost no
# more than going on with the teacher?

# %%
def break_even(asking: float, training: float, teacher: float, student: float) -> float:
    """The least whole number of requests at which teaching has paid for itself.

    Args:
        asking: dollars, for all of the teacher's answers that the student learns from.
        training: dollars, for training the student.
        teacher, student: dollars for a thousand requests to each.

    Returns:
        A whole number; infinity if the student is not cheaper to ask.

    >>> break_even(asking=40.0, training=60.0, teacher=3.0, student=0.5)
    40000
    """
    ### BEGIN SOLUTION
    if student >= teacher:
        return math.inf
    return math.ceil(1000 * (asking + training) / (teacher - student))
    ### END SOLUTION


# %%
sheet.check(break_even)

# %% [markdown]
# **Investigate.** Take a task that a large model does for you, or could: how many requests a month, how long, at which
# price? Look up the prices of that model and of a small one, on the day you read this; say how many examples a student
# would need, and put your numbers here. Then look for the number that decides.

# %%
monthly, examples = 40_000, 5_000  # yours
teacher, student = 3.20, 0.25  # dollars a thousand requests, of one length: yours
asking, training = examples * teacher / 1000, 60.0
sheet.own("break_even", monthly, examples, teacher, student, training)
for name, change in {"as expected": {}, "training twice": {"training": 180.0},
                     "a teacher at half the price": {"teacher": teacher / 2}}.items():
    case = {"asking": asking, "training": training, "teacher": teacher, "student": student} | change
    print(f"{name}: {break_even(**case) / monthly:.1f} months")

# %% [markdown]
# **Your finding.** Four or five sentences for somebody who pays: does it pay, when, and what would have to be true?
#
# ### BEGIN SOLUTION
# *Such a finding might read (its numbers are made up):* We sort 40,000 mails a month; the large model takes 3.20 dollars a
# thousand, a small one of ours 0.25, both measured on the same hundred mails. 5,000 answers of the teacher cost 16 dollars
# and training 60, so it would pay after 26,000 mails, in three weeks; even if training failed twice, in less than two
# months. What decides is none of these prices but errors: a wrongly sorted mail costs us about 40 cents of a clerk's time,
# so one percent more of them eats the whole gain of 118 dollars a month. So we will first measure both on 500 mails
# labelled by people, and stop if the student is more than half a point worse. The teacher may be half as dear next year;
# the answers we have kept can teach the next student, too.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | numbers | prices have a source and a day, and are for requests of the same length |
# | account | the teacher's answers and failed tries stand on the student's bill |
# | quality | says what a lost point of quality costs, in money, and how it is measured against people |
# | turning | names the number on which the decision turns, and at which value it turns |

# %% [markdown] tags=["commentary"]
# **How it works.** What is paid once, over what a request saves. It forgets what a small model costs besides: somebody has
# to look after it, and to teach it anew when the task drifts. And it takes for granted that both are equally good, which
# they are not: look at quality *per* second and per dollar, as the lesson does, and at what an error costs.

# %% [markdown] exercise="learn_from" kind="design" difficulty=2 minutes=20 claims=["K12"]
# ## What to learn from
# A smaller model is wanted. Choose for each what it should learn from: *its logits*, *its text*, *its text, checked* (the
# teacher's, all three), *people's labels*, or *no distillation* at all.
#
# - `house`: "Our own model of 8 billion, and a student of 1 billion that reads the same tokens. There is disk."
# - `service`: "The teacher is a service that returns text, and whose terms allow to train on it. It is right nearly
#   always."
# - `commands`: "It writes commands, of which a quarter is wrong. Our parser can tell which."
# - `terms`: "The best model for this is a service whose terms forbid to train on what it says. Experts could answer 2,000
#   cases."
# - `wrong`: "Our large model is right in six of ten of these cases. 8,000 right answers are on file."
# - `seldom`: "It is right, and dear: three cents a question, 300 questions a month."

# %%
def learn_from() -> dict[str, str]:
    """Your choice for each of the six.

    >>> ", ".join(sorted(learn_from()))
    'commands, house, seldom, service, terms, wrong'
    """
    ### BEGIN SOLUTION
    return {"house": "its logits", "service": "its text", "commands": "its text, checked",
            "terms": "people's labels", "wrong": "people's labels", "seldom": "no distillation"}
    ### END SOLUTION


# %%
sheet.check(learn_from)

# %% [markdown]
# **Your plan.** For `service`, with one constraint: it shall be a job on Amazon Bedrock, and the prompts hold customers'
# names. Five or six sentences.
#
# ### BEGIN SOLUTION
# On Bedrock a distillation job names a teacher and a student of the same family, such as Nova Pro and Nova Micro; Bedrock
# itself asks the teacher, so prompts are enough, as conversation records of which the assistant's turn may be missing. We
# take 3,000 real prompts of the last quarter, drawn by type so that rare ones are there, and replace names by keyed
# pseudonyms before they leave us; a student that has never read a name cannot repeat one. 300 further prompts, answered by
# our own people, are the test for teacher, student, and, as a control, the small model as it is with our best prompt: if
# that one is within a point of the student, we need none. The job gets a role that reads one prefix, our key, and no way to
# the internet. The student goes out if it is at most two points below the teacher on each type of prompt, and is measured
# again every month.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | records | says what the job's records hold, and that the teacher and student must fit together |
# | names | takes names out *before* the teacher or the student reads them |
# | prompts | says which prompts are taken, how many, and how rare kinds get in |
# | control | compares with the small model untaught, besides the teacher |
# | decision | a number for each kind of prompt decides, on answers that people have written |

# %% [markdown] tags=["commentary"]
# **Why.** Take the most that the teacher can give and you may use: logits, if tokens are the same; otherwise text; checked,
# if a program can check. A student inherits its teacher's mistakes with its knowledge, so where people know better, ask
# them. And two models instead of one are worth it only at many requests.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/12_distillation.ipynb`.
