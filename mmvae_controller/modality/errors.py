"""The errors of this room."""


class ModalityError(ValueError):
    """A configuration, a contract or a value does not fit; the message says where and how."""
