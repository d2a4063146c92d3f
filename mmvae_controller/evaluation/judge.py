"""Judges a network under one mask pattern: its scores and those of the baselines beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mmvae_controller.evaluation.baselines import BASELINES, Baselines
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.scores import Scores, Tally
from mmvae_controller.evaluation.windows import (
    bad_rows,
    Decoder,
    Rows,
    shown,
    Truth,
    truths,
    Windows,
)
from mmvae_controller.modality.contract import ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import Mask
from mmvae_controller.modality.spec import Modality
import numpy as np

GAUSSIAN = 'gaussian'


@dataclass(frozen=True, slots=True)
class ModalityScores:
    """Of the model, and of each baseline; None where the baseline has nothing to go by."""

    model: Scores
    baselines: Mapping[str, Scores | None]


@dataclass(frozen=True, slots=True, eq=False)
class PatternScores:
    """What was known, `(M, 2)`, and how well each modality was decoded from it."""

    known: Mask
    modalities: Mapping[str, ModalityScores]


def judge(
    decoder: Decoder,
    windows: Windows,
    rows: Rows,
    pattern: Mask,
    baselines: Baselines | None,
    on_rows: Callable[[int, int], None],
) -> PatternScores:
    """Decode some rows under one pattern and compare with the truth, wherever there is one.

    Args:
        decoder: The network.
        windows: The data.
        rows: Which of it.
        pattern: `(M, 2)`: what may be known; what was not sensed is missing all the same.
        baselines: To be judged beside the network, prepared for this pattern.
        on_rows: Is told after each batch how many rows are done, and of how many.

    Raises:
        EvaluationError: Something decoded is not finite, or a spread is not above 0.

    """
    modalities = decoder.contract.modalities
    spread = {m.name: is_gaussian(decoder.contract, m.name) for m in modalities}
    model = {m.name: Tally(calibrated=True) for m in modalities}
    others: dict[str, dict[str, Tally]] = {name: {} for name in BASELINES}
    done = 0
    for truth in truths(windows, rows):
        known = truth.present & pattern
        found = decode_checked(decoder, truth, known)
        for row, modality in enumerate(modalities):
            name, decoded = modality.name, found[modality.name]
            std = decoded.std if spread[name] else None
            model[name].add(truth.values[name], decoded.mean, std, truth.present[:, row])
        if baselines is not None:
            _add_guesses(others, baselines, truth, known, modalities)
        done += len(truth.rows)
        on_rows(done, len(rows))
    return PatternScores(
        pattern,
        {
            name: ModalityScores(
                model[name].scores(),
                {b: others[b][name].scores() if name in others[b] else None for b in BASELINES},
            )
            for name in model
        },
    )


def is_gaussian(contract: ModelContract, name: str) -> bool:
    """Return whether a modality is decoded as a Gaussian, so that its spread means something."""
    branch = contract.network.get('branches', {}).get(name, {})
    return bool(branch.get('likelihood', GAUSSIAN) == GAUSSIAN)


def decode_checked(decoder: Decoder, truth: Truth, known: Mask) -> dict[str, Gaussian]:
    """Decode every modality; the network is given zeros wherever it may not look.

    Raises:
        EvaluationError: Something decoded is not finite, or a spread is not above 0.

    """
    modalities = decoder.contract.modalities
    names = [m.name for m in modalities]
    decoded = decoder.decode(shown(truth.values, known, modalities), known, names)
    for name in names:
        mean, std = decoded[name].mean, decoded[name].std
        bad = np.any(bad_rows(mean) | bad_rows(std), axis=1)
        if bad.any():
            first = int(truth.rows[np.argmax(bad)])
            raise EvaluationError(
                f'{decoder.contract.name} decodes a {name} that is not finite in '
                f'{int(bad.sum())} of {len(bad)} rows, the first of them row {first}'
            )
        if is_gaussian(decoder.contract, name) and not np.all(std > 0):
            raise EvaluationError(
                f'{decoder.contract.name} decodes a {name} with standard deviation '
                f'{float(std.min())}, expected above 0'
            )
    return decoded


def _add_guesses(
    tallies: dict[str, dict[str, Tally]],
    baselines: Baselines,
    truth: Truth,
    known: Mask,
    modalities: Sequence[Modality],
) -> None:
    rows = {m.name: row for row, m in enumerate(modalities)}
    for baseline, guesses in baselines.guess(truth.values, known, truth.rows).items():
        for name, guess in guesses.items():
            present = truth.present[:, rows[name]] & guess.present
            tally = tallies[baseline].setdefault(name, Tally())
            tally.add(truth.values[name], guess.mean, guess.std, present)
