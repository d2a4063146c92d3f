"""The errors of this room."""


class VisionError(ValueError):
    """A setting with which nothing can be found; the message says what to change."""
