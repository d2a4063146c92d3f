"""The errors of this room."""


class RecordingError(ValueError):
    """A recording cannot be read or written, or lacks what a robot needs; says what and where."""


class NoRoomError(RecordingError):
    """Here there is no room to read a recording, which may well be sound: nothing goes on."""
