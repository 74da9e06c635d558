"""Other right programs for lesson 01, and edits of the solutions that make known mistakes."""

from itertools import chain

import numpy as np
import torch
from torch.nn import functional


def pack_by_padding_a_view(documents, end, context):
    stream = torch.tensor(list(chain.from_iterable([*text, end] for text in documents)))
    rows = (len(stream) - 1) // context
    inputs = stream[:rows * context].view(rows, context)
    return torch.cat([inputs, stream[context:rows * context + 1:context, None]], dim=1)


def labels_in_a_loop(tokens, documents):
    labels = tokens[:, 1:].clone()
    for row in range(tokens.shape[0]):
        for place in range(labels.shape[1]):
            if documents[row, place] != documents[row, place + 1]:
                labels[row, place] = -100
    return [tokens[:, :-1], labels]


def mask_with_numpy(documents):
    size = documents.shape[1]
    kept = [[[row[q] == row[k] and k <= q for k in range(size)] for q in range(size)]
            for row in documents.tolist()]
    return np.array(kept)


def bits_with_numpy(nats, texts):
    return np.concatenate([np.log2(np.exp(n)) for n in nats]).sum() / len("".join(texts).encode())


def step_that_clears_last(network, optimizer, batch):
    chances = functional.log_softmax(network(batch[:, :-1]), dim=-1)
    loss = -chances.gather(-1, batch[:, 1:, None]).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def pack_by_filling_a_row(documents, end, context):
    rows, row = [], []
    for text in documents:
        for token in (*text, end):
            row.append(token)
            if len(row) == context + 1:
                rows.append(row)
                row = [token]
    return torch.tensor(rows)


def mask_by_distance(documents):
    apart = documents.unsqueeze(2) - documents.unsqueeze(1)
    return (apart == 0).tril()


def bits_text_by_text(nats, texts):
    spent = sum(float(loss) / 0.6931471805599453 for losses in nats for loss in losses)
    return spent / len(b"".join(text.encode("utf-8") for text in texts))


def step_by_hand(network, optimizer, batch):
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    logits = network(batch[:, :-1])
    right = logits.gather(-1, batch[:, 1:].unsqueeze(-1)).squeeze(-1)
    loss = (logits.logsumexp(-1) - right).mean()
    for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = slope
    optimizer.step()
    return loss.item()


def days_by_rate(parameters, tokens, peak, utilisation):
    day = peak * utilisation * 60 * 60 * 24
    return tokens / (day / (parameters * (2 + 4)))


OTHERS = {
    "predicted_losses": [lambda: {"uniform": 6.9, "frequencies": 0.325}],
    "pack": [pack_by_filling_a_row, pack_by_padding_a_view],
    "inputs_and_labels": [labels_in_a_loop, lambda tokens, documents: (
        tokens[:, :-1], torch.where(documents.diff(dim=1) == 0, tokens[:, 1:], -100))],
    "attention_mask": [mask_by_distance, mask_with_numpy],
    "bits_per_byte": [bits_text_by_text, bits_with_numpy],
    "train_step": [step_by_hand, step_that_clears_last],
    "training_days": [days_by_rate, lambda n, d, peak, share: n * d * 6 / 3600 / 24 / peak / share],
}
EDITS = {
    "predicted_losses": [("0.9 * math.log(0.9) - 0.1 * math.log(0.1)", "math.log(0.9)",
                          "Frequencies: that is the surprise at the frequent"),
                         ("math.log(1000)", "math.log2(1000)", "Uniform: that is the log")],
    "pack": [("[*document, end]", "document", "You left out the end"),
             ("[*document, end]", "[end, *document]", "Your end token stands before")],
    "inputs_and_labels": [("tokens[:, 1:].masked", "tokens[:, :-1].masked", "Your labels are not"),
                          (".masked_fill(crosses, -100)", "", "You did not leave out")],
    "attention_mask": [("tril()", "triu()", "Your mask lets each token see what comes after"),
                       ("tril()", "tril(-1)", "Your tokens cannot see themselves"),
                       ("causal & same", "same", "Your mask keeps documents apart"),
                       ("causal & same", "causal.expand_as(same)", "Your mask is causal, but")],
    "bits_per_byte": [(" / math.log(2)", "", "Those are nats"),
                      (".encode()", "", "You divided by characters"),
                      ("/ math.log(2)", "* math.log(2)", "You multiplied by ln 2")],
    "train_step": [("    optimizer.zero_grad()\n", "", "The labels are right now"),
                   ("batch[:, 1:]", "batch[:, :-1]", "Gradients are right now")],
    "training_days": [("6 *", "2 *", "You counted the forward"),
                      ("86_400", "3600", "Those are hours")],
}
