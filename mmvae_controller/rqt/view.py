"""What may be drawn at one moment: nothing in it is older than it says."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.nodes.reporting.status import Level
from mmvae_controller.rqt.contents import Matrix, Picture


@dataclass(frozen=True, slots=True)
class MatrixView:
    """A matrix as it may be drawn.

    Args:
        matrix: With its labels; without numbers unless it is live; None before the first.
        live: Whether its numbers are of now.
        note: One sentence about what is wrong, or empty.
        command: The column of the command, or empty if that is not known.

    """

    matrix: Matrix | None
    live: bool
    note: str
    command: str


@dataclass(frozen=True, slots=True)
class SenseView:
    """A sense as it may be drawn.

    Args:
        name: Of the modality.
        level: STALE for what was not told lately.
        state: Known, known at t-1 only, predicted, or stale.
        message: What /diagnostics says of it.
        nats: What the command loses without it; None if that is not known, or it is missing.

    """

    name: str
    level: Level
    state: str
    message: str
    nats: float | None


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture as it may be drawn: one of both is empty, or both say something."""

    picture: Picture | None
    note: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is shown at one moment.

    Args:
        level: Of the whole.
        headline: Which sense steers, or why that cannot be told.
        matrices: By kind.
        senses: In the order of the network.
        pictures: By modality: as the model sees it, and as it imagines it.

    """

    level: Level
    headline: str
    matrices: dict[str, MatrixView]
    senses: tuple[SenseView, ...]
    pictures: dict[str, tuple[PictureView, PictureView]]
