"""The errors of this room."""


class RqtError(RuntimeError):
    """Something cannot be shown; the message is a sentence for the operator."""


class ContentError(RqtError):
    """A message does not carry what its topic should; says field, found and expected."""
