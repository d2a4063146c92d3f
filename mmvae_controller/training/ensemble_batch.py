"""The data of an ensemble: on its device once; each step cuts all models' batches from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.modality.spec import command_of
from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.draws import epoch_draws, StepDraws
from mmvae_controller.training.windows import Rows, Windows
from mmvae_controller.vae.branches import Scaling
from mmvae_controller.vae.objectives import Sample
import numpy as np
import torch
from torch import Tensor


class DeviceData:
    """All windows of a data set of vectors, normalised, on one device."""

    def __init__(
        self, windows: Windows, normalisers: Mapping[str, Normaliser], device: torch.device
    ) -> None:
        """Read everything, once."""
        self.modalities = windows.description.modalities
        batch = windows.batch(np.arange(len(windows)))
        # What is learned is the right command, not the one applied, as in `Trainer.targets`.
        batch.values[command_of(self.modalities).name][:, CURRENT] = batch.label
        self.values = {
            m.name: Scaling(m, normalisers[m.name])
            .normalise(torch.from_numpy(np.asarray(batch.values[m.name])))
            .to(device)
            for m in self.modalities
        }
        self.known = torch.from_numpy(batch.known).to(device)
        self.device = device

    def sample(self, drawn: Sequence[StepDraws]) -> tuple[Sample, list[Tensor]]:
        """Return the batches `(U, B, ...)` that some draws stand for, and their latent noise."""
        rows, mask = self._stacked([d.rows for d in drawn]), self._stacked([d.mask for d in drawn])
        sources = rows[:, :, None].expand(*rows.shape, len(self.modalities))
        counts = torch.ones_like(mask)
        if drawn[0].scramble is not None:
            scrambles = [d.scramble for d in drawn if d.scramble is not None]
            places = self._stacked([s.sources for s in scrambles])
            sources = torch.gather(sources, 1, places)
            scrambled = self._stacked([s.rows for s in scrambles])
            counts = mask | ~scrambled[:, :, None, None]
        values, known = {}, torch.empty_like(mask)
        for row, modality in enumerate(self.modalities):
            values[modality.name] = self.values[modality.name][sources[:, :, row]]
            known[:, :, row] = self.known[sources[:, :, row], row]
        counts = counts & known
        noisy = {
            name: values[name] + torch.stack([d.input_noise[name] for d in drawn]).to(self.device)
            for name in drawn[0].input_noise
        }
        present = {m.name: counts[:, :, row] for row, m in enumerate(self.modalities)}
        sample = Sample(values | noisy, (mask & known).float(), values, present)
        noise = [
            torch.stack(levels).to(self.device)
            for levels in zip(*(d.latent_noise for d in drawn), strict=True)
        ]
        return sample, noise

    def _stacked(self, arrays: Sequence[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self.device)


@dataclass(frozen=True, slots=True)
class SharedDraws:
    """The draws of several models, made once for all that draw the same.

    Args:
        distinct: A configuration of each kind.
        kind_of: `(K,)` which of them each model draws like.

    """

    distinct: tuple[TrainingConfig, ...]
    kind_of: tuple[int, ...]

    def epoch(self, windows: Windows, rows: Rows, epoch: int) -> Iterator[list[StepDraws]]:
        """Draw an epoch: at each step what each kind would draw alone."""
        modalities, patterns = windows.description.modalities, windows.patterns
        streams = [epoch_draws(c, modalities, patterns, rows, epoch) for c in self.distinct]
        for drawn in zip(*streams, strict=True):
            yield list(drawn)

    def spread(self, sample: Sample, noise: list[Tensor]) -> tuple[Sample, list[Tensor]]:
        """Return for each model `(K, B, ...)` what there is for each kind `(U, B, ...)`."""
        if self.kind_of == tuple(range(len(self.kind_of))):
            return sample, noise
        index = torch.tensor(self.kind_of, device=sample.known.device)
        return (
            Sample(
                {n: v[index] for n, v in sample.shown.items()},
                sample.known[index],
                {n: v[index] for n, v in sample.targets.items()},
                {n: v[index] for n, v in sample.present.items()},
            ),
            [n[index] for n in noise],
        )


def shared_draws(configs: Sequence[TrainingConfig]) -> SharedDraws:
    """Find out which models draw the same: the KL schedule and the name draw nothing."""
    like = configs[0]
    kinds = [replace(c, kl=like.kl, name=like.name) for c in configs]
    distinct: list[TrainingConfig] = []
    for kind in kinds:
        if kind not in distinct:
            distinct.append(kind)
    return SharedDraws(tuple(distinct), tuple(distinct.index(kind) for kind in kinds))
