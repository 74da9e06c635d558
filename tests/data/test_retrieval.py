"""Finding passages by their words."""

import pytest
from datasets import Dataset

from fmcourse import data
from fmcourse.errors import DataError

PAGES = ["CreateHsm is an operation of AWS CloudHSM.\n\nCreates a module in a cluster.",
         "DeleteFox is an operation of Amazon Zoo.\n\nTakes a fox away.",
         "An owl is a bird that hunts at night."]


def test_the_page_that_shares_rare_words_is_found():
    found = data.Retriever(PAGES).find(["DeleteFox is an operation of", "which bird hunts?"])
    assert found == [[PAGES[1]], [PAGES[2]]]


def test_no_more_is_returned_than_there_is():
    assert sorted(data.Retriever(PAGES).find(["operation"], count=9)[0]) == sorted(PAGES)


def test_passages_stand_before_questions_and_are_cut_at_a_space():
    items = Dataset.from_list([{"prompt": "DeleteFox is an operation of", "answer": "Amazon Zoo"}])
    asked = data.with_passages(items, data.Retriever(PAGES), characters=50)
    passage, question = asked[0]["prompt"].rsplit("\n\n", 1)
    assert question == items[0]["prompt"]
    assert PAGES[1].startswith(passage)
    assert len(passage) <= 50
    assert asked[0]["answer"] == "Amazon Zoo"


def test_a_new_page_is_found_at_once():
    page = "ParkLlama is an operation of Amazon Farm."
    assert data.Retriever([*PAGES, page]).find(["ParkLlama"]) == [[page]]
    assert data.Retriever(PAGES).find(["ParkLlama"]) != [[page]]


def test_nothing_to_search_is_an_error():
    with pytest.raises(DataError, match="nothing to search"):
        data.Retriever([])
