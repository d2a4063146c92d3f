"""The configuration of a network, as the `network` section of a training YAML gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
import math
from typing import Any

from mmvae_controller.modality.observation import STEPS
from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.vae.errors import VaeError

# The smallest variance a decoder can claim, in normalised units: log(exp(a) + 1e-4) as in the
# code published with Zambelli et al. 2020. Without it a constant channel has no finite optimum.
VARIANCE_FLOOR = 1e-4
# Of the posterior. From 0, as the prior, the first thousand steps would drown in its noise.
INITIAL_LOG_VARIANCE = -5.0


class Activation(StrEnum):
    """The nonlinearity between layers."""

    RELU = 'relu'
    ELU = 'elu'
    SILU = 'silu'


class Likelihood(StrEnum):
    """What a modality is decoded as."""

    GAUSSIAN = 'gaussian'
    BERNOULLI = 'bernoulli'
    CATEGORICAL = 'categorical'


class Fusion(StrEnum):
    """How the modalities come to one posterior.

    JOINT: one network reads all of them and the mask. SUBSETS: the same for what is complete,
    and a second one, q(z | subset), for whatever lacks something (JMVAE-kl, Suzuki et al. 2016).
    EXPERTS: one Gaussian each, multiplied (MVTCAE, Hwang et al. 2021). EXPERTS_AND_PRIOR: with
    N(0, I) as one more (MVAE, Wu and Goodman 2018).
    """

    JOINT = 'joint'
    SUBSETS = 'subsets'
    EXPERTS = 'experts'
    EXPERTS_AND_PRIOR = 'experts_and_prior'


class Reading(StrEnum):
    """How z_2 follows z_1 in JMVAE-h.

    DETERMINISTIC: from the mean of q(z_1 | x, w), so that all q factorise given the data.
    SAMPLED: from a sample of it, q(z_2 | z_1).
    """

    DETERMINISTIC = 'deterministic'
    SAMPLED = 'sampled'


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
        likelihood: What it is decoded as.
        normalise: Whether to give it mean 0 and standard deviation 1; images become 0..1
            without, vectors stay as they are. Only Gaussians may be normalised.
        trunk: How many numbers of the shared decoder's last layer it reads for itself; all
            of them, with the others, where 0.
        motion: Of an image: what moved between its two steps is a feature too, times this; half a
            picture is 1. What rolls by a pixel between two steps would hardly be seen; 0: not.

    """

    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    weight: float
    variance_floor: float = VARIANCE_FLOOR
    likelihood: Likelihood = Likelihood.GAUSSIAN
    normalise: bool = True
    trunk: int = 0
    motion: float = 0.0


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The latents above z_1, as in JMVAE-h: p(z_L) ... p(z_1 | z_2).

    Args:
        latents: Sizes of z_2 ... z_L.
        hidden: Widths of every network between two of them, the same up and down.
        reading: How an upper latent follows the one below.

    """

    latents: tuple[int, ...]
    hidden: tuple[int, ...]
    reading: Reading = Reading.DETERMINISTIC


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The whole network.

    Args:
        latent: Size of z, or of z_1.
        activation: Between layers.
        shared_encoder: Widths from the joined branches to the latent.
        shared_decoder: Widths from the latent to the branches.
        branches: By modality.
        steps: Time steps in one sample: 2 on a robot, 1 for an image with its label.
        fusion: How the modalities come to one posterior.
        hierarchy: Latents above z_1, if any.
        straight: Whether vectors also have a linear way to the mean of the latent, and from it
            to their own mean. What is known is then copied where it would have to be learnt.
        presence: Whether a vector's branch also reads which slots are known; an image's does.
        fill: What a vector's branch reads in a masked slot, in normalised units. The features
            of a masked image are 0.
        initial_log_variance: Of the posterior before training.
        fill_rounds: How often what is missing is decoded and read again before the latent
            counts, for encoders that never saw a mask (Suzuki et al. 2016).

    """

    latent: int
    activation: Activation
    shared_encoder: tuple[int, ...]
    shared_decoder: tuple[int, ...]
    branches: Mapping[str, BranchConfig]
    steps: int = STEPS
    fusion: Fusion = Fusion.JOINT
    hierarchy: Hierarchy | None = None
    straight: bool = False
    presence: bool = True
    fill: float = 0.0
    initial_log_variance: float = INITIAL_LOG_VARIANCE
    fill_rounds: int = 0

    def data(self) -> dict[str, Any]:
        """Return it as plain data, for model.yaml."""
        data: dict[str, Any] = _plain(asdict(self))
        if self.hierarchy is None:
            del data['hierarchy']
        return data


@dataclass(frozen=True, slots=True)
class _Defaults:
    """The default of every optional key, taken from the dataclasses above."""

    network: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(1, Activation.SILU, (), (), {})
    )
    branch: BranchConfig = field(default_factory=lambda: BranchConfig((), (), 1.0))


DEFAULT = _Defaults()


