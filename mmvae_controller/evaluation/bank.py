"""What is remembered of the training rows, for the simple predictions beside a model's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.windows import Rows, Truth, truths, Values, Windows
from mmvae_controller.modality.normaliser import SMALLEST_RELATIVE_SCALE, SMALLEST_SCALE
from mmvae_controller.modality.observation import CURRENT, PREVIOUS, STEPS
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.vae.config import VARIANCE_FLOOR
import numpy as np
from numpy.typing import NDArray

# Of more training rows every n-th is taken: more neighbours hardly change what they predict,
# but each one has to be compared with.
BANK_ROWS = 5000

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Some training rows and their statistics.

    Args:
        modalities: In the order of the mask rows.
        rows: `(N,)` of the complete windows in `vectors`, as the data numbers them.
        vectors: `(N, 2, C)` complete windows, all but their pictures.
        mean: By modality, `(2, *shape)`.
        scale: The standard deviation, or a little where nothing ever changed.
        change: Root mean square of what changes from t-1 to t, `(*shape)`.

    """

    modalities: tuple[Modality, ...]
    rows: Rows
    vectors: Array
    mean: Mapping[str, Array]
    scale: Mapping[str, Array]
    change: Mapping[str, Array]

    def floored(self, name: str, std: Array) -> Array:
        """Return standard deviations `(2, *shape)` no smaller than a network may claim."""
        floored: Array = np.maximum(std, np.sqrt(VARIANCE_FLOOR) * self.scale[name])
        return floored


def vector_modalities(modalities: tuple[Modality, ...]) -> list[tuple[int, Modality]]:
    """Return mask row and modality of all that are no pictures."""
    return [(row, m) for row, m in enumerate(modalities) if m.encoder is Encoder.VECTOR]


def vectors_of(values: Values, modalities: tuple[Modality, ...]) -> Array:
    """Return the vectors of some windows side by side, `(B, 2, C)`."""
    names = [m.name for _, m in vector_modalities(modalities)]
    return np.concatenate([values[n].astype(np.float64) for n in names], axis=2)


def fill_bank(windows: Windows, rows: Rows) -> Bank:
    """Read training rows, or every n-th of them, in one pass.

    Raises:
        EvaluationError: There are none, or some modality was never sensed.

    """
    modalities = windows.description.modalities
    some = rows[:: max(1, -(-len(rows) // BANK_ROWS))]
    sums = {m.name: _Sums(m.shape) for m in modalities}
    complete: list[tuple[Rows, Array]] = []
    for truth in truths(windows, some):
        for row, modality in enumerate(modalities):
            sums[modality.name].add(truth.values[modality.name], truth.present[:, row])
        complete.append(_complete(truth, modalities))
    absent = [name for name, s in sums.items() if not s.usable]
    if absent:
        raise EvaluationError(
            f'the {len(rows)} training rows never hold {", ".join(absent)} at both time steps: '
            'there is nothing to compare the model with'
        )
    statistics = {name: s.statistics() for name, s in sums.items()}
    return Bank(
        modalities,
        np.concatenate([r for r, _ in complete]),
        np.concatenate([v for _, v in complete]),
        {name: s[0] for name, s in statistics.items()},
        {name: s[1] for name, s in statistics.items()},
        {name: s[2] for name, s in statistics.items()},
    )


def _complete(truth: Truth, modalities: tuple[Modality, ...]) -> tuple[Rows, Array]:
    columns = [row for row, _ in vector_modalities(modalities)]
    whole = truth.present[:, columns].all(axis=(1, 2))
    return truth.rows[whole], vectors_of(truth.values, modalities)[whole]


class _Sums:
    """Sums over the samples of one modality."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._count = np.zeros(STEPS, dtype=np.int64)
        self._pairs = 0
        self._sum = np.zeros((STEPS, *shape))
        self._squares = np.zeros((STEPS, *shape))
        self._changes = np.zeros(shape)

    def add(self, values: NDArray[np.generic], present: NDArray[np.bool_]) -> None:
        exact = values.astype(np.float64)
        for step in range(STEPS):
            here = exact[present[:, step], step]
            self._count[step] += len(here)
            self._sum[step] += here.sum(axis=0)
            self._squares[step] += (here**2).sum(axis=0)
        pairs = exact[present.all(axis=1)]
        self._pairs += len(pairs)
        self._changes += ((pairs[:, CURRENT] - pairs[:, PREVIOUS]) ** 2).sum(axis=0)

    @property
    def usable(self) -> bool:
        return self._pairs > 0

    def statistics(self) -> tuple[Array, Array, Array]:
        """Return mean and scale `(2, *shape)` and change `(*shape)`."""
        count = self._count.reshape(-1, *[1] * (self._sum.ndim - 1))
        mean = self._sum / count
        std = np.sqrt(np.maximum(self._squares / count - mean**2, 0.0))
        floor = np.maximum(SMALLEST_SCALE, SMALLEST_RELATIVE_SCALE * np.abs(mean))
        return mean, np.maximum(std, floor), np.sqrt(self._changes / self._pairs)
