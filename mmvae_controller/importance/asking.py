"""The whole of it: which sense matters how much, under each protocol, on some data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mmvae_controller.evaluation.patterns import patterns_of
from mmvae_controller.evaluation.selection import rows_trained_on, select, Selection, Split
from mmvae_controller.evaluation.windows import check_fits, Windows
from mmvae_controller.importance.divergences import Decoder, require_comparable
from mmvae_controller.importance.grouping import (
    Blocks,
    blocks_of,
    Groups,
    periods_of,
    Phase,
    phases_of,
)
from mmvae_controller.importance.measuring import measure, Measured
from mmvae_controller.importance.notes import muting_of, notes_on
from mmvae_controller.importance.summary import Spread, spreads
from mmvae_controller.modality.contract import ModelContract
from mmvae_controller.modality.observation import CURRENT
import numpy as np
from numpy.typing import NDArray

# By measure, then in the order of the modalities.
Spreads = Mapping[str, tuple[Spread | None, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        dataset: How the user named the data.
        split: The part of it; None takes the best that can be had.
        rows: Or a range of it, such as `100:1100`.
        step: Which of the two time steps is compared.
        phase: What tells windows apart; None tells them apart by time.
        per_number: Whether to keep every number of a modality apart.
        samples: How often the latent is sampled; None decodes its mean.
        seed: Of the samples and of the bootstrap.

    """

    dataset: str
    split: Split | None = None
    rows: str | None = None
    step: int = CURRENT
    phase: Phase | None = None
    per_number: bool = False
    samples: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ProtocolAnswer:
    """What was found under one protocol: of all windows, and of each phase if one was named."""

    measured: Measured
    spreads: Spreads
    phases: Mapping[str, Spreads]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was found.

    Args:
        contract: Of the model.
        question: What was asked.
        selection: The rows that it was asked about.
        muting: Shares of the masks it was trained with, by family; None if it does not say.
        blocks: What the intervals are made of.
        groups: By phase or in time.
        protocols: By name.
        notes: What a reader has to know, one sentence each.

    """

    contract: ModelContract
    question: Question
    selection: Selection
    muting: Mapping[str, float] | None
    blocks: Blocks
    groups: Groups
    protocols: Mapping[str, ProtocolAnswer]
    notes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The modalities, in the order of rows and columns."""
        return [m.name for m in self.contract.modalities]

    @property
    def command(self) -> int:
        """The row and column of the command."""
        return self.names.index(self.contract.command.name)


def ask(
    decoder: Decoder, windows: Windows, question: Question, on_rows: Callable[[int, int], None]
) -> Answer:
    """Measure importance under every protocol of the data.

    Args:
        decoder: The network.
        windows: The data.
        question: Which part of the data, and what of it.
        on_rows: Is told how many rows are done, and of how many.

    Raises:
        EvaluationError: The data does not fit, or there are no such rows.
        ImportanceError: Nothing can be compared, or what is decoded is no distribution.

    """
    contract = decoder.contract
    require_comparable(contract)
    check_fits(contract, windows, question.dataset)
    trained = rows_trained_on(contract.provenance, windows)
    selection = select(windows, trained, question.split, question.rows)
    rows = selection.rows
    blocks = blocks_of(windows, rows)
    phase = question.phase
    groups = periods_of(windows, rows) if phase is None else phases_of(windows, rows, phase)
    found = measure(
        decoder,
        windows,
        rows,
        patterns_of(windows),
        question.step,
        question.per_number,
        on_rows,
    )
    return Answer(
        contract,
        question,
        selection,
        muting_of(contract),
        blocks,
        groups,
        {
            name: _answer(measured, blocks, groups if phase else None, question.seed)
            for name, measured in found.items()
        },
        notes_on(contract, selection, blocks),
    )


def _answer(
    measured: Measured, blocks: Blocks, phases: Groups | None, seed: int
) -> ProtocolAnswer:
    everything = np.ones(len(blocks.of), dtype=bool)
    by_phase = {}
    if phases is not None:
        by_phase = {
            label: _spreads(measured, blocks, phases.of == group, seed)
            for group, label in enumerate(phases.labels)
        }
    return ProtocolAnswer(measured, _spreads(measured, blocks, everything, seed), by_phase)


def _spreads(measured: Measured, blocks: Blocks, chosen: NDArray[np.bool_], seed: int) -> Spreads:
    return {
        name: spreads(values[chosen], blocks.of[chosen], seed)
        for name, values in measured.measures.items()
    }
