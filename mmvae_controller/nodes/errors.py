"""The errors of this room."""


class RefusedError(Exception):
    """A node will not start, and has logged why."""
