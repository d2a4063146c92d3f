"""The errors of this room."""


class BenchmarkError(RuntimeError):
    """A benchmark cannot run here; the message says what it needs."""
