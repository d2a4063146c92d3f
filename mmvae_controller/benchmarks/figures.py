"""What a benchmark finds: our figure, the one beside it from the same run, and their ratio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
from typing import Any, Protocol

# Is told in a few words what is measured now.
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and what it is held against.

    Args:
        name: What was measured, for people.
        unit: Of both numbers.
        ours: This project's.
        beside: The peer's or the floor's, measured in the same run.
        beside_is: Who that is.
        goal: In words; empty where there is none.
        met: Whether the goal was reached; None where there is none.

    """

    name: str
    unit: str
    ours: float
    beside: float
    beside_is: str
    goal: str = ''
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """Ours by theirs; None where theirs is zero."""
        return self.ours / self.beside if self.beside else None

    def data(self) -> dict[str, Any]:
        """Return it as plain data; what is not finite is null."""
        return {
            'name': self.name,
            'unit': self.unit,
            'ours': _finite(self.ours),
            'beside': _finite(self.beside),
            'beside_is': self.beside_is,
            'ratio': _finite(self.ratio),
            'goal': self.goal or None,
            'met': self.met,
        }


@dataclass(frozen=True, slots=True)
class Found:
    """What one benchmark found.

    Args:
        figures: The first is the one that people should look at.
        settings: What was measured, with which sizes: enough to repeat it.
        notes: What a reader has to know to believe the figures.

    """

    figures: Sequence[Figure]
    settings: dict[str, Any]
    notes: Sequence[str] = ()

    def data(self) -> dict[str, Any]:
        """Return it as plain data, with the first figure on top."""
        return {
            **self.figures[0].data(),
            'settings': self.settings,
            'notes': list(self.notes),
            'figures': [figure.data() for figure in self.figures],
        }


class Benchmark(Protocol):
    """Something that measures."""

    def __call__(self, quick: bool, say: Say) -> Found:
        """Measure.

        Args:
            quick: So short that its figures say little: to see that it runs.
            say: Is told what is measured now.

        Raises:
            BenchmarkError: Something that it needs is not installed here.

        """
        ...


def at_most(
    name: str, unit: str, ours: float, beside: float, beside_is: str, ratio: float
) -> Figure:
    """Return a figure whose goal is a ratio of at most so much."""
    goal = f'at most {ratio:g} x'
    return Figure(name, unit, ours, beside, beside_is, goal, ours <= ratio * beside)


def at_least(
    name: str, unit: str, ours: float, beside: float, beside_is: str, ratio: float
) -> Figure:
    """Return a figure whose goal is a ratio of at least so much."""
    goal = f'at least {ratio:g} x'
    return Figure(name, unit, ours, beside, beside_is, goal, ours >= ratio * beside)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
