"""A plan is of the run that was given: all that the command takes, the rest listed, or refused."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import quiet_machine  # noqa: F401
from typer.main import get_command

from fmcourse import aws, data, models, ship, train
from fmcourse.aws.tuned import arguments, left_behind, tuned
from fmcourse.cli_training import training
from fmcourse.errors import AwsError, CourseError
from fmcourse.models import Adapter

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fmcourse:latest"
RECIPE = train.InstructRecipe(epochs=3.0, learning_rate=2e-3, seed=1, max_length=64,
                              batch_tokens=512, patience=2, adapter=Adapter("lora", rank=8))
TRAIN, CUSTOMIZE = "4-sagemaker-train.json", "3-bedrock-customize.json"


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Path:
    """In the format of Nova; what they were made of lies beside them."""
    folder = tmp_path_factory.mktemp("records")
    lines = [json.dumps({"prompt": f"Say {i}.", "completion": f"{i}!"}) for i in range(12)]
    (folder / "pairs.jsonl").write_text("\n".join(lines) + "\n")
    data.convert_file(folder / "pairs.jsonl", data.record_format("bedrock-conversation"),
                      folder / "train.jsonl")
    return folder / "train.jsonl"


@pytest.fixture(scope="module")
def base_hash() -> str:
    return models.load("base", "cpu").sha256()


@pytest.fixture
def run(base_hash):
    """What run.json tells of a run, with some of it changed."""
    def told(recipe=RECIPE, epochs=2.9, name="base on pairs.jsonl", start=base_hash, **changes):
        return {"name": name, "recipe": recipe.as_dict(), "metrics": {
            "epochs": epochs, "validation_after": 1.0}, "parents": {"start": start},
            "reads": [{"texts": 9, "sha256": "a"}, {"texts": 1}], **changes}
    return told


@pytest.fixture
def planned(project, records, base_hash, monkeypatch):
    """Plans, for which the base is opened only once."""
    opened = models.load
    monkeypatch.setattr(models, "load", lambda name: SimpleNamespace(
        sha256=lambda: base_hash) if name == "base" else opened(name))

    def plan(run, model="nova-micro", records=records, region="us-east-1", **options):
        return aws.plan(replace(project, region=region), run, records, model, IMAGE, **options)
    return plan


def said(plan: aws.Plan) -> list[str]:
    return plan.requests[TRAIN].parameters["AlgorithmSpecification"]["ContainerArguments"]


def understood(words: list[str]) -> train.InstructRecipe:
    """The recipe that `fmcourse train instruct` would train by, as its own code makes it."""
    made = {}

    class StopError(Exception):
        pass

    def instruct(model, rows, recipe, **_):
        made["recipe"] = recipe
        raise StopError

    talks = data.conversations(next(Path(word) for word in words if word.endswith(".jsonl")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "instruct", instruct)
        patch.setattr(models, "load", lambda name: SimpleNamespace(
            context=256, parameters=1e6, sha256=lambda: "0"))
        patch.setattr(data, "conversations", lambda *_, **__: talks)
        with pytest.raises(StopError):
            get_command(training).main(words[1:], standalone_mode=False)
    return made["recipe"]


CHANGES = {"learning_rate": 1e-4, "max_length": 32, "batch_tokens": 1024, "patience": None,
           "seed": 7, "epochs": 1.5, "tokens": 4096, "adapter": None}


@pytest.mark.parametrize("change", [{}, *({name: value} for name, value in CHANGES.items()), {
    "adapter": Adapter("rslora", rank=2)}], ids=lambda change: next(iter(change), "as it was"))
def test_the_command_of_a_plan_trains_by_the_recipe_of_the_run(run, planned, records, change):
    """Told by options, read by Typer, made into a recipe again: the same one."""
    recipe = replace(RECIPE, **change)
    words = [str(records) if word.endswith(".jsonl") else word
             for word in said(planned(run(recipe)))]
    again = understood(words)
    assert replace(again, epochs=recipe.epochs) == recipe
    assert recipe.tokens is not None or again.epochs == recipe.epochs
    assert list(left_behind(tuned(run(recipe)))) == []


def test_what_the_command_cannot_be_told_is_listed(run, planned):
    """Every other setting: changed, it is in the notes by name; nothing is dropped in silence."""
    other = {"optimizer": "muon", "warmup": 0.2, "decay": 0.5, "weight_decay": 0.1, "clip": 0.5,
             "least_steps": 10, "micro_rows": 1, "looks": 3}
    assert {one.name for one in fields(train.InstructRecipe)} == {
        *other, *CHANGES, "checkpoint_minutes"}
    for name, value in other.items():
        notes = planned(run(replace(RECIPE, **{name: value}))).notes
        assert [note for note in notes if note.startswith(
            f"The training job: {name.replace('_', ' ')} {value} is not carried over")]
    for name, value in (("alpha", 3.0), ("targets", ["q_proj"]), ("tokens", 8)):
        told = run()
        told["recipe"]["adapter"][name] = value
        assert any(f" {name} " in note for note in planned(told).notes), name


def test_share_and_start_are_carried(run, planned):
    words = said(planned(run()))
    assert words[words.index("--base") + 1] == "base"
    assert words[words.index("--validation") + 1] == "0.1"
    without = run(metrics={"epochs": 3})
    assert "--validation" not in said(planned(without))
    assert any("held no conversations out" in note for note in planned(without).notes)


def test_a_run_of_smollm2_stays_one(run, planned, monkeypatch):
    """By its name and its hash; the image must hold it, for the container sees no network."""
    known = {"base": "b" * 64, "smollm2": "c" * 64}
    monkeypatch.setattr(models, "load", lambda name: SimpleNamespace(sha256=lambda: known[name]))
    theirs = run(name="smollm2 on pairs.jsonl", start="c" * 64)
    made = planned(theirs)
    assert said(made)[said(made).index("--base") + 1] == "smollm2"
    assert any("fmcourse fetch smollm2" in note for note in made.notes)
    unnamed = run(name="instruction tuning", start="c" * 64)
    with pytest.raises(AwsError, match="did not start from base, but from a model with") as found:
        planned(unnamed)
    assert "--base smollm2" in str(found.value)
    assert said(planned(unnamed, base="smollm2")) == said(made)
    with pytest.raises(AwsError, match="did not start from smollm2"):
        planned(run(name="smollm2 on pairs.jsonl", start="b" * 64))


def test_a_start_of_one_s_own_is_uploaded_and_found_in_the_container(run, planned, tmp_path):
    mine = tiny.model()
    folder = mine.save(tmp_path / "mine")
    for options in ({"name": f"{folder} on pairs.jsonl"}, {}):
        made = planned(run(start=mine.sha256(), **options),
                       **({} if options else {"base": str(folder)}))
        words = said(made)
        assert words[words.index("--base") + 1] == "/opt/ml/input/data/training/mine"
        assert made.uploads[folder] == "s3://my-team-data/training/mine/"
    with pytest.raises(AwsError, match="is no folder, and the container reaches no network"):
        planned(run(start=mine.sha256()), base="somebody/model")
    with pytest.raises(AwsError, match="did not start from"):
        planned(run(), base=str(folder))


@pytest.mark.parametrize(("epochs", "rate", "model", "taken"), [
    (2.9, 2e-3, "nova-micro", {"epochCount": "3"}),
    (2.9, 5e-5, "nova-micro", {"epochCount": "3", "learningRate": "5e-05"}),
    (2.9, 2e-3, "llama-3.1-8b", {"epochCount": "3", "learningRate": "0.002"}),
    (40.0, 1e-9, "nova-micro", {"epochCount": "5"}),
    (0.2, 1e-5, "nova-micro", {"epochCount": "1", "learningRate": "1e-05"}),
    (2.9, 1e-5, "llama-3.3-70b", None)])
def test_a_managed_job_takes_epochs_and_rate_where_the_model_does(
        run, planned, tmp_path, epochs, rate, model, taken):
    """Epochs as they were really read: here the recipe has a budget of tokens."""
    options = {}
    if model.startswith("llama"):  # enough records, in its format and its region
        pairs = tmp_path / "pairs.jsonl"
        pairs.write_text("".join(json.dumps(
            {"prompt": f"Say {i}.", "completion": f"{i}!"}) + "\n" for i in range(110)))
        form = "prompt-completion" if model == "llama-3.1-8b" else "bedrock-conversation"
        data.convert_file(pairs, data.record_format(form), tmp_path / "train.jsonl")
        options = {"records": tmp_path / "train.jsonl", "region": "us-west-2"}
    recipe = replace(RECIPE, tokens=5000, epochs=30.0, learning_rate=rate)
    made = planned(run(recipe, epochs), model, **options)
    assert made.requests[CUSTOMIZE].parameters.get("hyperParameters") == taken
    first = made.notes[0]
    assert "max length, batch tokens" in first.replace("least steps, ", "")
    assert ("learning rate" in first) == ("learningRate" not in (taken or {}))
    if taken:
        assert any("AWS's own choice is" in note for note in made.notes)


def test_records_that_the_run_never_saw_are_told_of(run, planned, records):
    whole = data.card(data.conversations(records.with_name("pairs.jsonl")).records).sha256
    note = "are not (all of) those that the run learnt from"
    seen = run(reads=[{"texts": 9, "sha256": "a", "made_of": [whole]}, {"texts": 1}])
    assert not any(note in one for one in planned(seen).notes)  # in another format, the same
    assert any(note in one for one in planned(run()).notes)


def test_a_run_that_was_really_made_is_planned(project, tmp_path, records):
    start = tiny.model()
    folder = start.save(tmp_path / "tiny")
    parts = data.split_conversations(data.conversations(records).records, 0.25, 0)
    made = train.instruct(start, parts["train"], train.InstructRecipe(
        tokens=500, max_length=32, batch_tokens=64), validation=parts["validation"],
        folder=tmp_path / "run", name=f"{folder} on train.jsonl")
    told = aws.read_run(tmp_path / "run")
    for run in (told, made.card):
        plan = aws.plan(project, run, records, "nova-micro", IMAGE)
        assert said(plan)[:11] == [
            "train", "instruct", "--data", "/opt/ml/input/data/training/train.jsonl", "--base",
            "/opt/ml/input/data/training/tiny", "--folder", "/opt/ml/model", "--tokens", "500",
            "--learning-rate"]
        assert not any("learnt from" in note for note in plan.notes)
    assert tuned(told).held_out == 0.25


@pytest.mark.parametrize(("change", "says", "where"), [
    ({"recipe": None}, "its recipe is missing", "run.json: recipe"),
    ({"recipe": [1]}, "its recipe is a list", "run.json: recipe"),
    ({"metrics": 3}, "its metrics is a number", "run.json: metrics"),
    ({"parents": "x"}, "its parents is a text", "run.json: parents"),
    ({"metrics": {}}, "null cannot be how often its records were read", "metrics.epochs"),
    ({"metrics": {"epochs": "three"}}, '"three" cannot be how often', "metrics.epochs"),
    ({"metrics": {"epochs": float("inf")}}, "Infinity cannot be how often", "metrics.epochs"),
    ({"parents": {}}, "null cannot be the hash", "parents.start")])
def test_a_broken_run_is_a_sentence(run, change, says, where):
    with pytest.raises(AwsError, match=says) as found:
        tuned({**run(), **change})
    assert where in str(found.value)
    assert "fmcourse train instruct" in str(found.value)


@pytest.mark.parametrize(("change", "says", "where"), [
    ({"epochs": "three"}, '"three" cannot be', "recipe.epochs"),
    ({"epochs": float("nan")}, "NaN cannot be", "recipe.epochs"),
    ({"epochs": -1}, "nothing to train on", "recipe"),
    ({"seed": True}, "true cannot", "recipe.seed"),
    ({"adapter": "lora"}, "its recipe.adapter is a text", "recipe.adapter"),
    ({"adapter": {"method": "lora", "rank": "8"}}, '"8" cannot be', "recipe.adapter.rank"),
    ({"adapter": {"method": "magic"}}, "No method is called 'magic'", "recipe.adapter"),
    ({"adapter": {"width": 3}}, "no setting 'width'", "recipe.adapter.width")])
def test_a_broken_setting_is_a_sentence(run, change, says, where):
    told = run()
    told["recipe"] |= change
    with pytest.raises(AwsError, match=says) as found:
        tuned(told)
    assert where in str(found.value)


def test_something_that_is_no_object_is_a_sentence():
    for what in ([], "run", 3, None):
        with pytest.raises(AwsError, match="This is no run"):
            tuned(what)


@pytest.mark.parametrize("recipe", [
    train.ContinuedRecipe(tokens=1000), train.PreferenceRecipe(), train.SequenceRecipe(),
    train.LogitRecipe(), train.PretrainRecipe(tokens=1000)])
def test_a_run_of_another_kind_is_not_planned(run, recipe):
    with pytest.raises(AwsError, match=f"its recipe is a {type(recipe).__name__}"):
        tuned(run(recipe))


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
                        st.sampled_from(["epochs", "method", "rank", "start", "texts", "sha256"]),
                        inner, max_size=3), max_leaves=5)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from([
    "recipe", "metrics", "parents", "reads", "name", "recipe.epochs", "recipe.adapter",
    "recipe.max_length", "metrics.epochs"]), JSON), max_size=3))
def test_no_json_makes_it_crash(changes):
    told = {"recipe": RECIPE.as_dict(), "metrics": {"epochs": 1.0}, "parents": {"start": "a"}}
    for place, value in changes:
        outer, _, inner = place.partition(".")
        if not inner:
            told[outer] = value
        elif isinstance(told.get(outer), dict):
            told[outer][inner] = value
    words = planned_or_refused(told)
    assert words
    assert all(isinstance(word, str) and word for word in words)


def planned_or_refused(told):
    """The command that would do a run again, or the sentence that refuses it."""
    try:
        return arguments(tuned(told), "a.jsonl", "model", "base")
    except AwsError as error:
        return [str(error)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    return ship.export(models.with_chat(tiny.model()), tmp_path_factory.mktemp("out") / "model")


@pytest.mark.parametrize(("broken", "says"), [
    ("records", "line 3"), ("folder", "TokenizersBackend"), ("image", "no image in Amazon ECR")])
def test_what_aws_would_refuse_is_not_planned(broken, says, project, run, records, exported,
                                              tmp_path):
    used = {"records": records, "folder": exported, "image": IMAGE}
    if broken == "records":
        lines = records.read_text().splitlines()
        used["records"] = tmp_path / "train.jsonl"
        used["records"].write_text("\n".join([*lines[:2], "{}", *lines[3:]]))
    elif broken == "folder":
        used["folder"] = models.BASE
    else:
        used["image"] = "foo/bar:1"
    with pytest.raises(CourseError, match=says):
        aws.plan(project, run(), used["records"], "nova-micro", used["image"], used["folder"])


def test_a_plan_with_an_import_has_five_requests(planned, run, exported, tmp_path):
    made = planned(run(), exported=exported)
    assert len(made.requests) == 5
    assert made.uploads[exported] == "s3://my-team-data/output/model/"
    for path in made.write(tmp_path):
        assert aws.check_file(path) == []
    assert len(planned(run()).requests) == 4
    assert "whether it is this run's was not checked" in made.notes[-1]


@pytest.fixture
def of_a_run(tmp_path) -> tuple[Path, str]:
    """An exported folder that says which run made it, and the hash of that run's weights."""
    model = models.with_chat(tiny.model())
    done = SimpleNamespace(model=model, card={"name": "mine", "model": model.sha256()})
    return ship.export(done, tmp_path / "mine"), model.sha256()


def test_what_is_imported_is_the_planned_run_as_it_was_signed(planned, run, of_a_run):
    folder, ended = of_a_run
    plan = planned(run(model=ended), exported=folder)
    assert not any("checked" in note for note in plan.notes)
    with pytest.raises(AwsError, match="another run: mine"):
        planned(run(model="0" * 64), exported=folder)
    with (folder / "generation_config.json").open("a") as file:
        file.write("\n")
    with pytest.raises(AwsError, match=r"changed +generation_config.json"):
        planned(run(model=ended), exported=folder)
