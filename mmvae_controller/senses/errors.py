"""The errors of this room."""


class MessageError(ValueError):
    """A message does not hold what its topic should carry; says field, found and expected."""
