"""ROUGE-L: by hand, its intervals, and that nothing is looked up."""

import re
import socket

import pytest

from fmcourse.errors import DataError
from fmcourse.evaluate import rouge_l, rouge_l_scores


def common(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence, as the definition has it."""
    if not one or not other:
        return 0
    if one[-1] == other[-1]:
        return 1 + common(one[:-1], other[:-1])
    return max(common(one[:-1], other), common(one, other[:-1]))


@pytest.mark.parametrize(("reply", "wanted"), [
    ("They sued the city.", "The city sued them."), ("a b c d", "d c b a"), ("x", "y z"),
    ("The court's order, of 1964!", "the court s order of 1964"), ("suing", "sued")])
def test_scores_follow_the_definition(reply, wanted):
    said, words = (re.findall("[a-z0-9]+", text.lower()) for text in (reply, wanted))
    length = common(said, words)
    (score,) = rouge_l_scores([reply], [wanted]).to_dict("records")
    assert score["precision"] == pytest.approx(length / len(said))
    assert score["recall"] == pytest.approx(length / len(words))
    assert score["f1"] == pytest.approx(2 * length / (len(said) + len(words)))


def test_means_and_intervals():
    table = rouge_l(["a b"] * 10 + [""] * 10, ["a b"] * 20)
    assert table["value"].tolist() == [0.5] * 3
    assert table["n"].tolist() == [20] * 3
    assert (table["low"] > 0.2).all()
    assert (table["high"] < 0.8).all()
    assert (table["low"] < table["high"]).all()
    assert rouge_l(["a b"], ["a b"])["low"].tolist() == [1.0] * 3
    assert rouge_l(["a b"] * 20, ["a b"] * 20)["high"].tolist() == [1.0] * 3


def test_an_empty_reply_scores_nothing():
    assert rouge_l(["", " ", "…"], ["They won."] * 3)["value"].tolist() == [0.0] * 3


def test_nothing_is_looked_up(monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert rouge_l_scores(["a"], ["a"])["f1"].tolist() == [1.0]


def test_mistakes_of_the_caller_are_errors():
    with pytest.raises(DataError, match="0 replies"):
        rouge_l([], [])
    with pytest.raises(DataError, match="1 replies for 2"):
        rouge_l(["a"], ["a", "b"])
    with pytest.raises(DataError, match="no word"):
        rouge_l(["a"], ["…"])
