"""Other right programs for lesson 04, and edits of the solutions that make known mistakes."""

import json
import re

import torch
from torch.nn.utils.rnn import pad_sequence


def text_by_concatenation(messages, answer_next=False):
    text = ""
    for message in messages:
        text = text + "<|" + message["role"] + "|>\n" + message["content"] + "<|end|>\n"
    if answer_next:
        text = text + "<|assistant|>\n"
    return text


def labels_by_slices(ids):
    labels = [-100] * len(ids)
    for place in range(len(ids) - 1):
        if ids[place:place + 2] == [1, 4]:
            stop = ids.index(2, place) + 1
            labels[place + 2:stop] = ids[place + 2:stop]
    return labels


def labels_by_pattern(ids):
    text = " ".join(map(str, ids))
    kept = [range(text[:m.start(1)].count(" "), text[:m.end(1)].count(" ") + 1)
            for m in re.finditer(r"\b1 4 ((?:\d\d+ )*2)\b", text)]
    return [token if any(place in part for part in kept) else -100
            for place, token in enumerate(ids)]


def loss_by_hand(logits, labels):
    total, count = 0.0, 0
    for row, truth in zip(logits, labels, strict=True):
        for place in range(len(truth) - 1):
            if truth[place + 1] >= 0:
                total -= row[place].log_softmax(0)[truth[place + 1]]
                count += 1
    return total / count


def collate_with_torch(rows, pad):
    tensors = [torch.tensor(row) for row in rows]
    return {"labels": pad_sequence(tensors, True, -100),
            "input_ids": pad_sequence(tensors, True, pad),
            "attention_mask": pad_sequence([torch.ones_like(t) for t in tensors], True, 0)}


def form_by_table(reply, form):
    def an_object():
        try:
            json.loads(reply).keys()
        except (json.JSONDecodeError, AttributeError):
            return False
        return True

    return (len(re.findall(r"\S+", reply)) <= form.get("most_words", 10**9)
            and (not form.get("json") or an_object())
            and re.search(re.escape(form.get("ends_with", "")) + r"\s*\Z", reply) is not None)


def leaks_in_a_loop(train, test):
    found = []
    for number, record in enumerate(test):
        for other in train:
            if record["family"] == other["family"] or (
                    record["text"].upper().split() == other["text"].upper().split()):
                found.append(number)
                break
    return found


def text_by_template(messages, answer_next=False):
    lines = []
    for message in messages:
        lines += ["<|" + message["role"] + "|>", message["content"] + "<|end|>"]
    return "".join(f"{line}\n" for line in [*lines, *["<|assistant|>"] * answer_next])


def loss_by_choosing(logits, labels):
    counts = labels[:, 1:] >= 0
    chances = logits[:, :-1][counts].softmax(-1)
    return -chances[torch.arange(len(chances)), labels[:, 1:][counts]].log().mean()


def collate_into_blanks(rows, pad):
    shape = len(rows), max(map(len, rows))
    batch = {"input_ids": torch.full(shape, pad), "labels": torch.full(shape, -100),
             "attention_mask": torch.zeros(shape, dtype=torch.long)}
    for place, row in enumerate(rows):
        batch["input_ids"][place, :len(row)] = torch.tensor(row)
        batch["labels"][place, :len(row)] = torch.tensor(row)
        batch["attention_mask"][place, :len(row)] = 1
    return batch


def form_by_one_after_the_other(reply, form):
    for name, value in form.items():
        if name == "most_words":
            words = inside = 0
            for sign in reply:
                words += not sign.isspace() and not inside
                inside = not sign.isspace()
            kept = words <= value
        elif name == "ends_with":
            kept = reply.rstrip()[-len(value):] == value
        else:
            try:
                kept = type(json.JSONDecoder().decode(reply)) is dict
            except json.JSONDecodeError:
                kept = False
        if not kept:
            return False
    return True


def leaks_by_pattern(train, test):
    families = [record["family"] for record in train]
    texts = [re.sub(r"\s+", " ", record["text"].strip()).casefold() for record in train]
    places = set()
    for place, record in enumerate(test):
        if families.count(record["family"]):
            places.add(place)
        if re.sub(r"\s+", " ", record["text"].strip()).casefold() in texts:
            places.add(place)
    return sorted(places)


