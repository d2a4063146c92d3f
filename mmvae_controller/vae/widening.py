"""Weights of a network for one that sees more."""

from __future__ import annotations

from mmvae_controller.vae.branches import ImageIn, VectorIn
from mmvae_controller.vae.encoders import JointEncoder
from mmvae_controller.vae.network import TwoStepVAE
import torch
from torch import Tensor


def widened(weights: dict[str, Tensor], old: TwoStepVAE, new: TwoStepVAE) -> dict[str, Tensor]:
    """Return weights of `old` that compute the same in `new`.

    The new one may have image branches with `motion` where the old one had none: what it makes
    of motion begins at zero. All else is left as it is, and for `load_state_dict` to judge.
    """
    if not isinstance(old.encoder, JointEncoder) or not isinstance(new.encoder, JointEncoder):
        return weights
    key = next(k for k in ('encoder.shared.0.weight', 'encoder.head.weight') if k in weights)
    branches = dict(new.encoder.branches.items())
    blocks, start = [], 0
    for name, branch in old.encoder.branches.items():
        assert isinstance(branch, ImageIn | VectorIn)
        blocks.append(weights[key][:, start : start + branch.features])
        start += branch.features
        other = branches.get(name, branch)
        if isinstance(branch, ImageIn) and isinstance(other, ImageIn):
            # `motion` comes last in what a branch reports.
            more = other.features - branch.features if other.motion and not branch.motion else 0
            blocks.append(torch.zeros(len(weights[key]), more))
    return weights | {key: torch.cat(blocks, dim=1)}
