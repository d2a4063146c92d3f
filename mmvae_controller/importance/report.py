"""Importance as plain data, for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
import math
from typing import Any

from mmvae_controller.importance.asking import Answer, ProtocolAnswer, Spreads
from mmvae_controller.importance.divergences import ByModality
from mmvae_controller.importance.measuring import Numbers
from mmvae_controller.importance.summary import averaged, RESAMPLES, Spread
from mmvae_controller.importance.verdict import verdict
from mmvae_controller.importance.words import step_name
from mmvae_controller.modality.contract import ModelContract, NETWORK_FILE, WEIGHTS_FILE
import numpy as np
from numpy.typing import NDArray


def report_data(answer: Answer) -> dict[str, Any]:
    """Return everything; what is not defined is None."""
    question, selection = answer.question, answer.selection
    asked = NETWORK_FILE if question.samples is None else WEIGHTS_FILE
    return {
        'model': answer.contract.name,
        'checksum': answer.contract.checksums.get(asked, ''),
        'dataset': question.dataset,
        'rows': len(selection.rows),
        'split': selection.split.value,
        'trained_on': selection.trained_on,
        'latent': 'mean' if question.samples is None else 'samples',
        'samples': question.samples,
        'seed': question.seed,
        'step': step_name(question.step),
        'unit': 'nats',
        'muting': None if answer.muting is None else dict(answer.muting),
        'bootstrap': {
            'blocks': answer.blocks.count,
            'block': answer.blocks.what,
            'resamples': RESAMPLES,
        },
        'phase': None if question.phase is None else _phase(answer),
        'protocols': {n: _protocol(answer, p) for n, p in answer.protocols.items()},
        'notes': list(answer.notes),
        'verdict': verdict(answer, median=False) or None,
    }


def _phase(answer: Answer) -> dict[str, Any]:
    phase, groups = answer.question.phase, answer.groups
    assert phase is not None
    counts = {label: int((groups.of == g).sum()) for g, label in enumerate(groups.labels)}
    return {
        'modality': phase.modality,
        'threshold': phase.threshold,
        'windows': {**counts, 'unknown': int((groups.of < 0).sum())},
    }


def _protocol(answer: Answer, found: ProtocolAnswer) -> dict[str, Any]:
    names, measured = answer.names, found.measured
    data: dict[str, Any] = {
        'known': dict(zip(names, measured.known.tolist(), strict=True)),
        'measures': _measures(names, found.spreads),
        'without': _matrix(names, measured.without),
        'alone': _matrix(names, measured.alone),
    }
    if found.phases:
        data['phases'] = {n: _measures(names, spreads) for n, spreads in found.phases.items()}
    if measured.numbers is not None:
        data['per_dimension'] = _numbers(answer.contract, measured.numbers)
    return data


def _measures(names: list[str], spreads: Spreads) -> dict[str, Any]:
    return {
        name: {measure: _spread(found[row]) for measure, found in spreads.items()}
        for row, name in enumerate(names)
    }


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    return None if spread is None else asdict(spread)


def _matrix(names: list[str], values: NDArray[np.float64]) -> dict[str, Any]:
    return {
        'modalities': names,
        'mean': _rows(averaged(values, median=False)),
        'median': _rows(averaged(values, median=True)),
    }


def _numbers(contract: ModelContract, numbers: Numbers) -> dict[str, Any]:
    return {
        'channels': {m.name: list(m.channels) for m in contract.modalities},
        'without': _by_channel(contract, numbers.without),
        'alone': _by_channel(contract, numbers.alone),
    }


def _by_channel(contract: ModelContract, nats: ByModality) -> Mapping[str, Any]:
    """Return for row i and column j a list over the channels of j; a picture is summed up."""
    channels = {
        name: found.reshape(len(found), -1, found.shape[-1]).sum(axis=1)
        for name, found in nats.items()
    }
    return {
        m.name: {name: _row(found[row]) for name, found in channels.items()}
        for row, m in enumerate(contract.modalities)
    }


def _rows(matrix: NDArray[np.float64]) -> list[list[float] | None]:
    return [_row(row) for row in matrix]


def _row(values: NDArray[np.float64]) -> list[float] | None:
    """Return a row of numbers, or None for one that is not defined: it is so as a whole."""
    numbers: list[float] = values.tolist()
    return numbers if all(math.isfinite(n) for n in numbers) else None
