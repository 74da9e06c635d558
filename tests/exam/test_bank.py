"""The bank that is shipped is whole; what one file cannot know of another is found."""

import subprocess
import sys
from datetime import date

import pytest
import yaml
from exam.items import raw

from fmcourse.errors import ExamError
from fmcourse.exam import bank
from fmcourse.exam.item import TYPES


def written(folder, **files):
    for name, items in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(items, sort_keys=False))
    return folder


def test_the_bank_is_whole_and_what_it_says_of_lessons_is_true():
    items = bank.load()
    bank.check_places(items)
    assert {item.type for item in items} == set(TYPES)


def test_no_item_rests_on_the_exam_guide_alone_or_is_shown_by_a_list():
    items = bank.load()
    assert not [item.id for item in items
                if all("/aws-certification/" in source for source in item.sources)]
    assert not [item.id for item in items
                if item.shown and item.shown.heading == "What the exam asks"]


def test_statements_cover_the_syllabus():
    assert {"K1", "K8", "K12", "M8", "D6", "G6", "S3", "L4", "R5", "H6"} <= set(bank.statements())


def test_all_faults_are_said_at_once(tmp_path):
    files = written(tmp_path, K1=[raw(why=7), raw(id="K1-02", difficulty=9)], K2=[raw()])
    with pytest.raises(ExamError) as caught:
        bank.load(files)
    assert all(said in str(caught.value) for said in (
        "K1.yaml:1 (K1-01)", "K1-02", "no difficulty 9", "Move it to K1.yaml"))


def test_ids_and_stems_are_given_once(tmp_path):
    with pytest.raises(ExamError, match="K1-01 is given 2 times"):
        bank.load(written(tmp_path, K1=[raw(), raw(stem="Another?")]))
    with pytest.raises(ExamError, match="same stem"):
        bank.load(written(tmp_path, K1=[raw(), raw(id="K1-02")]))


def test_an_empty_folder_is_no_bank(tmp_path):
    with pytest.raises(ExamError, match="no items"):
        bank.load(tmp_path)


HEADER = """# ---
# jupyter:
#   fmcourse:
#     title: One
#     claims: [K1]
#     minutes_cpu: 1
#     minutes_gpu: 1
# ---

# %% [markdown]
# # 01 · One

# %% [markdown]
# ## The control
"""


@pytest.fixture
def course(tmp_path):
    masters = tmp_path / "course" / "notebooks" / "src"
    masters.mkdir(parents=True)
    (masters / "01_one.py").write_text(HEADER)
    return tmp_path / "course"


@pytest.mark.parametrize(("changed", "said"), [
    ({"shown": "01 The controls"}, "Did you mean The control?"),
    ({"shown": "07 The control"}, "no lesson 07"),
    ({}, "where lesson 01 shows it"),
])
def test_places_that_are_not_there_are_refused(tmp_path, course, changed, said):
    items = bank.load(written(tmp_path, K1=[raw(**changed)]))
    with pytest.raises(ExamError) as caught:
        bank.check_places(items, course)
    assert said in str(caught.value)
    assert caught.value.where == "K1-01"


def test_places_that_are_there_are_not(tmp_path, course):
    written(tmp_path, K1=[raw(shown="01 The control")], K8=[raw(id="K8-01", claims=["K8"])])
    (tmp_path / "K8.yaml").write_text((tmp_path / "K8.yaml").read_text().replace(
        "prime", "a prime"))
    bank.check_places(bank.load(tmp_path), course)


def test_a_date_to_come_is_the_writers_fault_and_no_learners(tmp_path):
    today = date(2026, 11, 26)
    items = bank.load(written(tmp_path, K1=[raw(verified=date(2999, 1, 1))]))
    with pytest.raises(ExamError, match="in the future: 2999-01-01"):
        bank.check_dates(items, today)
    bank.check_dates(bank.load(written(tmp_path, K1=[raw(verified=today)])), today)


def test_reading_the_bank_loads_no_pytorch():
    code = "import sys, fmcourse.exam.bank; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
