"""The branches: what each reads and says, and the straight ways past the layers."""

from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.distributions import Distribution
from mmvae_controller.vae.network import TwoStepVAE
import pytest
import torch


def test_the_published_style_reads_minus_2_where_nothing_is_known(build, draw):
    network = build(presence=False, fill=-2.0)
    branch = network.encoder.branches['x']
    sample = draw(network)
    sample.known[1, 0] = torch.tensor([1.0, 0.0])
    read = branch.read(sample.shown['x'], sample.known[:, 0])
    assert torch.equal(read[1], torch.cat([sample.shown['x'][1, 0], torch.full((3,), -2.0)]))
    assert branch.inputs == read.shape[1] == 6


def test_a_branch_also_reads_its_mask(build, draw):
    network = build()
    sample = draw(network)
    read = network.encoder.branches['w'].read(sample.shown['w'], sample.known[:, 1])
    assert torch.equal(read[:, -2:], sample.known[:, 1])
    assert read.shape[1] == network.encoder.branches['w'].inputs == 6


def test_the_straight_way_alone_is_linear(build, draw):
    network = build(straight=True)
    with torch.no_grad():
        for head in (network.encoder.head, *(b.head for b in network.branches_out.values())):
            head.weight.zero_()
            head.bias.zero_()

    def through(sample):
        posterior = network.encode(sample.shown, torch.ones_like(sample.known))
        decoded = network.decode(posterior.mean, ['x', 'w'])
        return torch.cat([posterior.mean, *(d.mean.flatten(1) for d in decoded.values())], dim=1)

    first, second, both = draw(network), draw(network, seed=7), draw(network)
    for name, value in both.shown.items():
        value.add_(second.shown[name])
    origin = draw(network)
    for value in origin.shown.values():
        value.zero_()
    together = through(first) + through(second) - through(origin)
    torch.testing.assert_close(through(both), together)
    assert torch.all(through(first) != through(origin))


def test_the_straight_way_of_a_masked_vector_carries_nothing(build, draw):
    network = build(straight=True, presence=False)
    with torch.no_grad():
        network.encoder.head.weight.zero_()
        network.encoder.head.bias.zero_()
    sample = draw(network)
    sample.known[:], sample.known[:, 1] = 0, 1
    expected = network.encoder.straight['w'](sample.shown['w'].flatten(1))
    torch.testing.assert_close(network.encode(sample.shown, sample.known).mean, expected)


def test_a_branch_reads_only_its_slice_of_the_trunk(build, draw):
    network = build(shared_decoder=[7], branches={'x': {'trunk': 4}, 'w': {'trunk': 3}})
    trunk = network.shared_out[-2]
    latent = torch.randn(5, 3).double()
    reads = {}
    for name in ('x', 'w'):
        trunk.zero_grad()
        network.decode(latent, [name])[name].mean.sum().backward()
        reads[name] = trunk.bias.grad != 0
    assert reads['x'].tolist() == [True] * 4 + [False] * 3
    assert reads['w'].tolist() == [False] * 4 + [True] * 3


@pytest.mark.parametrize('straight', [False, True])
@pytest.mark.parametrize('kind', ['gaussian', 'bernoulli', 'categorical'])
def test_the_last_layer_is_read_as_its_likelihood_says(build, kind, straight):
    own = {'likelihood': kind, 'normalise': False, 'variance_floor': 0.1}
    network = build(branches={'w': own}, straight=straight)
    branch, latent = network.branches_out['w'], torch.randn(5, 3).double()
    raw = branch.head(branch.layers(network.shared_out(latent)))
    first = raw[:, :4] + (branch.straight(latent) if straight else 0)
    found = network.decode(latent, ['w'])['w']
    assert branch.head.out_features == (8 if kind == 'gaussian' else 4)
    by_step = first.reshape(5, 2, 2)
    if kind == 'gaussian':
        torch.testing.assert_close(found.mean, by_step)
        variance = raw[:, 4:].reshape(5, 2, 2).exp() + 0.1
        torch.testing.assert_close(found.log_variance.exp(), variance)
    elif kind == 'bernoulli':
        torch.testing.assert_close(found.mean, by_step.sigmoid())
    else:
        torch.testing.assert_close(found.mean, by_step.softmax(dim=2))


def test_the_initial_variance_is_the_one_asked_for(two):
    data = {
        'latent': 3, 'shared_encoder': [], 'shared_decoder': [], 'initial_log_variance': -4.0,
        'branches': {m.name: {'encoder': [], 'decoder': []} for m in two},
    }  # fmt: skip
    network = TwoStepVAE(two, network_config(Section(data, 'test'), two))
    zeros = {m.name: torch.zeros(1, 2, *m.shape) for m in two}
    network.encoder.head.weight.data.zero_()
    posterior = network.encode(zeros, torch.ones(1, 2, 2))
    assert isinstance(posterior, Distribution)
    assert torch.all(posterior.log_variance == -4)
