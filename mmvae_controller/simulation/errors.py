"""The errors of this room."""


class SimulationError(RuntimeError):
    """The simulation cannot do what was asked."""
