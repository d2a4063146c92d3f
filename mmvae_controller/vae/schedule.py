"""How the weight of the KL term changes over the epochs."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.vae.errors import VaeError


@dataclass(frozen=True, slots=True)
class KlSchedule:
    """`max(plateau, start - (start - plateau) * epoch / epochs)`, or constant if start = plateau.

    The four of Langer et al. 2024: constant 1, constant 0, from above down to 0, from above 1
    down to 1. The published start of the last is not known, so it is a parameter.
    """

    start: float
    plateau: float
    epochs: int

    def __post_init__(self) -> None:
        """Refuse what would grow or never end."""
        if not 0 <= self.plateau <= self.start:
            raise VaeError(
                f'KL schedule: start {self.start} and plateau {self.plateau}, expected '
                '0 <= plateau <= start'
            )
        if self.epochs < 1:
            raise VaeError(f'KL schedule: {self.epochs} epochs, expected at least 1')

    def weight(self, epoch: int) -> float:
        """Return the weight in an epoch, counted from 0."""
        slope = (self.start - self.plateau) / self.epochs
        return max(self.plateau, self.start - slope * epoch)
