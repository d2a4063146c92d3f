"""The errors of this room."""


class EvaluationError(ValueError):
    """A model cannot be judged on this data, or decodes what cannot be judged."""
