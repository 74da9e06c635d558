"""The registry and the attribution made of it."""

import re
from urllib.parse import urlsplit

import pytest

from fmcourse.errors import SourceError
from fmcourse.sources import attribution, get, registry
from fmcourse.sources.loading import READERS


def test_every_entry_is_pinned_licensed_and_readable():
    for source in registry().values():
        if source.kind != "package":
            assert re.fullmatch(r"[0-9a-f]{64}", source.sha256), source.name
            assert source.version in source.file
        assert source.licence
        assert source.attribution
        assert urlsplit(source.licence_url).scheme == urlsplit(source.url).scheme == "https"
        assert source.reader in READERS or source.member


def test_attribution_names_every_source_and_licence():
    text = attribution()
    for source in registry().values():
        assert f"## {source.name}" in text
        assert source.attribution in text
        assert source.licence in text


def test_unknown_source_lists_near_names():
    with pytest.raises(SourceError, match="shakespeare") as caught:
        get("shakespear")
    assert "hub:" in str(caught.value)


@pytest.mark.parametrize(("broken", "message"), [
    ("[x]\nkind = 'wheel'", "missing: attribution"),
    ("[x", "cannot be read"),
])
def test_a_broken_registry_says_what_is_wrong(world, broken, message):
    world.registry.write_text(broken)
    with pytest.raises(SourceError, match=message):
        registry()


def test_an_unknown_kind_or_key_is_refused(world):
    world.register("a", {"x": b""})
    text = world.registry.read_text()
    world.registry.write_text(text.replace('"wheel"', '"egg"'))
    with pytest.raises(SourceError, match="egg"):
        registry()
    world.registry.write_text(text + "colour = 'red'\n")
    with pytest.raises(SourceError, match="unknown: colour"):
        registry()
