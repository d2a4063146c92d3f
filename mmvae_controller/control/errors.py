"""The errors of this room."""


class ControlError(RuntimeError):
    """The control core cannot do what was asked; the message says what to change."""
