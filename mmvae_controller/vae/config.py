"""The configuration of a network, as the `network` section of a training YAML gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.vae.errors import VaeError

# The smallest variance a decoder can claim, in normalised units: log(exp(a) + 1e-4) as in the
# code published with Zambelli et al. 2020. Without it a constant channel has no finite optimum.
VARIANCE_FLOOR = 1e-4


class Activation(StrEnum):
    """The nonlinearity between layers."""

    RELU = 'relu'
    ELU = 'elu'
    SILU = 'silu'


@dataclass(frozen=True, slots=True)
class BranchConfig:
    """The networks of one modality.

    Args:
        encoder: Hidden widths of a vector's encoder, channels of an image's convolutions.
        decoder: The same for the way out.
        weight: Of its log-likelihood, summed over dimensions, in the objective.
        variance_floor: The smallest variance its decoder can claim, in normalised units. What
            rarely changes, such as touch, needs a larger one: being surprised at a claim of
            1e-4 drowns the gradient of everything else.

    """

    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    weight: float
    variance_floor: float = VARIANCE_FLOOR


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The whole network.

    Args:
        latent: Size of z.
        activation: Between layers.
        shared_encoder: Widths from the joined branches to the latent.
        shared_decoder: Widths from the latent to the branches.
        branches: By modality.

    """

    latent: int
    activation: Activation
    shared_encoder: tuple[int, ...]
    shared_decoder: tuple[int, ...]
    branches: Mapping[str, BranchConfig]

    def data(self) -> dict[str, Any]:
        """Return it as plain data, for model.yaml."""
        data = asdict(self)
        data['activation'] = self.activation.value
        data['branches'] = {name: _branch_data(b) for name, b in self.branches.items()}
        for key in ('shared_encoder', 'shared_decoder'):
            data[key] = list(data[key])
        return data


def _branch_data(branch: BranchConfig) -> dict[str, Any]:
    return asdict(branch) | {'encoder': list(branch.encoder), 'decoder': list(branch.decoder)}


def network_config(section: Section, modalities: tuple[Modality, ...]) -> NetworkConfig:
    """Read and check the configuration of a network for some modalities.

    Raises:
        ModalityError: A key is missing, wrong or unknown.
        VaeError: The branches are not those of the modalities.

    """
    branches = {}
    for name, branch in section.sections('branches').items():
        branches[name] = BranchConfig(
            encoder=branch.shape('encoder'),
            decoder=branch.shape('decoder'),
            weight=branch.number('weight', default=1.0, low=0.0),
            variance_floor=branch.number('variance_floor', default=VARIANCE_FLOOR, low=1e-12),
        )
        branch.done()
    names = [m.name for m in modalities]
    if set(branches) != set(names):
        raise VaeError(
            f'{section.where}: branches for {sorted(branches)}, the modalities are {sorted(names)}'
        )
    config = NetworkConfig(
        latent=section.integer('latent', low=1),
        activation=section.choice('activation', Activation, Activation.SILU),
        shared_encoder=section.shape('shared_encoder'),
        shared_decoder=section.shape('shared_decoder'),
        branches=branches,
    )
    section.done()
    _check_images(modalities, config)
    return config


def _check_images(modalities: tuple[Modality, ...], config: NetworkConfig) -> None:
    for modality in modalities:
        if modality.encoder is not Encoder.IMAGE:
            continue
        branch = config.branches[modality.name]
        for way, channels in (('encoder', branch.encoder), ('decoder', branch.decoder)):
            factor = 2 ** len(channels)
            if any(size % factor for size in modality.shape[:2]):
                raise VaeError(
                    f'{modality.name}: {len(channels)} layers in its {way} halve the picture as '
                    f'often, but {modality.shape[:2]} is no multiple of {factor}'
                )
