"""Requests and commands: readable requests, parts without a common operation, few-shot chats."""

import pytest
from datasets import Dataset

from fmcourse import data
from fmcourse.data.commands import PARTS, by_operation, few_shot, imperative, request
from fmcourse.data.near_duplicates import features, jaccard
from fmcourse.errors import DataError

OPERATIONS = ("stop-instances", "start-instances", "reboot-instances", "terminate-instances",
              "describe-instances", "describe-instance-status", "monitor-instances",
              "unmonitor-instances", "describe-instance-attribute")


def row(service: str, operation: str, text: str, options: str, problem: str = "") -> dict:
    return {"text": text, "command": f"aws {service} {operation} {options}".strip(),
            "service": service, "operation": operation, "document": f"{service}/{operation}",
            "problem": problem}


def examples() -> Dataset:
    things = ("one red box", "two blue doors", "three green keys", "four old maps")
    rows = [row("ec2", name, f"The following {name} example handles number {place} of {thing}.",
                "--" + ("instance-id" if name.endswith("attribute") else "instance-ids")
                + f" i-{place}{number}"
                + (" --attribute kernel" if name.endswith("attribute") else ""))
            for place, name in enumerate(OPERATIONS) for number, thing in enumerate(things)]
    rows += [row("kms", name, f"The following {name} example looks through all of {name[-4:]}.",
                 options) for name, options in (("list-keys", ""), ("list-aliases", "--limit 5"))]
    rows += [row("ec2", "stop-instances", "Twice the very same words in a long request.", options)
             for options in ("--instance-ids a", "--instance-ids b")]
    rows += [row("ec2", "stop-instances", "This one the parser does not know at all.", "--nope"),
             row("ec2", "stop-instances", "Too short.", "--instance-ids c"),
             row("ec2", "stop-instances", "Use stop-instances to stop some instances.",
                 "--instance-ids d"),
             row("ec2", "stop-instances", "A very long list of instances is stopped here.",
                 "--instance-ids " + "i " * 200),
             row("ec2", "stop-instances", "Of something else entirely.", "", "several lines")]
    return data.with_card(Dataset.from_list(rows), data.Card("made", {"made": "0" * 64}))


@pytest.fixture(scope="module")
def parts():
    return by_operation(examples(), ["kms"], seed=1)


def test_parts_share_no_operation_and_unseen_services_are_apart(parts):
    assert list(parts) == list(PARTS)
    operations = [set(part["operation"][:]) for part in parts.values()]
    assert sum(map(len, operations)) == len(set().union(*operations))
    assert set(parts["test_services"]["service"][:]) == {"kms"}
    assert {name for part in PARTS[:3] for name in parts[part]["service"][:]} == {"ec2"}


def test_what_cannot_be_used_is_dropped_and_counted(parts):
    dropped = {step["step"]: step["dropped"] for step in data.card(parts["train"]).steps}
    assert [dropped[step] for step in (
        "a command on one line", "command not too long", "taken by the AWS CLI's parser",
        "request of sane length", "operation not named in the request",
        "near duplicates of a prompt")] == [1] * 6
    assert len(examples()) == sum(map(len, parts.values())) + 6


def test_rows_are_records_for_fine_tuning(parts):
    first = parts["train"][0]
    assert set(first) == {"messages", "prompt", "completion", "service", "operation", "document",
                          "text"}
    assert first["prompt"].startswith("Handle number ")
    assert first["completion"].startswith(f"aws {first['service']} {first['operation']} ")


def test_the_seed_draws_anew_and_repeats_itself(parts):
    again = by_operation(examples(), ["kms"], seed=1)
    assert again["train"]["text"][:] == parts["train"]["text"][:]
    drawn = {frozenset(by_operation(examples(), ["kms"], seed)["train"]["operation"][:])
             for seed in (1, 4, 12)}
    assert len(drawn) > 1


def test_an_empty_part_is_an_error():
    with pytest.raises(DataError, match="test_services part is empty"):
        by_operation(examples(), ["absent"], seed=1)


@pytest.mark.parametrize(("text", "operation", "asked"), [
    ("The following create-bucket example creates a bucket.", "create-bucket", "Create a bucket."),
    ("The following ls command lists buckets", "ls", "List buckets."),
    ("This example uses the get-x command to get an x:", "get-x", "Get an x."),
    ("The following example shows how to specify a key.", "get-x", "Specify a key."),
    ("The following wait bucket-exists example pauses.", "wait bucket-exists", "Pauses."),
    ("To list all. For more information, see X in the Y.", "ls", "List all."),
    ("You can list buckets", "ls", "You can list buckets."), ("", "ls", ""),
])
def test_descriptions_become_requests(text, operation, asked):
    if asked == "Pauses.":  # a verb needs something after it
        text, asked = text.replace("pauses.", "pauses until then."), "Pause until then."
    assert request(text, operation) == asked


@pytest.mark.parametrize(("verb", "plain"), [
    ("applies", "apply"), ("launches", "launch"), ("passes", "pass"), ("publishes", "publish"),
    ("creates", "create"), ("gets", "get"), ("", "")])
def test_imperatives(verb, plain):
    assert imperative(verb) == plain


def test_few_shot_chats_show_the_nearest_last(parts):
    shown = Dataset.from_list([
        {"prompt": "List the keys", "completion": "aws kms list-keys"},
        {"prompt": "Stop an instance", "completion": "aws ec2 stop-instances"},
        {"prompt": "Stop an instance with force", "completion": "aws ec2 stop-instances --force"}])
    (chat,) = few_shot(["Stop my instance with force"], shown, count=2)
    assert [turn["role"] for turn in chat] == ["system", *["user", "assistant"] * 2, "user"]
    assert chat[-2]["content"] == "aws ec2 stop-instances --force"
    assert chat[-1]["content"] == "Stop my instance with force"
    (fixed,) = few_shot(["Stop"], shown, count=1, similar=False)
    assert [turn["content"] for turn in fixed[1:]] == ["List the keys", "aws kms list-keys", "Stop"]
    (bare,) = few_shot(["Stop"], shown, count=0)
    assert [turn["role"] for turn in bare] == ["system", "user"]


@pytest.mark.data
def test_the_real_parts():
    parts = data.commands()
    sizes = {name: len(part) for name, part in parts.items()}
    assert sizes["train"] > 4000
    assert sizes["validation"] > 250
    assert sizes["test_operations"] > 500
    assert sizes["test_services"] > 400
    seen = set(parts["train"]["service"][:])
    assert {"lambda", "dynamodb"} <= set(parts["test_services"]["service"][:])
    assert not seen & set(parts["test_services"]["service"][:])
    for part in ("validation", "test_operations"):
        assert set(parts[part]["service"][:]) <= seen
        assert not set(parts[part]["operation"][:]) & set(parts["train"]["operation"][:])


@pytest.mark.data
@pytest.mark.parametrize("column", ["prompt", "completion"])
@pytest.mark.parametrize("part", PARTS[1:])
def test_no_held_out_row_is_nearly_in_train(part, column):
    """By comparing a sample with all of train: no hashing here."""
    parts = data.commands()
    train = [features(text) for text in parts["train"][column][:]]
    for text in parts[part].shuffle(seed=0)[column][:20]:
        own = features(text)
        near = (other for other in train if 0.8 <= len(own) / len(other) <= 1.25 and own & other)
        assert max((jaccard(own, other) for other in near), default=0) < 0.8
