"""A text cut into pieces is still that text; no piece is too long, and none ends inside a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.sources.pieces import blocks, pieces

TEXTS = st.text(alphabet="ab \n\t\u2003é😀", max_size=300) | st.text(max_size=100)


@given(st.lists(TEXTS, max_size=6), st.integers(1, 40))
def test_pieces_join_to_the_text_and_end_at_white_space(parts, limit):
    found = list(pieces(parts, limit))
    assert "".join(found) == "".join(parts)
    assert all(1 <= len(piece) <= limit for piece in found)
    for piece in found[:-1]:
        assert piece[-1].isspace() or (len(piece) == limit and not any(map(str.isspace, piece)))


@given(TEXTS, st.integers(1, 40), st.integers(1, 7))
def test_how_a_text_arrives_does_not_matter(text, limit, step):
    parts = [text[i:i + step] for i in range(0, len(text), step)]
    assert list(pieces(parts, limit)) == list(pieces([text], limit))


@pytest.mark.parametrize(("text", "first"), [
    ("one two\n\nthree\nfour five", "one two\n\n"),  # a paragraph before a line
    ("one two six\nthree four", "one two six\n"),  # a line before a word
    ("a\n\nb c d e f g h i j k", "a\n\nb c d e f g "),  # unless it would leave half a piece
    ("oneword" * 5, "onewordonewordo"),
])
def test_where_a_piece_ends(text, first):
    assert next(pieces([text], 15)) == first


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
       st.integers(1, 9))
def test_blocks_of_any_size_decode_to_the_text(tmp_path_factory, text, encoding, size):
    text = text.replace("\0", "").removeprefix("\ufeff")
    path = tmp_path_factory.mktemp("blocks") / "x.txt"
    path.write_bytes(text.encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fmcourse.sources.pieces.BLOCK", size)
        decoded = "".join(blocks(path))
    assert decoded == text.replace("\r\n", "\n").replace("\r", "\n")
