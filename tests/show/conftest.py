"""Fixtures: each picture of the gallery in turn, and warnings as errors."""

import pytest
from gallery import PICTURES


@pytest.fixture(autouse=True)
def warnings_are_errors(recwarn):
    """A warning in a lesson is litter: no drawing function may emit one."""
    yield
    assert [str(w.message) for w in recwarn if w.category is not ResourceWarning] == []


@pytest.fixture(params=PICTURES)
def picture(request):
    return PICTURES[request.param]()
