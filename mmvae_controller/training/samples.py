"""From what a step draws to what the network is given, for data that is read step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmvae_controller.datasets.shards import Array
from mmvae_controller.datasets.store import Batch, Dataset
from mmvae_controller.modality.observation import CURRENT, Freshness
from mmvae_controller.modality.spec import command_of
from mmvae_controller.training.ageing import aged
from mmvae_controller.training.blanking import Blanks
from mmvae_controller.training.draws import StepDraws
from mmvae_controller.training.scrambling import learnable, recompose
from mmvae_controller.training.windows import Windows
from mmvae_controller.vae.network import RealUnits
from mmvae_controller.vae.objectives import Sample
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What a step is about, in its own units.

    Args:
        drawn: By which it was read.
        batch: The windows, put together from others where they are to be.
        fresh: How fresh what is shown is; without ages, what is known.
        older: By modality, what is shown instead of what is to be decoded.

    """

    drawn: StepDraws
    batch: Batch
    fresh: Freshness
    older: Mapping[str, Array] = field(default_factory=dict)


def read(windows: Windows, drawn: StepDraws) -> Read:
    """Read what a step needs; touches nothing but the data."""
    batch = windows.batch(drawn.rows)
    if drawn.scramble is not None:
        batch = recompose(batch, windows.description.modalities, drawn.scramble)
    if drawn.ages_s is None:
        return Read(drawn, batch, batch.known.astype(np.float32))
    assert isinstance(windows, Dataset), 'check_ages has seen to it'
    values, fresh = aged(windows, drawn.rows, batch, drawn.ages_s)
    return Read(drawn, batch, fresh, {n: v for n, v in values.items() if v is not batch.values[n]})


def sample_of(model: RealUnits, found: Read) -> Sample:
    """Return what the network is shown, and what it should say."""
    drawn, batch = found.drawn, found.batch
    targets = targets_of(model, batch)
    device = next(model.parameters()).device
    shown = targets | model.normalise(on_device(found.older, device))
    shown |= _blanked(model, shown, drawn.blanks)
    noise = {name: added.to(device) for name, added in drawn.input_noise.items()}
    noisy = {name: shown[name] + added for name, added in noise.items()}
    counts = torch.from_numpy(learnable(batch.known, drawn.mask, drawn.scramble))
    whole, counts = bool(counts.all()), counts.to(device)
    modalities = model.network.modalities
    return Sample(
        shown=shown | noisy,
        known=torch.from_numpy(drawn.mask * found.fresh).to(device),
        targets=targets,
        present={m.name: counts[:, row] for row, m in enumerate(modalities)},
        whole=whole,
    )


def targets_of(model: RealUnits, batch: Batch) -> dict[str, Tensor]:
    """Return a batch normalised, the right command in the place of the one applied at t."""
    values = on_device(batch.values, next(model.parameters()).device)
    command = values[command_of(model.network.modalities).name]
    command[:, CURRENT] = torch.from_numpy(batch.label).to(command)
    return model.normalise(values)


def on_device(values: Mapping[str, Array], device: torch.device) -> dict[str, Tensor]:
    """Return arrays as tensors; on the CPU they share memory."""
    return {name: torch.from_numpy(np.asarray(v)).to(device) for name, v in values.items()}


def _blanked(
    model: RealUnits, shown: Mapping[str, Tensor], blanks: Mapping[str, Blanks]
) -> dict[str, Tensor]:
    """Return the images of which some slots show nothing, normalised."""
    found = {}
    for name, blank in blanks.items():
        found[name] = shown[name].clone()
        pictures = model.normalise(on_device({name: blank.pictures}, found[name].device))
        found[name][torch.from_numpy(blank.where)] = pictures[name]
    return found
