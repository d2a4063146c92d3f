"""The `objective` section: which objective goes with which network."""

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.config import Fusion, network_config
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objective_settings import (
    FUSION_OF,
    Kind,
    objective_config,
    ObjectiveConfig,
    Subsets,
)
from mmvae_controller.vae.objectives import noise_sizes, objective, Sample
import pytest
import torch

HIERARCHY = {'latents': [2], 'hidden': []}


def read(network, **data):
    return objective_config(Section(data, 'train.yaml: objective'), network.config)


def test_every_key_is_read(build):
    found = read(
        build(fusion='subsets'), kind='jmvae_kl', alpha=2.5, subsets='drawn', variance_power=0.5,
        picture_share=0.25,
    )  # fmt: skip
    assert found == ObjectiveConfig(Kind.JMVAE_KL, 2.5, Subsets.DRAWN, 0.5, 0.25)


def test_nothing_said_is_the_elbo(build):
    assert read(build()) == ObjectiveConfig()


@pytest.mark.parametrize('kind', list(Kind))
@pytest.mark.parametrize('fusion', list(Fusion))
def test_an_objective_is_refused_where_the_fusion_is_not_its_own(build, kind, fusion):
    network = build(fusion=fusion.value)
    if fusion in FUSION_OF[kind]:
        assert read(network, kind=kind.value).kind is kind
        return
    with pytest.raises(VaeError, match=f'objective: {kind} needs the fusion .*has {fusion}'):
        read(network, kind=kind.value)


@pytest.mark.parametrize('kind', [Kind.JMVAE_KL, Kind.MVTCAE])
def test_what_is_defined_for_one_latent_is_refused_for_more(build, kind):
    network = build(fusion=FUSION_OF[kind][0].value, hierarchy=HIERARCHY)
    with pytest.raises(VaeError, match=f'{kind} is defined for one latent'):
        read(network, kind=kind.value)


def test_mvtcae_refuses_to_seek_divergence(build):
    with pytest.raises(VaeError, match=r'alpha is 1\.5, expected at most 1 for mvtcae'):
        read(build(fusion='experts'), kind='mvtcae', alpha=1.5)


@pytest.mark.parametrize(
    ('key', 'value', 'words'),
    [
        ('kind', 'vae', "kind is 'vae', expected one of .*jmvae_kl"),
        ('variance_power', 1.5, 'variance_power is 1.5'),
        ('picture_share', 0, 'picture_share is 0'),
        ('beta', 1, 'unknown key beta'),
    ],
)
def test_a_wrong_key_is_refused_by_name(build, key, value, words):
    with pytest.raises(ModalityError, match=f'objective: {words}'):
        read(build(), **{key: value})


@pytest.mark.parametrize(
    ('kind', 'key', 'value', 'words'),
    [
        ('jmvae_kl', 'alpha', -0.1, 'alpha is -0.1'),
        ('jmvae_kl', 'subsets', 'all', "subsets is 'all'"),
    ],
)
def test_a_wrong_value_of_an_objective_with_that_key_is_refused(build, kind, key, value, words):
    with pytest.raises(ModalityError, match=f'objective: {words}'):
        read(build(fusion='subsets'), kind=kind, **{key: value})


@pytest.mark.parametrize(
    ('kind', 'key', 'value', 'readers'),
    [
        ('elbo', 'alpha', 0.3, 'jmvae_kl, mvtcae'),
        ('elbo', 'subsets', 'both', 'jmvae_kl, mvae'),
        ('mvae', 'alpha', 0.3, 'jmvae_kl, mvtcae'),
        ('mvtcae', 'subsets', 'alone', 'jmvae_kl, mvae'),
    ],
)
def test_a_key_that_the_objective_does_not_read_is_refused(build, kind, key, value, readers):
    network = build(fusion=FUSION_OF[Kind(kind)][0].value)
    with pytest.raises(VaeError, match=f'{key} is not read by {kind}, only by {readers}$'):
        read(network, kind=kind, **{key: value})


def test_a_power_of_variances_is_refused_where_nothing_has_one(build):
    branch = {'likelihood': 'bernoulli', 'normalise': False}
    network = build(branches={'x': branch, 'w': branch})
    with pytest.raises(VaeError, match=r'variance_power is 0\.5, but nothing is decoded as a G'):
        read(network, variance_power=0.5)


def test_a_share_of_the_pictures_stands_for_all_of_them(robot, network_data):
    torch.manual_seed(0)
    config = network_config(Section(network_data, 'test'), robot.modalities)
    network = TwoStepVAE(robot.modalities, config).eval()
    values = {m.name: torch.randn(3, 2, *m.shape) for m in robot.modalities}
    twice = {n: torch.cat([v, v]) for n, v in values.items()}
    present = {n: torch.ones(6, 2, dtype=torch.bool) for n in values}
    sample = Sample(twice, torch.ones(6, 4, 2), twice, present)
    noise = [torch.randn(3, size).repeat(2, 1) for size in noise_sizes(network)]
    found = [
        objective(network, ObjectiveConfig(picture_share=share), sample, noise, 1.0)
        for share in (1.0, 0.5)
    ]
    torch.testing.assert_close(found[0].loss, found[1].loss)
    drawn = []
    decode = network.decode
    network.decode = lambda latent, names: (
        drawn.append((len(latent), names)) or decode(latent, names)
    )
    objective(network, ObjectiveConfig(picture_share=0.5), sample, noise, 1.0)
    assert drawn == [(6, ['joints', 'touch', 'motor']), (3, ['camera'])]
