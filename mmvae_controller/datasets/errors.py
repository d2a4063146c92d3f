"""The errors of this room."""


class DatasetError(ValueError):
    """A data set cannot be read or written; the message names the file and the field."""
