"""How the weight of the KL term changes over the epochs."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.modality.reader import Section
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
                f'start is {self.start:g} and plateau {self.plateau:g}, expected '
                '0 <= plateau <= start'
            )
        if self.epochs < 1:
            raise VaeError(f'epochs is {self.epochs}, expected at least 1')

    def weight(self, epoch: int) -> float:
        """Return the weight in an epoch, counted from 0."""
        slope = (self.start - self.plateau) / self.epochs
        return max(self.plateau, self.start - slope * epoch)


def kl_schedule(section: Section, epochs: int | None = None) -> KlSchedule:
    """Read and check a schedule.

    Args:
        section: `start`, `plateau` and, unless they are given, `epochs`.
        epochs: Over which the weight falls, where the section does not say.

    Raises:
        ModalityError: A key is missing, wrong or unknown.
        VaeError: It would grow.

    """
    start, plateau = section.number('start'), section.number('plateau')
    over = section.integer('epochs', low=1) if epochs is None else epochs
    section.done()
    try:
        return KlSchedule(start, plateau, over)
    except VaeError as error:
        raise VaeError(f'{section.where}: {error}') from error
