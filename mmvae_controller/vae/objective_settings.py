"""The objective section of a training YAML; what each objective is, `objectives` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.config import Fusion, Likelihood, NetworkConfig
from mmvae_controller.vae.errors import VaeError


class Kind(StrEnum):
    """The objectives."""

    ELBO = 'elbo'
    JMVAE_KL = 'jmvae_kl'
    MVAE = 'mvae'
    MVTCAE = 'mvtcae'


class Subsets(StrEnum):
    """What a second encoder or an expert is asked about.

    ALONE: each modality by itself, as published for two of them. DRAWN: the masks of muting.
    BOTH: one after the other, as MVAE was published for more than two.
    """

    ALONE = 'alone'
    DRAWN = 'drawn'
    BOTH = 'both'


FUSION_OF = {
    Kind.ELBO: tuple(Fusion),
    Kind.JMVAE_KL: (Fusion.SUBSETS,),
    Kind.MVAE: (Fusion.EXPERTS_AND_PRIOR,),
    Kind.MVTCAE: (Fusion.EXPERTS,),
}
# Of the keys that not every objective has, those that one reads.
READS = {
    Kind.ELBO: (),
    Kind.JMVAE_KL: ('alpha', 'subsets'),
    Kind.MVAE: ('subsets',),
    Kind.MVTCAE: ('alpha',),
}
# .1 is best in the published numbers of JMVAE-kl, first written with 1; .9 as MVTCAE published.
ALPHA = dict.fromkeys(Kind, 0.1) | {Kind.MVTCAE: 0.9}


@dataclass(frozen=True, slots=True)
class ObjectiveConfig:
    """Which objective.

    Args:
        kind: See `objectives`.
        alpha: Of JMVAE-kl, and of MVTCAE, where it is at most 1; the YAML's default is `ALPHA`.
        subsets: Of JMVAE-kl and MVAE.
        variance_power: See `weighted_elbo`.
        picture_share: Share of a batch whose pictures are decoded, for speed.

    """

    kind: Kind = Kind.ELBO
    alpha: float = ALPHA[Kind.ELBO]
    subsets: Subsets = Subsets.ALONE
    variance_power: float = 0.0
    picture_share: float = 1.0


def objective_config(section: Section, network: NetworkConfig) -> ObjectiveConfig:
    """Read and check the `objective` section of a training YAML.

    Raises:
        ModalityError: A key is missing, wrong or unknown.
        VaeError: The objective does not read a key, or the network's fusion is not its own.

    """
    kind = section.choice('kind', Kind, Kind.ELBO)
    _refuse_unread(section, kind)
    config = ObjectiveConfig(
        kind=kind,
        alpha=section.number('alpha', default=ALPHA[kind], low=0.0),
        subsets=section.choice('subsets', Subsets, Subsets.ALONE),
        variance_power=section.number('variance_power', default=0.0, low=0.0, high=1.0),
        picture_share=section.number('picture_share', default=1.0, low=0.01, high=1.0),
    )
    section.done()
    fusions = FUSION_OF[config.kind]
    if network.fusion not in fusions:
        raise VaeError(
            f'{section.where}: {config.kind} needs the fusion {" or ".join(fusions)}, the network '
            f'has {network.fusion}'
        )
    if network.hierarchy is not None and config.kind in (Kind.JMVAE_KL, Kind.MVTCAE):
        raise VaeError(f'{section.where}: {config.kind} is defined for one latent, not for more')
    likelihoods = {b.likelihood for b in network.branches.values()}
    if config.variance_power and Likelihood.GAUSSIAN not in likelihoods:
        raise VaeError(
            f'{section.where}: variance_power is {config.variance_power:g}, but nothing is '
            'decoded as a Gaussian: leave it out'
        )
    if config.kind is Kind.MVTCAE and config.alpha > 1:
        raise VaeError(
            f'{section.where}: alpha is {config.alpha:g}, expected at most 1 for {config.kind}: '
            'above, it would seek divergence from the prior'
        )
    return config


def _refuse_unread(section: Section, kind: Kind) -> None:
    """Refuse a key that would change nothing, such as the alpha of an ELBO."""
    for key in ('alpha', 'subsets'):
        if section.has(key) and key not in READS[kind]:
            readers = ', '.join(k for k, keys in READS.items() if key in keys)
            raise VaeError(f'{section.where}: {key} is not read by {kind}, only by {readers}')
