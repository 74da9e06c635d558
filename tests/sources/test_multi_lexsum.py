"""Multi-LexSum on two made-up cases."""

import json

import pytest
from archives import make_zip

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.readers import multi_lexsum


def test_cases_are_numbered_and_lose_their_markup(tmp_path):
    lines = [{"document": "In <i>A v. B</i>,  they sued.<hr>\n\n<b>They won.", "summary": "A"},
             {"document": "See <a href='x'>here</a> &amp; there.", "summary": "They <u>lost</u>. "}]
    blob = "".join(json.dumps(line) + "\n" for line in lines).encode()
    archive = Archive(make_zip(tmp_path / "l.whl", {multi_lexsum.FILE: blob}), "multi-lexsum")
    assert list(multi_lexsum.cases(archive)) == [
        {"text": "In A v. B, they sued.\n\nThey won.", "document": "case 1", "summary": "A"},
        {"text": "See here & there.", "document": "case 2", "summary": "They lost."}]


def test_a_missing_file_is_an_error(tmp_path):
    archive = Archive(make_zip(tmp_path / "l.whl", {"else": b""}), "multi-lexsum")
    with pytest.raises(SourceError, match="MultiLexSum"):
        list(multi_lexsum.cases(archive))
