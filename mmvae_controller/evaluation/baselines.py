"""What could be had without a model: the last value, a linear fit, near windows, the mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mmvae_controller.evaluation.bank import Bank, vector_modalities, vectors_of
from mmvae_controller.evaluation.neighbours import NEIGHBOURS, Neighbours
from mmvae_controller.evaluation.ridge import Ridge
from mmvae_controller.evaluation.windows import Rows, Values
from mmvae_controller.modality.observation import Mask, STEPS
import numpy as np
from numpy.typing import NDArray

MEAN, COPY_LAST, KNN, RIDGE = 'mean', 'copy_last', 'knn', 'ridge'
BASELINES = (MEAN, COPY_LAST, KNN, RIDGE)

Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """A prediction of one modality.

    Args:
        mean: `(B, 2, *shape)`; what is known stands in it as it is.
        std: `(2, *shape)`: how far it was off on the training rows; NaN where nothing is guessed
            because the pattern knows it.
        present: `(B, 2)`: where there is one.

    """

    mean: Array
    std: Array
    present: Mask


class _Predictor(Protocol):
    """Predicts windows `(B, C)` from what is known of them."""

    def predict(
        self,
        queries: NDArray[np.float64],
        known: NDArray[np.bool_],
        own: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Predict; `own` says which rows of the bank the queries are, -1 of none."""


@dataclass(frozen=True, slots=True, eq=False)
class _FromVectors:
    predictor: _Predictor
    std: Mapping[str, NDArray[np.float64]]


class Baselines:
    """Guesses what a model decodes, from the same known slots, under one mask pattern.

    Known slots are returned as they are: what follows is of the masked ones.

    - `mean`: the mean of the training rows.
    - `copy_last`: the same modality at the other time step, where that is known: t from t-1,
      t-1 from t.
    - `knn`: the mean of the 5 training windows nearest in what is known. Pictures are neither
      compared nor guessed: how far apart two pictures are says little about what they show.
    - `ridge`: linear in what is known, with an L2 penalty; without pictures, as `knn`.

    As standard deviation each has the root mean square of its error on the training rows (for
    `knn` and `ridge`: each left out in its turn).
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
        self._from_vectors: dict[str, _FromVectors] = {}
        if pattern[columns].any() and len(bank.vectors) > NEIGHBOURS:
            self._from_vectors = self._prepared(bank, pattern)
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
        for baseline, prepared in self._from_vectors.items():
            means = self._by_modality(self._predicted(prepared.predictor, values, known, rows))
            for name, mean in means.items():
                guesses[baseline][name] = Guess(mean, prepared.std[name], everywhere)
        return {
            baseline: {
                m.name: _kept(found[m.name], values[m.name], known[:, row], self._pattern[row])
                for row, m in enumerate(bank.modalities)
                if m.name in found
            }
            for baseline, found in guesses.items()
        }

    def _prepared(self, bank: Bank, pattern: Mask) -> dict[str, _FromVectors]:
        scales = [bank.scale[m.name] for _, m in vector_modalities(bank.modalities)]
        scale = np.concatenate(scales, axis=1).ravel()
        table, known = bank.vectors.reshape(len(bank.vectors), -1), self._flat(pattern[None])[0]
        neighbours, ridge = Neighbours(table, scale), Ridge(table, scale, known)
        return {
            KNN: _FromVectors(neighbours, self._floored(neighbours.residuals(known))),
            RIDGE: _FromVectors(ridge, self._floored(ridge.residuals)),
        }

    def _floored(self, residuals: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        by_name = self._by_modality(residuals[None])
        return {name: self._bank.floored(name, std[0]) for name, std in by_name.items()}

    def _predicted(
        self, predictor: _Predictor, values: Values, known: Mask, rows: Rows
    ) -> NDArray[np.float64]:
        vectors = vectors_of(values, self._bank.modalities).reshape(len(rows), -1)
        own = np.array([self._positions.get(row, -1) for row in rows.tolist()], dtype=np.int64)
        return predictor.predict(vectors, self._flat(known), own)

    def _flat(self, known: Mask) -> NDArray[np.bool_]:
        """Return a mask `(B, M, 2)` for each number of the vectors, `(B, 2 C)`."""
        steps_first = known[:, self._columns].transpose(0, 2, 1)
        return np.repeat(steps_first, self._sizes, axis=2).reshape(len(known), -1)

    def _by_modality(self, flat: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return `(B, 2 C)` numbers as `(B, 2, D)` by modality."""
        parts = np.split(flat.reshape(len(flat), STEPS, -1), np.cumsum(self._sizes)[:-1], axis=2)
        named = vector_modalities(self._bank.modalities)
        return {m.name: part for (_, m), part in zip(named, parts, strict=True)}


def _kept(guess: Guess, value: Array, known: Mask, pattern: Mask) -> Guess:
    """Return a guess with everything known in its place; `known` is `(B, 2)`, `pattern` `(2,)`."""
    ones = [1] * (value.ndim - known.ndim)
    visible, never_guessed = known.reshape(*known.shape, *ones), pattern.reshape(-1, *ones)
    return Guess(
        np.where(visible, value, guess.mean),
        np.where(never_guessed, np.nan, guess.std),
        guess.present | known,
    )
