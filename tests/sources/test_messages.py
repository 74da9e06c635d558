"""Message catalogues of a made-up framework: what becomes a text, and what does not."""

from io import BytesIO

import pytest
from archives import make_zip
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.readers import messages

PLACE = "django/{}/locale/{}/LC_MESSAGES/django.mo"
LONG = "Ein Satz, der lang genug ist, um ihn zu lesen"


def catalogue(said: dict) -> bytes:
    made, file = Catalog(), BytesIO()
    for original, text in said.items():
        made.add(original, text)
    write_mo(file, made)
    return file.getvalue()


def test_messages_of_a_language_are_joined_to_paragraphs(tmp_path):
    said = {f"message {i}": f"{LONG}, Nummer {i}." for i in range(9)}
    archive = Archive(make_zip(tmp_path / "d.whl", {
        PLACE.format("conf", "de_AT"): catalogue(said),
        PLACE.format("conf", "en_GB"): catalogue(said)}), "messages")
    (row,) = messages.messages(archive)
    assert (row["document"], row["language"]) == ("de_AT", "de")
    assert len(row["text"]) >= messages.TEXT
    assert row["text"].startswith(f"{LONG}, Nummer 0. {LONG}, Nummer 1.")


def test_short_untranslated_and_half_messages_are_left_out(tmp_path):
    said = {"short": "Kurz.", LONG: LONG, "%(n)s left": f"{LONG} %(n)s", "{} left": f"{LONG} {{}}",
            ("one", "many"): (LONG, LONG), **{f"m{i}": f"{LONG}\n {i}" for i in range(7)}}
    archive = Archive(make_zip(tmp_path / "d.whl", {
        PLACE.format("conf", "de"): catalogue(said)}), "messages")
    (row,) = messages.messages(archive)
    assert row["text"] == " ".join(f"{LONG} {i}" for i in range(7))


@pytest.mark.parametrize(("members", "what"), [
    ({"django/x.py": b""}, "no message catalogues"),
    ({PLACE.format("conf", "de"): b"not a catalogue"}, "not a message catalogue")])
def test_a_wrong_archive_is_named(tmp_path, members, what):
    with pytest.raises(SourceError, match=what):
        list(messages.messages(Archive(make_zip(tmp_path / "d.whl", members), "messages")))
