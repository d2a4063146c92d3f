"""Networks over two or three short vectors, and batches for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder, Modality, Role
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objectives import Sample
import pytest
import torch

Build = Callable[..., TwoStepVAE]


def vector(name: str, size: int) -> Modality:
    channels = tuple(f'{name}{n}' for n in range(size))
    return Modality(name, Role.SENSE, Encoder.VECTOR, (size,), 'm', channels, 1.0)


TWO = (vector('x', 3), vector('w', 2))
THREE = (*TWO, vector('v', 2))


def built(
    modalities: tuple[Modality, ...] = TWO,
    branches: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    **options: Any,
) -> TwoStepVAE:
    """Return a network in double precision; options are keys of its configuration."""
    torch.manual_seed(seed)
    own = branches or {}
    small = {'encoder': [6], 'decoder': [6]}
    data = {
        'latent': 3, 'shared_encoder': [8], 'shared_decoder': [8],
        'initial_log_variance': -1.0,
        'branches': {m.name: small | dict(own.get(m.name, {})) for m in modalities},
    }  # fmt: skip
    config = network_config(Section(data | options, 'test'), modalities)
    network = TwoStepVAE(modalities, config).double()
    with torch.no_grad():
        # As far from the initial near-nothing as a trained one: no term is close to 0.
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def drawn(network: TwoStepVAE, rows: int = 5, seed: int = 1) -> Sample:
    """Return a batch of which nothing is missing, with random masks; the first row shows all."""
    torch.manual_seed(seed)
    steps = network.config.steps
    values = {m.name: torch.randn(rows, steps, *m.shape).double() for m in network.modalities}
    known = torch.randint(0, 2, (rows, len(values), steps)).double()
    known[0] = 1
    present = {n: torch.ones(rows, steps, dtype=torch.bool) for n in values}
    return Sample(values, known, dict(values), present)


@pytest.fixture
def build() -> Build:
    """Return what builds a small network: `build(modalities, fusion='experts', ...)`."""
    return built


@pytest.fixture
def draw() -> Callable[..., Sample]:
    """Return what draws a batch for a network."""
    return drawn


@pytest.fixture
def two() -> tuple[Modality, ...]:
    return TWO


@pytest.fixture
def three() -> tuple[Modality, ...]:
    return THREE


@pytest.fixture
def noise() -> Callable[..., list[torch.Tensor]]:
    """Return what draws the noise of an objective: one tensor for each latent."""
    from mmvae_controller.vae.objectives import noise_sizes

    def noise_for(network: TwoStepVAE, rows: int, seed: int = 2) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [torch.randn(rows, size).double() for size in noise_sizes(network)]

    return noise_for
