"""The windows of a data set of vectors, normalised once and held: a step only picks its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.modality.spec import command_of
from mmvae_controller.training.draws import StepDraws
from mmvae_controller.training.scrambling import Scramble
from mmvae_controller.training.windows import Windows
from mmvae_controller.vae.branches import Scaling
from mmvae_controller.vae.objectives import Sample
import numpy as np
import torch
from torch import Tensor


class HeldWindows:
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
        self.whole = bool(batch.known.all())
        self.device = device

    def sample(self, drawn: StepDraws) -> Sample:
        """Return the batch `(B, ...)` of one model, or `(K, B, ...)` where the draws are of K."""
        rows, mask = self._here(drawn.rows), self._here(drawn.mask)
        if self.whole and drawn.scramble is None:
            values = {name: _picked(held, rows) for name, held in self.values.items()}
            everything = torch.ones_like(mask)
            return self._sample(drawn, values, mask, everything, True)
        sources = rows[..., None].expand(*rows.shape, len(self.modalities))
        counts = torch.ones_like(mask)
        if drawn.scramble is not None:
            sources = torch.gather(sources, -2, self._here(drawn.scramble.sources))
            counts = mask | ~self._here(drawn.scramble.rows)[..., None, None]
        known = torch.empty_like(mask)
        values = {}
        for row, modality in enumerate(self.modalities):
            values[modality.name] = _picked(self.values[modality.name], sources[..., row])
            known[..., row, :] = self.known[sources[..., row], row]
        return self._sample(drawn, values, mask & known, counts & known, False)

    def noise(self, drawn: StepDraws) -> list[Tensor]:
        """Return the latent noise of some draws."""
        return [noise.to(self.device) for noise in drawn.latent_noise]

    def _sample(
        self,
        drawn: StepDraws,
        values: dict[str, Tensor],
        seen: Tensor,
        counts: Tensor,
        whole: bool,
    ) -> Sample:
        noisy = {n: values[n] + noise.to(self.device) for n, noise in drawn.input_noise.items()}
        present = {m.name: counts[..., row, :] for row, m in enumerate(self.modalities)}
        return Sample(values | noisy, seen.float(), values, present, whole)

    def _here(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def _picked(held: Tensor, rows: Tensor) -> Tensor:
    """Return `held[rows]`; whole rows are copied faster than picked."""
    picked = torch.index_select(held, 0, rows.flatten())
    return picked.reshape(*rows.shape, *held.shape[1:])


def stacked(drawn: Sequence[StepDraws]) -> StepDraws:
    """Return the draws of K models as those of all of them, `(K, B, ...)`."""
    scrambles = [d.scramble for d in drawn if d.scramble is not None]
    scramble = None
    if scrambles:
        scramble = Scramble(
            np.stack([s.rows for s in scrambles]), np.stack([s.sources for s in scrambles])
        )
    return StepDraws(
        np.stack([d.rows for d in drawn]),
        np.stack([d.mask for d in drawn]),
        scramble,
        tuple(torch.stack(level) for level in zip(*(d.latent_noise for d in drawn), strict=True)),
        {n: torch.stack([d.input_noise[n] for d in drawn]) for n in drawn[0].input_noise},
    )
