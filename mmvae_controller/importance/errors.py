"""What this room raises."""


class ImportanceError(ValueError):
    """Importance cannot be measured; the text says of what and why."""