def network_config(section: Section, modalities: tuple[Modality, ...]) -> NetworkConfig:
    """Read and check the configuration of a network for some modalities.

    Raises:
        ModalityError: A key is missing, wrong or unknown.
        VaeError: The branches are not those of the modalities, or two keys contradict.

    """
    branches = {name: _branch(s) for name, s in section.sections('branches').items()}
    names = [m.name for m in modalities]
    if set(branches) != set(names):
        raise VaeError(
            f'{section.where}: branches for {sorted(branches)}, the modalities are {sorted(names)}'
        )
    default = DEFAULT.network
    config = NetworkConfig(
        latent=section.integer('latent', low=1),
        activation=section.choice('activation', Activation, default.activation),
        shared_encoder=section.shape('shared_encoder', empty=True),
        shared_decoder=section.shape('shared_decoder', empty=True),
        branches={name: branches[name] for name in names},
        steps=section.integer('steps', default=default.steps, low=1),
        fusion=section.choice('fusion', Fusion, default.fusion),
        hierarchy=_hierarchy(section.section('hierarchy')) if section.has('hierarchy') else None,
        straight=section.flag('straight', default.straight),
        presence=section.flag('presence', default.presence),
        fill=section.number('fill', default=default.fill),
        initial_log_variance=section.number(
            'initial_log_variance', default=default.initial_log_variance
        ),
        fill_rounds=section.integer('fill_rounds', default=default.fill_rounds),
    )
    section.done()
    _check_branches(section.where, config)
    _check_images(modalities, config)
    return config


def _branch(section: Section) -> BranchConfig:
    default = DEFAULT.branch
    branch = BranchConfig(
        encoder=section.shape('encoder', empty=True),
        decoder=section.shape('decoder', empty=True),
        weight=section.number('weight', default=default.weight, low=0.0),
        variance_floor=section.number('variance_floor', default=default.variance_floor, low=1e-12),
        likelihood=section.choice('likelihood', Likelihood, default.likelihood),
        normalise=section.flag('normalise', default.normalise),
        trunk=section.integer('trunk', default=default.trunk),
        motion=section.number('motion', default=default.motion, low=0.0),
    )
    section.done()
    if branch.likelihood is not Likelihood.GAUSSIAN and branch.normalise:
        raise VaeError(
            f'{section.where}: likelihood {branch.likelihood} needs values from 0 to 1 as they '
            'are: set normalise: false'
        )
    return branch


def _hierarchy(section: Section) -> Hierarchy:
    hierarchy = Hierarchy(
        latents=section.shape('latents'),
        hidden=section.shape('hidden', empty=True),
        reading=section.choice('reading', Reading, Reading.DETERMINISTIC),
    )
    section.done()
    return hierarchy


def _check_branches(where: str, config: NetworkConfig) -> None:
    trunks = {name: b.trunk for name, b in config.branches.items()}
    width = (config.latent, *config.shared_decoder)[-1]
    if any(trunks.values()) and (not all(trunks.values()) or sum(trunks.values()) != width):
        raise VaeError(
            f'{where}: the branches read {trunks} numbers of the trunk, expected none to say so '
            f'or all, adding up to its width {width}'
        )


def _check_images(modalities: tuple[Modality, ...], config: NetworkConfig) -> None:
    for modality in modalities:
        branch = config.branches[modality.name]
        if modality.encoder is not Encoder.IMAGE:
            if branch.motion:
                raise VaeError(f'{modality.name}: motion is for images, a vector has its numbers')
            continue
        for way, channels in (('encoder', branch.encoder), ('decoder', branch.decoder)):
            if not channels:
                raise VaeError(f'{modality.name}: its {way} has no layer, an image needs one')
            _require_halves(modality, way, len(channels))
        if branch.likelihood is Likelihood.CATEGORICAL:
            raise VaeError(f'{modality.name}: an image is not one of some classes')
        if branch.motion and config.steps != STEPS:
            raise VaeError(f'{modality.name}: motion is between {STEPS} steps, not {config.steps}')


def _require_halves(modality: Modality, way: str, layers: int) -> None:
    """Refuse layers that would halve odd pictures; say which pictures or layers go together."""
    factor, size = 2**layers, modality.shape[:2]
    if not any(pixels % factor for pixels in size):
        return
    near = [max(1, round(pixels / factor)) * factor for pixels in size]
    shared = math.gcd(*size)
    fewer = (shared & -shared).bit_length() - 1
    or_fewer = f', or its {way} no more layers than {fewer}' if fewer else ''
    raise VaeError(
        f'{modality.name}: {layers} layers in its {way} halve the picture as often, but '
        f'{list(size)} is no multiple of {factor}: give it shape: {[*near, modality.shape[2]]} in '
        f'the robot YAML (camera_size: is what the camera publishes){or_fewer}'
    )


def _plain(value: Any) -> Any:
    """Return enumerations as their text and tuples as lists, all the way down."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, StrEnum):
        return value.value
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
