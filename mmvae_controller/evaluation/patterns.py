"""Which slots a model is shown: the masks under which it is judged."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from mmvae_controller.evaluation.windows import Windows
from mmvae_controller.modality.observation import (
    everything_known,
    Mask,
    nothing_known,
    policy_query,
    PREVIOUS,
)
from mmvae_controller.modality.spec import Modality

POLICY, PREDICTION = 'policy', 'prediction'
# Under which a robot steers: of a recording, and as it was published with the iCub's data.
STEERING = (POLICY, 'control')


def patterns_of(windows: Windows) -> Mapping[str, Mask]:
    """Return the masks `(M, 2)` that come with the data, or those that fit any robot."""
    modalities = windows.description.modalities
    return windows.patterns or {
        'complete': everything_known(modalities),
        POLICY: policy_query(modalities),
        PREDICTION: prediction_mask(modalities),
    }


def steering_pattern(names: Container[str]) -> str | None:
    """Return which of some masks asks for the command as a robot does; None if none does."""
    return next((name for name in STEERING if name in names), None)


def prediction_mask(modalities: Sequence[Modality]) -> Mask:
    """Return the mask that knows everything at t-1 and nothing at t."""
    mask = nothing_known(modalities)
    mask[:, PREVIOUS] = True
    return mask


def known_words(row: Sequence[bool]) -> str:
    """Return which steps of a modality a mask row knows, in a word."""
    words = {(True, True): 'both', (True, False): 't-1', (False, True): 't', (False, False): '-'}
    return words[bool(row[0]), bool(row[1])]