def loss_in_a_ring(logits, labels):
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), torch.roll(labels, -1, dims=1).flatten())


def _keeps(reply, form, words=str.split, ends=str.endswith, body=str):
    try:
        parsed = isinstance(json.loads(body(reply)), dict)
    except ValueError:
        parsed = False
    return ((not form.get("json") or parsed)
            and len(words(reply)) <= form.get("most_words", 10**9)
            and ends(reply.rstrip(), form.get("ends_with", "")))


def form_that_finds_an_object(reply, form):
    return _keeps(reply, form, body=lambda text: (re.search(r"\{.*\}", text, re.S) or [""])[0])


def form_that_splits_at_a_blank(reply, form):
    return _keeps(reply, form, words=lambda text: text.split(" "))


def form_in_small_letters(reply, form):
    return _keeps(reply, form, ends=lambda text, end: text.lower().endswith(end.lower()))


def leaks_by_part_of_a_text(train, test):
    texts = [" ".join(record["text"].lower().split()) for record in train]
    return [place for place, record in enumerate(test)
            if record["family"] in {one["family"] for one in train}
            or any(text in " ".join(record["text"].lower().split()) for text in texts)]


def leaks_without_blanks(train, test):
    texts = {"".join(record["text"].lower().split()) for record in train}
    return [place for place, record in enumerate(test)
            if record["family"] in {one["family"] for one in train}
            or "".join(record["text"].lower().split()) in texts]


OTHERS = {
    "as_text": [text_by_template, text_by_concatenation],
    "reply_labels": [labels_by_slices, labels_by_pattern],
    "completion_loss": [loss_by_choosing, loss_by_hand],
    "collate": [collate_into_blanks, collate_with_torch],
    "keeps_form": [form_by_one_after_the_other, form_by_table],
    "leaks": [leaks_by_pattern, leaks_in_a_loop],
}
WRONG = {
    "completion_loss": [loss_in_a_ring],
    "keeps_form": [form_that_finds_an_object, form_that_splits_at_a_blank, form_in_small_letters],
    "leaks": [leaks_by_part_of_a_text, leaks_without_blanks],
}
EDITS = {
    "as_text": [("<|end|>", "", "Turns have no end mark"),
                (' if answer_next else ""', "", "You always open"),
                ('"<|assistant|>\\n" if answer_next else ""', '""', "You never open")],
    "reply_labels": [
        ("labels.append(token if speaking else -100)\n        if token == END:\n            "
         "speaking = False", "if token == END:\n            speaking = False\n        "
         "labels.append(token if speaking else -100)\n        if token == END:\n            pass",
         "The end mark of a reply must"),
        ("== ASSISTANT", "== USER", "You grade the user's words")],
    "completion_loss": [
        ("logits[:, :-1], labels[:, 1:]", "logits, labels", "You did not move the labels"),
        ("ignore_index=-100)", "ignore_index=-100, reduction='sum') / truth.numel()",
         "You divided by all tokens"),
        ("truth.flatten()", "truth.flatten().clamp(min=0)", "You let places with the label")],
    "collate": [
        ("ids.masked_fill(~text, -100)", "ids", "Padding has labels"),
        ("~text, -100", "ids == pad, -100", "The mask is right now"),
        ("text.long()", "(ids != pad).long()", "The labels are right now")],
    "keeps_form": [("reply.split()", "reply", "You count characters"),
                   ("reply.rstrip().endswith(form[\"ends_with\"])", "form['ends_with'] in reply",
                    "You look for the words anywhere"),
                   (".rstrip()", "", "A blank behind the last word"),
                   ("isinstance(json.loads(reply), dict)", "json.loads(reply) is not None",
                    "A number is JSON")],
    "leaks": [("record[\"family\"] in families or ", "", "You look at texts alone"),
              (" or folded(record[\"text\"]) in texts", "", "You look at families alone"),
              ('" ".join(text.lower().split())', "text", "You compare texts letter by")],
}
