"""A network that decodes samples of the latent instead of its mean: offline only, with torch.

The mean of q(z | what is known) says nothing of how sure the encoder is. Of K samples the decoded
Gaussians make up a mixture; here it is matched by its two first moments:

    mean      mean of the K means
    variance  mean of the K variances + variance of the K means
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.modality.contract import LATENT, ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import Freshness, Mask, value_rows
from mmvae_controller.vae.checkpoint import load_model
from mmvae_controller.vae.network import RealUnits
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor


class SampledNetwork:
    """Decodes K samples of the latent.

    The noise is the same for every window and every mask, so that two masks that leave the same
    latent leave the same answer, however few samples there are; and it comes in pairs z, -z, so
    that its mean is exactly 0.
    """

    def __init__(self, model: RealUnits, contract: ModelContract, samples: int, seed: int) -> None:
        """Draw the noise.

        Raises:
            ImportanceError: The number of samples is odd or below 2.

        """
        if samples < 2 or samples % 2:
            raise ImportanceError(
                f'{samples} samples of the latent: expected an even number from 2 on, for they '
                'are drawn in pairs'
            )
        self.contract = contract
        self._model = model
        generator = torch.Generator().manual_seed(seed)
        half = torch.randn(samples // 2, contract.latent_size, generator=generator)
        self._noise = torch.cat([half, -half])

    @torch.inference_mode()
    def decode(
        self,
        values: Mapping[str, NDArray[np.generic]],
        known: Mask | Freshness,
        wanted: Sequence[str],
    ) -> dict[str, Gaussian]:
        """Decode as `control.network.Network` does."""
        network = self._model.network
        tensors = {
            m.name: torch.from_numpy(np.ascontiguousarray(values[m.name]))
            for m in self.contract.modalities
        }
        rows = torch.from_numpy(value_rows(values, known))
        mask = torch.from_numpy(known.astype(np.float32))
        latent = network.settle(self._model.normalise(tensors), mask, rows)
        moments = {name: _Moments() for name in wanted if name != LATENT}
        for noise in self._noise:
            for name, decoded in network.decode(latent.at(noise), list(moments)).items():
                moments[name].add(decoded.mean, decoded.std)
        found = {name: self._in_real_units(name, m) for name, m in moments.items()}
        found[LATENT] = Gaussian(latent.mean.numpy(), latent.std.numpy())
        return {name: found[name] for name in wanted}

    def _in_real_units(self, name: str, moments: _Moments) -> Gaussian:
        scaling = self._model.scaling(name)
        mean = scaling.restore(moments.mean.float())
        std = moments.variance.sqrt().float() * scaling.scale
        return Gaussian(mean.numpy(), std.numpy())


class _Moments:
    """Mean and variance of a mixture, sample by sample (Welford 1962), in double precision."""

    def __init__(self) -> None:
        self._count = 0
        self.mean = torch.zeros((), dtype=torch.float64)
        self._within = torch.zeros((), dtype=torch.float64)
        self._between = torch.zeros((), dtype=torch.float64)

    def add(self, mean: Tensor, std: Tensor) -> None:
        """Take what one sample decodes to."""
        self._count += 1
        shift = mean.double() - self.mean
        self.mean = self.mean + shift / self._count
        self._between = self._between + shift * (mean.double() - self.mean)
        self._within = self._within + std.double() ** 2

    @property
    def variance(self) -> Tensor:
        """The mean of the variances plus the variance of the means."""
        return (self._within + self._between) / self._count


def load_sampled(folder: Path, samples: int, seed: int) -> SampledNetwork:
    """Read the weights of a model folder.

    Raises:
        ImportanceError: The number of samples is odd or below 2.
        ModalityError: The folder is no model, or a file is damaged.
        VaeError: The weights are not those of its network.

    """
    model, contract = load_model(folder)
    return SampledNetwork(model, contract, samples, seed)
