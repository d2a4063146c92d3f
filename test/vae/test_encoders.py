"""The fusions: what each reads, what none may see, and where the prior is left."""

from itertools import pairwise

from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.config import Fusion, network_config
from mmvae_controller.vae.distributions import product
from mmvae_controller.vae.network import TwoStepVAE
import pytest
import torch

FUSIONS = [*Fusion]
HIERARCHIES = [None, {'latents': [2], 'hidden': [4]}]


@pytest.fixture(params=FUSIONS)
def fusion(request):
    return request.param.value


def vector_of(posterior):
    return torch.cat([posterior.mean, posterior.log_variance], dim=1)


@pytest.mark.parametrize('presence', [True, False])
@pytest.mark.parametrize('straight', [True, False])
@pytest.mark.parametrize('steps', [1, 3])
def test_nothing_known_is_exactly_the_prior(build, draw, fusion, presence, straight, steps):
    network = build(fusion=fusion, presence=presence, straight=straight, steps=steps, fill=-2.0)
    sample = draw(network)
    sample.known[2] = 0
    posterior = network.encode(sample.shown, sample.known)
    assert torch.all(posterior.mean[2] == 0)
    assert torch.all(posterior.log_variance[2] == 0)
    assert torch.all(posterior.mean[0] != 0)


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('junk', [float('nan'), float('inf'), 1e30])
def test_what_is_masked_reaches_neither_the_posterior_nor_a_gradient(
    robot, network_data, fusion, training, junk
):
    torch.manual_seed(1)
    network_data |= {'fusion': fusion, 'straight': True}
    config = network_config(Section(network_data, 'test'), robot.modalities)
    network = TwoStepVAE(robot.modalities, config).train(training)
    known = torch.randint(0, 2, (6, 4, 2)).float()
    known[0], known[1] = 1, 0
    results = []
    for filled in (0.0, junk):
        torch.manual_seed(2)
        values = {m.name: torch.randn(6, 2, *m.shape) for m in robot.modalities}
        for row, m in enumerate(robot.modalities):
            values[m.name][known[:, row] == 0] = filled
        network.zero_grad()
        found = vector_of(network.encode(values, known))
        found.square().sum().backward()
        gradient = [p.grad.flatten() for p in network.encoder.parameters()]
        results.append((found.detach(), torch.cat(gradient)))
    assert torch.all(torch.isfinite(results[1][1]))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize('row', range(3))
@pytest.mark.parametrize('step', range(2))
def test_what_is_known_is_seen_and_what_is_masked_is_not(build, draw, three, fusion, row, step):
    network = build(three, fusion=fusion, straight=True)
    sample = draw(network)
    for known in (0.0, 1.0):
        sample.known[:, row, step] = known
        before = vector_of(network.encode(sample.shown, sample.known))
        other = {n: v.clone() for n, v in sample.shown.items()}
        other[three[row].name][:, step] += 1
        after = vector_of(network.encode(other, sample.known))
        assert torch.equal(before, after) is not bool(known)


def test_the_order_of_the_values_given_does_not_matter(build, draw, three, fusion):
    network = build(three, fusion=fusion)
    sample = draw(network)
    backwards = dict(reversed(sample.shown.items()))
    sample.shown['v'][sample.known[:, 2] == 0] = float('nan')
    results = []
    for values in (sample.shown, backwards):
        network.zero_grad()
        found = vector_of(network.encode(values, sample.known))
        found.square().sum().backward()
        gradient = [p.grad.flatten() for p in network.encoder.parameters()]
        results.append((found, torch.cat(gradient)))
    assert torch.all(torch.isfinite(results[1][1]))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


def test_complete_rows_have_an_encoder_of_their_own(build, draw):
    network = build(fusion='subsets')
    sample = draw(network)
    sample.known[1:, 1] = 0
    found = network.encode(sample.shown, sample.known)
    whole = network.encoder.complete(sample.shown, sample.known)
    part = network.encoder.subset(sample.shown, sample.known)
    assert torch.equal(found.mean[:1], whole.mean[:1])
    assert torch.equal(found.log_variance[:1], whole.log_variance[:1])
    assert torch.equal(found.mean[1:], part.mean[1:])
    assert torch.equal(found.log_variance[1:], part.log_variance[1:])
    assert not torch.equal(whole.mean, part.mean)


@pytest.mark.parametrize('prior', [False, True])
def test_experts_multiply_with_or_without_the_prior(build, draw, three, prior):
    network = build(three, fusion='experts_and_prior' if prior else 'experts')
    sample = draw(network)
    sample.known[1, 2] = 0
    sample.known[2, 2] = torch.tensor([0.0, 1.0])
    posteriors, present = network.encoder.experts(sample.shown, sample.known)
    assert torch.equal(present[2][:3, 0], torch.tensor([1.0, 0.0, 1.0]).double())
    expected = product(posteriors, present, prior)
    torch.testing.assert_close(
        vector_of(network.encode(sample.shown, sample.known)), vector_of(expected)
    )
    without = product(posteriors[:2], present[:2], prior)
    found = network.encode(sample.shown, sample.known)
    torch.testing.assert_close(found.mean[1], without.mean[1])


def test_each_expert_reads_its_own_modality_alone(build, draw):
    network = build(fusion='experts')
    sample = draw(network)
    (x, w), _ = network.encoder.experts(sample.shown, torch.ones_like(sample.known))
    sample.shown['w'].add_(1)
    (again, other), _ = network.encoder.experts(sample.shown, torch.ones_like(sample.known))
    assert torch.equal(x.mean, again.mean)
    assert not torch.equal(w.mean, other.mean)


@pytest.mark.parametrize('hierarchy', HIERARCHIES)
def test_what_is_known_settles_in_the_network_for_the_complete(build, draw, fusion, hierarchy):
    network = build(fusion=fusion, fill_rounds=2, hierarchy=hierarchy)
    sample = draw(network)
    # The first row is complete, the last knows nothing, the others lack w and one step of x.
    sample.known[1:3], sample.known[1:, 1], sample.known[3:] = 1, 0, 0
    sample.known[1:3, 0, 1] = 0
    sample.shown['w'][1:] = float('nan')
    asked = []
    encode = network.encode

    def watched(values, known, rows=None):
        asked.append((values, known))
        return encode(values, known, rows)

    network.encode = watched
    found = network.settle(sample.shown, sample.known)
    assert len(asked) == 3
    for before, (values, known) in pairwise(asked):
        assert torch.all(known[:3] == 1)
        assert torch.equal(values['x'][:3, 0], sample.shown['x'][:3, 0])
        assert torch.equal(values['w'][0], sample.shown['w'][0])
        decoded = network.decode(encode(*before).mean, ['x', 'w'])
        torch.testing.assert_close(values['w'][1:3], decoded['w'].mean[1:3])
        torch.testing.assert_close(values['x'][1:3, 1], decoded['x'].mean[1:3, 1])
    assert torch.all(vector_of(found)[3:] == 0)
    torch.testing.assert_close(found.mean[0], encode(sample.shown, sample.known).mean[0])
