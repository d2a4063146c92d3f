"""Many networks at once: torch.func.vmap over stacked weights is a loop over the networks."""

from mmvae_controller.vae.objective_settings import Kind, ObjectiveConfig, Subsets
from mmvae_controller.vae.objectives import objective, Sample
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

CASES = [
    *(
        (ObjectiveConfig(variance_power=0.5), {'fusion': fusion, 'straight': True})
        for fusion in ('joint', 'subsets', 'experts', 'experts_and_prior')
    ),
    (ObjectiveConfig(), {'presence': False, 'fill': -2.0}),
    (ObjectiveConfig(Kind.JMVAE_KL, 0.5, Subsets.BOTH), {'fusion': 'subsets'}),
    (ObjectiveConfig(Kind.MVAE, subsets=Subsets.BOTH), {'fusion': 'experts_and_prior'}),
    (ObjectiveConfig(Kind.MVTCAE, 0.9), {'fusion': 'experts'}),
    *(
        (ObjectiveConfig(), {'hierarchy': {'latents': [2, 2], 'hidden': [4], 'reading': reading}})
        for reading in ('deterministic', 'sampled')
    ),
    (ObjectiveConfig(), {'branches': {'w': {'likelihood': 'bernoulli', 'normalise': False}}}),
    (ObjectiveConfig(), {'branches': {'w': {'likelihood': 'categorical', 'normalise': False}}}),
]


class Cost(nn.Module):
    """An objective as a module, so that a functional call can swap the weights below it."""

    def __init__(self, network, config):
        super().__init__()
        self.network, self.config = network, config

    def forward(self, sample, noise):
        return objective(self.network, self.config, sample, noise, 0.5).loss


@pytest.mark.parametrize(('config', 'options'), CASES)
def test_stacked_networks_cost_and_learn_what_each_does_alone(build, draw, noise, config, options):
    networks = [Cost(build(seed=seed, **options), config) for seed in range(3)]
    samples = [draw(n.network, seed=7 + i) for i, n in enumerate(networks)]
    for sample in samples:
        sample.targets['w'] = sample.targets['w'].sigmoid()
        sample.known[2] = 0
        sample.known[:, 1, 0] = 0
        sample.present['w'][1] = False
        for values in (sample.shown, sample.targets):
            values['w'][1] = float('nan')
        sample.known[1, 1] = 0
    noises = [noise(n.network, 5, seed=i) for i, n in enumerate(networks)]
    weights, buffers = stack_module_state(networks)

    def one(weights, buffers, shown, known, targets, present, noise):
        sample = Sample(shown, known, targets, present)
        return functional_call(networks[0], (weights, buffers), (sample, noise))

    def stacked(key):
        parts = [getattr(s, key) for s in samples]
        if key == 'known':
            return torch.stack(parts)
        return {name: torch.stack([p[name] for p in parts]) for name in parts[0]}

    data = [stacked(key) for key in ('shown', 'known', 'targets', 'present')]
    together = [torch.stack(n) for n in zip(*noises, strict=True)]
    gradients, losses = vmap(grad_and_value(one))(weights, buffers, *data, together)
    for row, network in enumerate(networks):
        alone = network(samples[row], noises[row])
        alone.backward()
        torch.testing.assert_close(losses[row], alone)
        for name, parameter in network.named_parameters():
            expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            torch.testing.assert_close(gradients[name][row], expected)


def test_settling_can_be_stacked(build, draw):
    networks = [
        build(seed=s, fusion='subsets', fill_rounds=2, hierarchy={'latents': [2], 'hidden': []})
        for s in range(2)
    ]
    sample = draw(networks[0])
    weights, buffers = stack_module_state(networks)

    class Settled(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, values, known):
            return self.network.settle(values, known).mean

    settled = Settled(networks[0])

    def one(weights, buffers):
        named = {f'network.{n}': w for n, w in {**weights, **buffers}.items()}
        return functional_call(settled, named, (sample.shown, sample.known))

    found = vmap(one)(weights, buffers)
    for row, network in enumerate(networks):
        expected = network.settle(sample.shown, sample.known).mean
        torch.testing.assert_close(found[row], expected)
