"""What measures and figures are called, and how they are to be read, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
import math
from textwrap import wrap

from mmvae_controller.importance.asking import Answer
from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.importance.summary import Spread
from mmvae_controller.modality.observation import CURRENT

ABSENT = '–'
TITLE_COLUMNS = 120
TITLES: Mapping[str, str] = dict(
    zip(
        MEASURES,
        (
            'single error, own',
            'single error, all',
            'loss of precision, own',
            'loss of precision, all',
            'loss of precision, command',
        ),
        strict=True,
    )
)
MEANINGS: Mapping[str, str] = dict(
    zip(
        MEASURES,
        (
            'how far a modality that is known alone is from explaining itself: large is bad',
            'how far a modality that is known alone is from explaining everything: small if it is '
            'informative, or if its own noise is much of everything',
            'what a modality loses when only it is missing: large if the others cannot tell it, '
            'be it only its noise',
            'what everything loses when only this modality is missing: its own loss, and what the '
            'others lose with it',
            'what the command loses when only this modality is missing: large if the robot steers '
            'by it',
        ),
        strict=True,
    )
)


def number(value: float | None) -> str:
    """Return some nats in five characters or so: 0.003, 1.24, 38.4, 384, 1.2e+04."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if value == 0:
        return '0'
    if value >= 10_000 or value < 0.0005:
        return f'{value:.0e}'
    if value >= 100:
        return f'{value:.0f}'
    return f'{value:.1f}' if value >= 10 else f'{value:.2f}' if value >= 1 else f'{value:.3f}'


def spread_words(spread: Spread | None, median: bool) -> str:
    """Return an average with its interval: of the mean 95 %, of the median the quartiles."""
    if spread is None:
        return ABSENT
    if median:
        return f'{number(spread.median)} ({number(spread.q25)}–{number(spread.q75)})'
    if spread.low is None:
        return number(spread.mean)
    return f'{number(spread.mean)} ({number(spread.low)}–{number(spread.high)})'


def average_words(median: bool) -> str:
    """Return what the numbers in tables and figures are."""
    if median:
        return 'median over the windows (lower to upper quartile)'
    return 'mean over the windows (95 % interval of the mean)'


def options_words(answer: Answer) -> str:
    """Return what was asked about what, in one line."""
    return f'{answer.contract.name} on {answer.question.dataset}: {_how(answer)}'


def title_words(answer: Answer) -> str:
    """Return the same in lines that fit above a figure."""
    lines = (f'{answer.contract.name} on {answer.question.dataset}', _how(answer))
    return '\n'.join(part for line in lines for part in wrap(line, TITLE_COLUMNS))


def _how(answer: Answer) -> str:
    question, selection = answer.question, answer.selection
    latent = 'its mean' if question.samples is None else f'{question.samples} samples of it'
    trained = 'unknown how many' if selection.trained_on is None else selection.trained_on
    return (
        f'{len(selection.rows)} windows ({selection.split}'
        f'{f" {question.rows}" if question.rows else ""}), {trained} of them trained on; '
        f'compared at {step_name(question.step)}; latent: {latent}'
    )


def step_name(step: int) -> str:
    """Return a time step as users name it."""
    return 't' if step == CURRENT else 't-1'
