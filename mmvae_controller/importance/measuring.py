"""The divergences of many windows under one protocol: what is known when everything is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mmvae_controller.evaluation.windows import Rows, shown, Truth, truths, Windows
from mmvae_controller.importance.divergences import (
    ByModality,
    Decoder,
    diverge,
    Divergences,
    matrix_of,
)
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.measures import measures_of
from mmvae_controller.modality.contract import ModelContract
from mmvae_controller.modality.observation import Mask, STEPS
import numpy as np
from numpy.typing import NDArray

# Decoded at once: as doubles, with what is computed from them, these stay below 0.5 GB.
NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Means over the windows, number by number, by modality j, `(M, *shape)`; see `Measured`."""

    without: ByModality
    alone: ByModality


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What N windows say under one protocol, in nats.

    Rows of a modality that was not known in a window are NaN: nothing was taken away from it.

    Args:
        known: `(M, 2)`: what the protocol shows.
        without: `(N, M, M)`: KL(P_j || P(-i)_j) in row i, column j.
        alone: `(N, M, M)`: KL(P_j || P(i)_j).
        measures: By measure, `(N, M)`.
        numbers: The same for each number of a modality, if asked for.

    """

    known: Mask
    without: NDArray[np.float64]
    alone: NDArray[np.float64]
    measures: Mapping[str, NDArray[np.float64]]
    numbers: Numbers | None


def measure(
    decoder: Decoder,
    windows: Windows,
    rows: Rows,
    protocols: Mapping[str, Mask],
    step: int,
    per_number: bool,
    on_rows: Callable[[int, int], None],
) -> dict[str, Measured]:
    """Ask a network about some windows, under each protocol.

    Args:
        decoder: The network.
        windows: The data; what was not sensed is missing under every protocol.
        rows: Which of it.
        protocols: By name, `(M, 2)`.
        step: Which of the two time steps is compared.
        per_number: Whether to keep every number apart.
        on_rows: Is told how many rows are done, and of how many.

    Raises:
        EvaluationError: A value that was sensed is not finite.
        ImportanceError: What is decoded is not finite, or a spread not above 0.

    """
    modalities = decoder.contract.modalities
    tallies = {name: _Tally(decoder.contract, per_number) for name in protocols}
    done = 0
    for truth in _portions(truths(windows, rows), _rows_at_once(decoder.contract)):
        for name, pattern in protocols.items():
            known = truth.present & pattern
            values = shown(truth.values, known, modalities)
            tallies[name].add(diverge(decoder, values, known, step), known, truth.rows)
        done += len(truth.rows)
        on_rows(done, len(rows))
    return {name: tallies[name].measured(pattern) for name, pattern in protocols.items()}


class _Tally:
    """Collects the divergences of one protocol, batch by batch."""

    def __init__(self, contract: ModelContract, per_number: bool) -> None:
        self._names = [m.name for m in contract.modalities]
        self._command = self._names.index(contract.command.name)
        self._per_number = per_number
        self._parts: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._without: dict[str, NDArray[np.float64]] = {}
        self._alone: dict[str, NDArray[np.float64]] = {}
        self._counts = np.zeros(len(self._names))

    def add(self, found: Divergences, known: Mask, rows: Rows) -> None:
        """Take what some windows say."""
        there = np.asarray(known.any(axis=2))
        matrices = [matrix_of(found.without, self._names), matrix_of(found.alone, self._names)]
        for matrix in matrices:
            bad = ~np.isfinite(matrix) & there[:, :, None]
            if bad.any():
                row, _, column = np.argwhere(bad)[0]
                raise ImportanceError(
                    f'the decoded {self._names[column]} is not finite, or nearly so, in row '
                    f'{rows[row]} of the data'
                )
            matrix[~there] = np.nan
        self._parts.append((matrices[0], matrices[1]))
        if self._per_number:
            self._counts += there.sum(axis=0)
            _accumulate(self._without, found.without, there)
            _accumulate(self._alone, found.alone, there)

    def measured(self, pattern: Mask) -> Measured:
        """Return everything that was collected."""
        without, alone = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        numbers = None
        if self._per_number:
            numbers = Numbers(*(self._means(sums) for sums in (self._without, self._alone)))
        measures = measures_of(alone, without, self._command)
        return Measured(pattern, without, alone, measures, numbers)

    def _means(self, sums: ByModality) -> ByModality:
        counts = np.where(self._counts > 0, self._counts, np.nan)
        return {n: s / counts.reshape(-1, *[1] * (s.ndim - 1)) for n, s in sums.items()}


def _accumulate(
    sums: dict[str, NDArray[np.float64]], nats: ByModality, there: NDArray[np.bool_]
) -> None:
    for name, found in nats.items():
        counted = np.where(there.reshape(*there.shape, *[1] * (found.ndim - 2)), found, 0.0)
        sums[name] = sums.get(name, 0.0) + counted.sum(axis=0)


def _rows_at_once(contract: ModelContract) -> int:
    copies = 2 * len(contract.modalities) + 1
    return max(1, NUMBERS_AT_ONCE // (copies * STEPS * sum(m.size for m in contract.modalities)))


def _portions(batches: Iterator[Truth], size: int) -> Iterator[Truth]:
    """Cut batches to a size: of each row many copies are decoded, pictures among them."""
    for truth in batches:
        for start in range(0, len(truth.rows), size):
            part = slice(start, start + size)
            values = {name: value[part] for name, value in truth.values.items()}
            yield Truth(truth.rows[part], values, truth.present[part])
