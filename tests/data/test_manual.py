"""The manual: a line for every operation, and requests that come with the lines most like them."""

import pytest
from datasets import Dataset

from fmcourse import data
from fmcourse.data.manual import LONGEST, _first_sentence
from fmcourse.data.task_rows import task_row

LINES = ("aws ec2 stop-instances --instance-ids — Stops instances.",
         "aws kms list-keys — Lists all keys of the account.",
         "aws s3api create-bucket --bucket — Creates a bucket.")


def lines() -> Dataset:
    return Dataset.from_list([{"text": line} for line in LINES])


def pairs() -> Dataset:
    rows = [task_row(prompt, completion, f"made {place}", service=completion.split()[1],
                     operation=completion.split()[2])
            for place, (prompt, completion) in enumerate((
                ("Stop two instances.", "aws ec2 stop-instances --instance-ids a b"),
                ("Make a bucket.", "aws s3api create-bucket --bucket x"),
                ("Give me all keys.", "aws kms list-aliases")))]
    return data.with_card(Dataset.from_list(rows), data.Card("pairs", {"made": "0" * 64}))


def test_the_nearest_lines_stand_before_the_request():
    told = data.with_manual(pairs(), lines(), count=1)
    assert told["prompt"][:] == [f"{LINES[0]}\n\nStop two instances.",
                                 f"{LINES[2]}\n\nMake a bucket.",
                                 f"{LINES[1]}\n\nGive me all keys."]


def test_who_is_told_and_what_copying_earns():
    told = data.with_manual(pairs(), lines(), count=1)
    assert [data.is_told(row) for row in told] == [True, True, False]
    assert data.first_lines(told) == ["aws ec2 stop-instances --instance-ids",
                                      "aws s3api create-bucket --bucket", "aws kms list-keys"]
    near = {"service": "kms", "operation": "list", "prompt": told[2]["prompt"]}
    assert not data.is_told(near)


def test_all_columns_agree_and_the_rest_is_kept():
    before, told = pairs(), data.with_manual(pairs(), lines(), count=2)
    assert set(told.column_names) == set(before.column_names)
    for old, new in zip(before, told, strict=True):
        assert [turn["content"] for turn in new["messages"]] == [new["prompt"], new["completion"]]
        assert new["text"] == f"{new['prompt']}\n{new['completion']}"
        assert new["prompt"].endswith(f"\n\n{old['prompt']}")
        assert {key: new[key] for key in ("completion", "document", "service")} == {
            key: old[key] for key in ("completion", "document", "service")}


def test_the_card_tells_told_requests_from_bare_ones():
    told = data.card(data.with_manual(pairs(), lines()))
    assert told.sha256 != data.card(pairs()).sha256
    assert told.steps[-1]["note"] == "3 lines each"


@pytest.mark.parametrize(("documentation", "said"), [
    ("<p>Stops an instance. It may take long.</p>", "Stops an instance."),
    ("", ""),
])
def test_a_line_has_the_first_sentence(documentation, said):
    assert _first_sentence(documentation) == said


def test_a_long_sentence_is_cut_at_a_word():
    said = _first_sentence("word " * 100)
    assert said.endswith("word …")
    assert len(said) <= LONGEST + 2


@pytest.mark.data
def test_the_real_manual_knows_nearly_every_operation_asked_for():
    manual, parts = data.manual(), data.commands()
    known = set(manual["command"][:])
    assert len(known) == len(manual) > 15_000
    for name in ("test_operations", "test_services"):
        asked = [f"aws {row['service']} {row['operation']}" for row in parts[name]]
        assert sum(command in known for command in asked) > 0.95 * len(asked)


@pytest.mark.data
def test_required_options_are_named():
    manual = {row["command"]: row["text"] for row in data.manual()}
    assert manual["aws ec2 stop-instances"].startswith("aws ec2 stop-instances --instance-ids — ")
    assert manual["aws s3api list-buckets"].startswith("aws s3api list-buckets — ")


@pytest.mark.data
def test_search_finds_the_right_line_often_but_not_always():
    """The lesson says so, and a model has to live with it."""
    held = data.with_manual(data.commands()["test_operations"], data.manual())
    assert 0.5 < sum(map(data.is_told, held)) / len(held) < 0.85


@pytest.mark.data
def test_options_are_those_of_the_parser():
    """Not of the API: the CLI renames some, since --version is its own."""
    manual = {row["command"]: row["text"] for row in data.manual()}
    assert " --schema-version" in manual["aws clouddirectory publish-schema"].partition(" — ")[0]
    assert " --version" not in manual["aws codepipeline get-pipeline"].partition(" — ")[0]
