"""What could be had without a model: the mean, the last value, the nearest training windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmvae_controller.evaluation.bank import Bank, vector_modalities, vectors_of
from mmvae_controller.evaluation.neighbours import NEIGHBOURS, Neighbours
from mmvae_controller.evaluation.windows import Rows, Values
from mmvae_controller.modality.observation import Mask, STEPS
import numpy as np
from numpy.typing import NDArray

MEAN, COPY_LAST, KNN = 'mean', 'copy_last', 'knn'
BASELINES = (MEAN, COPY_LAST, KNN)

Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """A prediction of one modality.

    Args:
        mean: `(B, 2, *shape)`, or broadcast to it.
        std: The same: how far it was off on the training rows.
        present: `(B, 2)`: where there is one.

    """

    mean: Array
    std: Array
    present: Mask


class Baselines:
    """Guesses what a model decodes, from the same known slots, under one mask pattern.

    - `mean`: the mean of the training rows.
    - `copy_last`: the same modality at the other time step, where that is known: t from t-1,
      t-1 from t.
    - `knn`: the mean of the 5 training windows nearest in what is known. Pictures are neither
      compared nor guessed: how far apart two pictures are says little about what they show.

    As standard deviation each has the root mean square of its error on the training rows (for
    `knn`: each left out in its turn).
    """

    def __init__(self, bank: Bank, pattern: Mask, rows_in_bank: bool) -> None:
        """Prepare for a pattern.

        Args:
            bank: The training rows.
            pattern: `(M, 2)`.
            rows_in_bank: Whether the bank's row numbers are those of the data that is judged: a
                window is then no neighbour of itself.

        """
        self._bank = bank
        self._pattern = pattern
        columns = [row for row, _ in vector_modalities(bank.modalities)]
        self._sizes = [m.size for _, m in vector_modalities(bank.modalities)]
        self._columns = columns
        self._neighbours = None
        if pattern[columns].any() and len(bank.vectors) > NEIGHBOURS:
            self._neighbours, self._knn_std = self._search(bank, pattern)
        self._positions = {}
        if rows_in_bank:
            self._positions = {row: place for place, row in enumerate(bank.rows.tolist())}

    def guess(self, values: Values, known: Mask, rows: Rows) -> dict[str, dict[str, Guess]]:
        """Return a guess by baseline and modality; none where there cannot be one.

        Args:
            values: By modality, `(B, 2, *shape)`; only what is known is read.
            known: `(B, M, 2)`.
            rows: `(B,)`.

        """
        bank, everywhere = self._bank, np.ones((len(rows), STEPS), dtype=bool)
        guesses: dict[str, dict[str, Guess]] = {name: {} for name in BASELINES}
        for row, modality in enumerate(bank.modalities):
            name = modality.name
            guesses[MEAN][name] = Guess(bank.mean[name], bank.scale[name], everywhere)
            if self._pattern[row].any():
                std = bank.floored(name, np.broadcast_to(bank.change[name], bank.mean[name].shape))
                guesses[COPY_LAST][name] = Guess(values[name][:, ::-1], std, known[:, row, ::-1])
        if self._neighbours is not None:
            means = self._by_modality(self._nearest(self._neighbours, values, known, rows))
            for name, mean in means.items():
                guesses[KNN][name] = Guess(mean, self._knn_std[name], everywhere)
        return guesses

    def _search(self, bank: Bank, pattern: Mask) -> tuple[Neighbours, Mapping[str, Array]]:
        scales = [bank.scale[m.name] for _, m in vector_modalities(bank.modalities)]
        table = bank.vectors.reshape(len(bank.vectors), -1)
        neighbours = Neighbours(table, np.concatenate(scales, axis=1).ravel())
        spread = neighbours.residuals(self._flat(pattern[None])[0])
        by_name = self._by_modality(spread[None])
        return neighbours, {n: bank.floored(n, s[0]) for n, s in by_name.items()}

    def _nearest(
        self, neighbours: Neighbours, values: Values, known: Mask, rows: Rows
    ) -> NDArray[np.float64]:
        vectors = vectors_of(values, self._bank.modalities).reshape(len(rows), -1)
        own = np.array([self._positions.get(row, -1) for row in rows.tolist()], dtype=np.int64)
        return neighbours.predict(vectors, self._flat(known), own)

    def _flat(self, known: Mask) -> NDArray[np.bool_]:
        """Return a mask `(B, M, 2)` for each number of the vectors, `(B, 2 C)`."""
        steps_first = known[:, self._columns].transpose(0, 2, 1)
        return np.repeat(steps_first, self._sizes, axis=2).reshape(len(known), -1)

    def _by_modality(self, flat: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return `(B, 2 C)` numbers as `(B, 2, D)` by modality."""
        parts = np.split(flat.reshape(len(flat), STEPS, -1), np.cumsum(self._sizes)[:-1], axis=2)
        named = vector_modalities(self._bank.modalities)
        return {m.name: part for (_, m), part in zip(named, parts, strict=True)}
