"""The errors of this room."""


class VaeError(ValueError):
    """A network cannot be built, saved, loaded or exported as asked."""
