"""The errors of this room."""


class StudyError(RuntimeError):
    """A study cannot start or go on; the message says what to change."""
