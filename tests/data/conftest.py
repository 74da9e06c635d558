"""One thread, float32, an empty home."""

from tiny import quiet_machine  # noqa: F401
