from lessons.conftest import course  # noqa: F401
