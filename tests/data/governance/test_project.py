"""A governed project: training asks, the log tells, and elsewhere nothing has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny

from fmcourse import data, store, train
from fmcourse.data import governance
from fmcourse.data.governance.project import governing
from fmcourse.errors import DataError, PolicyError, StoreError

RECIPE = train.PretrainRecipe(tokens=64, context=32, batch_tokens=64, micro_batch_tokens=64)
FACTS = governance.Governance("data team", ("research",), "2099-12-31", "internal", "our own")


def events(project):
    return [entry.event for entry in project.log.entries()]


def read(dataset, folder):
    return train.pretrain(tiny.model(), data.tokens(dataset, tiny.tokenizer()), RECIPE,
                          folder=folder, show_progress=False)


def test_data_that_breaks_a_rule_is_not_trained_on(project):
    past = governance.Governance("data team", ("research",), "2001-01-01", "internal")
    with pytest.raises(PolicyError, match="refused by the rule 'retention'") as refused:
        read(governance.govern(tiny.dataset(), past), project.folder / "runs" / "late")
    assert "delete the data" in refused.value.fix
    assert not (project.folder / "runs" / "late" / "run.json").exists()
    assert events(project) == ["project started", "training refused"]
    assert project.log.entries()[-1].note.startswith("retention; tiny ")


def test_whole_data_is_trained_on_and_both_ends_are_logged(project):
    governed = governance.govern(tiny.dataset(), FACTS)
    run = read(governed, project.folder / "runs" / "one")
    assert run.reads == [data.card(governed).plain()]
    assert train.Run.load(project.folder / "runs" / "one").reads[0]["governance"]["owner"] == \
        "data team"
    assert events(project)[1:] == ["data read", "training started", "training ended"]
    last = project.log.entries()[-1]
    assert (last.who, last.what, last.purpose) == ("ann", "runs/one", "research")
    assert last.sha256 == store.sha256_file(project.folder / "runs" / "one" / "run.json")
    read(governed, project.folder / "runs" / "one")
    assert events(project)[-1] == "finished run opened"
    assert project.log.verify() is None


def test_a_run_of_another_plan_is_refused_and_not_said_to_be_opened(project):
    governed, folder = governance.govern(tiny.dataset(), FACTS), project.folder / "runs" / "one"
    read(governed, folder)
    before = events(project)
    with pytest.raises(StoreError, match="another recipe"):
        train.pretrain(tiny.model(), data.tokens(governed, tiny.tokenizer()),
                       replace(RECIPE, seed=1), folder=folder, show_progress=False)
    assert events(project) == before


def test_ungoverned_data_is_refused_inside_and_trained_on_outside(project, tmp_path):
    with pytest.raises(PolicyError, match=r"'owner'.*Also broken: purpose"):
        read(tiny.dataset(), project.folder / "runs" / "none")
    before = events(project)
    assert read(tiny.dataset(), tmp_path / "elsewhere").metrics
    assert events(project) == before


@pytest.mark.parametrize("place", [None, "elsewhere"])
def test_governed_data_is_trained_on_in_projects_alone(tmp_path, place):
    with pytest.raises(PolicyError, match="says no purpose"):
        read(governance.govern(tiny.dataset(), FACTS), place and tmp_path / place)


def test_a_failure_is_logged(project):
    with (pytest.raises(ZeroDivisionError),
          governance.admitted([data.card(governance.govern(tiny.dataset(), FACTS))],
                              project.folder / "x", "x")):
        raise ZeroDivisionError
    assert events(project)[-1] == "training failed"


def test_a_run_that_names_no_data_is_refused(project):
    with (pytest.raises(PolicyError, match="names no data"),
          governance.admitted([], project.folder / "x", "x")):
        pass


def test_what_was_saved_comes_back_and_a_change_is_found(project, letters):
    assert project.names() == ["clean", "letters"]
    assert project.load("letters")["text"][:] == letters["text"][:]
    path = next((project.folder / "data" / "letters").glob("*.arrow"))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match="changed since it was written"):
        project.load("letters")
    assert events(project)[-1] == "changed data found"
    with pytest.raises(StoreError, match="Known: clean, letters"):
        project.load("lettres")


def test_a_card_is_brought_up_to_date_when_it_is_saved(project):
    whole = governance.govern(tiny.dataset(), FACTS)
    project.save(whole.filter(lambda row: "fox" in row["text"]), "foxes")
    about = data.card(project.load("foxes"))
    assert about.texts == 12
    assert data.card(whole).sha256 in about.made_of


def test_a_folder_is_one_project(project):
    again = governance.start(project.folder, name="letters", owner="data team",
                             purpose="research")
    assert again == project == governance.read(project.folder)
    assert events(project) == ["project started"]
    with pytest.raises(PolicyError, match="is the project 'letters'"):
        governance.start(project.folder, name="other", owner="x", purpose="research")
    with pytest.raises(PolicyError, match="no governed project"):
        governance.read(project.folder.parent)


def test_what_is_no_project_is_told_apart(project):
    file, inside = project.folder / "notes.txt", project.folder / "data"
    file.write_text("x")
    inside.mkdir()
    for place, said in ((file, "is a file"), (project.folder / "nowhere", "no such folder"),
                        (inside, "within the project 'letters'"),
                        (project.folder.parent, r"is no governed project\.")):
        with pytest.raises(PolicyError, match=said) as refused:
            governance.read(place)
        assert refused.value.where == place
        assert "governance.start" in refused.value.fix


@pytest.mark.parametrize("text", ["name = 'a", "name = 'a'", "extra = 1", "name = 1\nowner = 'b'\n"
                                  "purpose = 'research'", "name = 'a'\nowner = 'b'\n"
                                  "purpose = 'research'\nkeyed = 'no'"])
def test_a_damaged_project_file_is_named(project, text):
    (project.folder / "governance.toml").write_text(text)
    with pytest.raises(PolicyError, match="cannot be read") as refused:
        governance.audit(project.folder)
    assert refused.value.where == project.folder / "governance.toml"
    assert "owner and purpose in quotes" in refused.value.fix


def test_a_policy_that_is_gone_is_missed(project):
    (project.folder / "policy.toml").unlink()
    with pytest.raises(PolicyError, match="policy is not there") as refused:
        project.check(tiny.dataset())
    assert "copy the course's" in refused.value.fix


def test_a_projects_own_policy_holds(project):
    path = project.folder / "policy.toml"
    text = path.read_text(encoding="utf-8")
    begin = text.index("[rules.owner]")
    path.write_text(text[:begin] + text[text.index("[rules.licence]"):], encoding="utf-8")
    nobody = governance.Governance("", ("research",), "2099-12-31", "internal")
    assert project.check(governance.govern(tiny.dataset(), nobody)) == []


def test_a_keyed_log_asks_for_its_key(tmp_path, monkeypatch):
    monkeypatch.delenv("FMCOURSE_AUDIT_KEY", raising=False)
    told = {"name": "k", "owner": "o", "purpose": "research", "keyed": True}
    with pytest.raises(PolicyError, match="no key"):
        governance.start(tmp_path / "k", **told)
    monkeypatch.setenv("FMCOURSE_AUDIT_KEY", "sixteen characters or more")
    project = governance.start(tmp_path / "k", **told)
    assert project.log.verify() is None
    monkeypatch.setenv("FMCOURSE_AUDIT_KEY", "another one of that length")
    assert project.log.verify()


def test_names_of_quotes_survive_the_toml(tmp_path):
    told = {"name": 'a "b" \\ é 😀\x7f', "owner": "o\nx", "purpose": "research"}
    assert governance.start(tmp_path / "q", **told).name == told["name"]


def test_data_without_a_card_is_not_saved(project):
    bare = tiny.dataset()
    bare.info.description = ""
    with pytest.raises(DataError, match="no card"):
        project.save(bare, "bare")


def test_a_way_out_of_the_project_is_outside(project):
    assert governing(project.folder / "runs") == project
    assert governing(project.folder / ".." / "elsewhere") is None
