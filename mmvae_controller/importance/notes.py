"""What a reader has to know before believing a number."""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.evaluation.judge import is_gaussian
from mmvae_controller.evaluation.selection import Selection
from mmvae_controller.importance.grouping import Blocks
from mmvae_controller.modality.contract import ModelContract
from mmvae_controller.training.muting import Pattern

# The families in which one modality is known alone, and in which only one is not.
SHOW_ALONE = (Pattern.ALONE, Pattern.RANDOM, Pattern.MIXED)
SHOW_WITHOUT = (Pattern.WITHOUT, Pattern.RANDOM, Pattern.MIXED)
# From so few blocks the bootstrap makes intervals that are too narrow.
FEW_BLOCKS = 10
UNKNOWN_ROWS = (
    'Whether the model was trained on any of these windows is unknown: model.yaml names other '
    'data.'
)
UNKNOWN_MUTING = (
    'model.yaml does not say with which masks the model was trained. If it never saw one modality '
    'alone, or all but one, those masks are out of distribution: single modality errors, or '
    'losses of precision, then mean little.'
)


BELIEVE = (
    'A model like this one is trained to decode everything it is shown, noise included. Believe '
    'which modalities the command loses most without, not how many nats, and nothing below half '
    'a nat; "own" and its share in "all" say how exactly a modality is copied '
    '(docs/results/importance_truth.md).'
)
# The fusion of the models that are trained so; model.yaml does not name the objective.
DECODES_ALL = 'joint'


def muting_of(contract: ModelContract) -> Mapping[str, float] | None:
    """Return the shares of the masks that a model was trained with; None if it does not say."""
    found = contract.provenance.get('muting')
    return dict(found) if isinstance(found, Mapping) else None


def notes_on(contract: ModelContract, selection: Selection, blocks: Blocks) -> tuple[str, ...]:
    """Return what has to be known, one sentence each."""
    notes = list(selection.notes)
    if selection.trained_on is None:
        notes.append(UNKNOWN_ROWS)
    muting = muting_of(contract)
    notes += [UNKNOWN_MUTING] if muting is None else _out_of_distribution(muting)
    if contract.network.get('fusion', DECODES_ALL) == DECODES_ALL:
        notes.append(BELIEVE)
    others = [m.name for m in contract.modalities if not is_gaussian(contract, m.name)]
    if others:
        notes.append(
            f'No Gaussian is decoded for {", ".join(others)}: compared are Gaussians of the same '
            'mean and standard deviation.'
        )
    if blocks.count < FEW_BLOCKS:
        notes.append(
            f'The intervals rest on {blocks.count} blocks (each {blocks.what}): too few to trust.'
        )
    return tuple(notes)


def _out_of_distribution(muting: Mapping[str, float]) -> list[str]:
    notes = []
    for families, seen, measures in (
        (SHOW_ALONE, 'one modality alone', 'single modality errors'),
        (SHOW_WITHOUT, 'all modalities but one', 'losses of precision'),
    ):
        if not any(muting.get(family, 0) > 0 for family in families):
            notes.append(
                f'The model was trained with none of the masks {", ".join(families)}, so {seen} '
                f'is out of distribution: {measures} mean little, except under a mask that was '
                'published with the data and trained on.'
            )
    return notes
