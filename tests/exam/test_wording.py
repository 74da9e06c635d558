"""Grammar that gives a key away, and items that ask the same twice."""

import pytest
from exam.items import read

from fmcourse.exam.wording import alike, faults, form


@pytest.mark.parametrize(("changed", "said"), [
    ({"stem": "Which is an prime number?"}, "'an prime'"),
    ({"stem": "A model that needs a answer needs what?"}, "'a answer'"),
    ({"stem": "Seven is an"}, "does not agree with 'Four'"),
    ({"stem": "Which numbers are prime?"}, "asks for several"),
    ({"options": {"a": "Four.", "b": "Five", "c": "Six", "d": "Eight"}}, "full stop"),
    ({"options": {"a": "Adding twos", "b": "A prime", "c": "Counting", "d": "Taking away"}},
     "'A prime' begins"),
    ({"options": {"a": "To add", "b": "By counting", "c": "To count", "d": "To divide"}},
     "'By counting' begins"),
])
def test_what_rules_options_out_by_grammar_is_seen(changed, said):
    assert said in " ".join(faults(read(**changed)))


def test_several_right_answers_are_asked_for_in_the_plural():
    assert "asks for one" in faults(read("multiple_response", stem="Which number is even?"))[0]
    assert not faults(read("multiple_response", stem="Which of these numbers are even?"))


@pytest.mark.parametrize("text", [
    "An hour, a unit and a university", "An SQL query", "An S3 bucket", "A LoRA adapter",
    "A RAG system", "An LLM", "A European law", "A one-off", "An umbrella", "A used car"])
def test_articles_go_by_sound(text):
    assert not [fault for fault in faults(read(stem=f"{text}: what is it?")) if "article" in fault]


def test_sentences_may_begin_as_they_like():
    options = {"a": "It is four.", "b": "At least it is five.", "c": "It is six.", "d": "It is."}
    assert not faults(read(options=options))


def test_matching_prompts_are_read_too():
    prompts = {"p": "A even number", "q": "Three", "r": "Four"}
    assert faults(read("matching", prompts=prompts)) == ["'A even': the article does not agree."]


def test_what_ends_like_a_participle_need_be_none():
    assert form("Training jobs") == form("`String` fields") == "other"


def test_doubles_share_words_of_stem_and_key():
    first = read(stem="Which replay share keeps general language during continued training?")
    second = read(id="K1-09", stem="During continued training, which share of replay keeps general "
                                   "language alive?")
    third = read(id="K1-10", stem="Who owns the archive of letters?")
    assert [(one.id, other.id) for _, one, other in alike([first, second, third])] == [
        ("K1-01", "K1-09")]
    assert not alike([first, second], least=1.0)
