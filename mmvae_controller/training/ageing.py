"""Ageing: a model is shown samples from a while ago, told how old they are, and asked about now.

What a lost camera saw last is then no picture of now but something to predict from, the less
certain the older it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmvae_controller.datasets.store import Array, Batch, Dataset
from mmvae_controller.modality.observation import Freshness, freshness, STEPS
from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Modality, Role
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.windows import Windows
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ageing:
    """How often, and how old, the samples of one modality are shown.

    Args:
        share: Of the rows, 0 to 1.
        longest_s: Each age up to it is as likely; rounded to the period of the recording.

    """

    share: float
    longest_s: float


def ageing_config(section: Section, modalities: Sequence[Modality]) -> dict[str, Ageing]:
    """Read the section `stale`: a share and a longest age by sense.

    Raises:
        ModalityError: A key is missing, wrong or unknown.
        TrainingError: It names no sense.

    """
    senses = [m.name for m in modalities if m.role is Role.SENSE]
    found = {}
    for name in section.data:
        if name not in senses:
            raise TrainingError(f'{section.where}: {name!r} is no sense, senses are {senses}')
        of = section.section(name)
        found[name] = Ageing(
            of.number('share', low=0.0, high=1.0), of.number('longest_s', low=0.001)
        )
        of.done()
    return found


def check_ages(ageing: Mapping[str, Ageing], windows: Windows) -> None:
    """Raise unless rows from earlier in an episode can be had for training.

    Raises:
        TrainingError: The data set has no episodes.

    """
    if ageing and not isinstance(windows, Dataset):
        raise TrainingError(
            f'stale is given for {", ".join(ageing)}, but this data set has no episodes: leave it '
            'out'
        )


def draw_ages(
    ageing: Mapping[str, Ageing],
    modalities: Sequence[Modality],
    count: int,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Return how many seconds earlier the samples are to be, `(count, M)`; 0 for most."""
    ages_s = np.zeros((count, len(modalities)))
    for row, modality in enumerate(modalities):
        drawn = ageing.get(modality.name)
        if drawn is not None:
            old = random.random(count) < drawn.share
            ages_s[:, row] = old * random.random(count) * drawn.longest_s
    return ages_s


def aged(
    dataset: Dataset, rows: NDArray[np.int64], batch: Batch, ages_s: NDArray[np.float64]
) -> tuple[dict[str, Array], Freshness]:
    """Return what is shown of a batch: values by modality, and how fresh each slot is.

    Args:
        dataset: Where it is from.
        rows: `(B,)`.
        batch: What these rows hold; left as it is.
        ages_s: `(B, M)`; no older than the episode is.

    """
    period_s = dataset.description.period_s
    back = np.minimum(
        np.ceil(ages_s / period_s).astype(np.int64), dataset.since_begin(rows)[:, None]
    )
    values, known = dict(batch.values), batch.known.copy()
    for column, modality in enumerate(dataset.modalities):
        old = np.flatnonzero(back[:, column])
        if len(old) == 0:
            continue
        earlier = dataset.pair(modality.name, rows[old] - back[old, column])
        values[modality.name] = values[modality.name].copy()
        values[modality.name][old], known[old, column] = earlier
    age_s = np.repeat(back[:, :, None] * period_s, STEPS, axis=2)
    return values, freshness(known, age_s)
