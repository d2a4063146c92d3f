"""How much of a study is finished."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finished:
    """How many models are finished, and of how many."""

    models: int
    total: int

    def __str__(self) -> str:
        """Return it for a line on the screen."""
        if self.models == self.total:
            return f'all {self.total} models'
        return f'{self.models} of {self.total} models: the others are not finished'

    @property
    def caveat(self) -> list[str]:
        """Return what stands above tables that are not of everything, as lines of Markdown."""
        if self.models == self.total:
            return []
        return [f'**Not finished: {self.models} of {self.total} models are here.**', '']
