"""Iterated sampling of what is missing, q -> p -> q: what is known stays as it is."""

import math

from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder, Modality, Role
from mmvae_controller.vae.bounds import believe, generation
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.network import TwoStepVAE
import pytest
import torch

HIERARCHIES = [
    None,
    {'latents': [2], 'hidden': [4], 'reading': 'deterministic'},
    {'latents': [2, 3], 'hidden': [4], 'reading': 'sampled'},
]


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def watch(network):
    """Return the list that all the network is asked will stand in."""
    asked, encode = [], network.encode
    network.encode = lambda values, known: asked.append((values, known)) or encode(values, known)
    return asked


@pytest.mark.parametrize('hierarchy', HIERARCHIES)
@pytest.mark.parametrize('fusion', ['joint', 'subsets', 'experts', 'experts_and_prior'])
@torch.no_grad()
def test_known_values_stay_untouched_while_missing_ones_are_drawn(build, draw, fusion, hierarchy):
    network = build(fusion=fusion, hierarchy=hierarchy)
    sample = draw(network)
    asked = watch(network)
    values = {n: v.clone() for n, v in sample.shown.items()}
    for row, value in enumerate(values.values()):
        value[sample.known[:, row] == 0] = float('nan')
    latent = believe(network, values, sample.known, 3, seeded())
    assert latent.shape == (5, 3)
    assert torch.all(torch.isfinite(latent))
    assert len(asked) == 4
    for filled, known in asked[1:]:
        assert torch.all(known == 1)
        for row, name in enumerate(('x', 'w')):
            there = sample.known[:, row] > 0
            assert torch.equal(filled[name][there], sample.shown[name][there])
            assert torch.all(torch.isfinite(filled[name]))
    (first, _), (second, _) = asked[1:3]
    missing = sample.known[:, 0] == 0
    assert torch.all(first['x'][missing] != second['x'][missing])


@pytest.mark.parametrize('rounds', [0, 3])
@torch.no_grad()
def test_nothing_changes_but_by_sampling_where_everything_is_known(build, draw, rounds):
    network = build()
    sample = draw(network, rows=1)
    values = {n: v.expand(20000, -1, -1) for n, v in sample.shown.items()}
    asked = watch(network)
    latent = believe(network, values, torch.ones(20000, 2, 2).double(), rounds, seeded())
    for filled, _ in asked:
        assert all(torch.equal(filled[n], v) for n, v in values.items())
    posterior = network.encode(sample.shown, torch.ones_like(sample.known))
    torch.testing.assert_close(latent.mean(0), posterior.mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(latent.std(0), posterior.std[0], atol=0.03, rtol=0)


@pytest.mark.parametrize('reading', ['deterministic', 'sampled'])
@torch.no_grad()
def test_a_belief_goes_through_the_top_only_where_that_is_asked_for(build, draw, reading):
    network = build(hierarchy={'latents': [2], 'hidden': [4], 'reading': reading})
    sample = draw(network)
    down = network.prior.down[0]
    down.head.weight.zero_()
    down.head.bias.copy_(torch.tensor([7.0, 8.0, 9.0, -60.0, -60.0, -60.0]))
    top = torch.tensor([7.0, 8.0, 9.0]).double().expand(5, 3)

    def belief(rounds, through_the_top):
        asked = (network, sample.shown, sample.known, rounds, seeded(), through_the_top)
        return believe(*asked)

    torch.testing.assert_close(belief(1, True), top)
    for rounds, through_the_top in ((1, False), (0, False), (0, True)):
        assert torch.all(belief(rounds, through_the_top) < 6)
    scored = generation(network, sample.shown, sample.known, ['x'], 2, 1, seeded(), True)
    expected = network.decode(top, ['x'])['x'].nll(sample.shown['x']).sum(dim=(1, 2))
    torch.testing.assert_close(scored, -expected)


@pytest.mark.parametrize('rounds', [0, 2])
@torch.no_grad()
def test_generation_scores_what_a_belief_decodes(build, draw, rounds):
    network = build()
    sample = draw(network)
    found = generation(network, sample.shown, sample.known, ['w'], 1, rounds, seeded())
    latent = believe(network, sample.shown, sample.known, rounds, seeded())
    expected = network.decode(latent, ['w'])['w'].nll(sample.shown['w']).sum(dim=(1, 2))
    torch.testing.assert_close(found, -expected)


@torch.no_grad()
def test_many_rounds_reach_the_posterior_of_what_is_known(build):
    # x = z + noise, w = z + noise, both of variance 1/2: given both, z has precision 1 + 2 + 2;
    # given w alone, 1 + 2. q knows the first and never saw a mask.
    plain = {'encoder': [], 'decoder': []}
    one = [Modality(n, Role.SENSE, Encoder.VECTOR, (1,), 'm', (n,), 1.0) for n in 'xw']
    network = build(
        tuple(one), latent=1, shared_encoder=[], shared_decoder=[], steps=1, presence=False,
        branches={'x': plain, 'w': plain},
    )  # fmt: skip
    network.encoder.head.weight.copy_(torch.tensor([[0.4, 0.4], [0.0, 0.0]]))
    network.encoder.head.bias.copy_(torch.tensor([0.0, math.log(1 / 5)]))
    for branch in network.branches_out.values():
        branch.head.weight.copy_(torch.tensor([[1.0], [0.0]]))
        branch.head.bias.copy_(torch.tensor([0.0, math.log(1 / 2)]))
    values = {
        'x': torch.full((20000, 1, 1), float('nan')).double(),
        'w': torch.full((20000, 1, 1), 1.5).double(),
    }
    known = torch.tensor([[[0.0], [1.0]]]).double().expand(20000, 2, 1)
    latent = believe(network, values, known, 12, seeded())
    assert float(latent.mean()) == pytest.approx(1.5 * 2 / 3, abs=0.02)
    assert float(latent.var()) == pytest.approx(1 / 3, abs=0.02)


@torch.no_grad()
def test_pictures_and_labels_are_filled_with_their_means(robot, network_data):
    torch.manual_seed(0)
    network_data['branches']['touch'] |= {'likelihood': 'categorical', 'normalise': False}
    config = network_config(Section(network_data, 'test'), robot.modalities)
    network = TwoStepVAE(robot.modalities, config).eval()
    values = {m.name: torch.randn(3, 2, *m.shape) for m in robot.modalities}
    latents, decode = [], network.decode
    network.decode = lambda latent, names: latents.append(latent) or decode(latent, names)
    asked = watch(network)
    believe(network, values, torch.zeros(3, 4, 2), 1, seeded())
    drawn, filled = decode(latents[0], list(values)), asked[1][0]
    for name in ('camera', 'touch'):
        torch.testing.assert_close(filled[name], drawn[name].mean)
    for name in ('joints', 'motor'):
        assert not torch.any(filled[name] == drawn[name].mean)
