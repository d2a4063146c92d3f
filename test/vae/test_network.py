"""The network: what is masked is never seen, and nothing known is the prior."""

import itertools

from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder
from mmvae_controller.vae.branches import floored
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.distributions import Distribution, kl_to_prior
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
import pytest
import torch

SLOTS = list(itertools.product(range(4), range(2)))
NAMES = ('camera', 'joints', 'touch', 'motor')


@pytest.fixture(params=['training', 'asked'])
def network(request, robot, network_data):
    """Return a network as it learns, and as it is asked: they may take different roads."""
    torch.manual_seed(1)
    config = network_config(Section(network_data, 'test'), robot.modalities)
    network = TwoStepVAE(robot.modalities, config)
    return network.train(request.param == 'training')


@pytest.fixture
def values(robot):
    torch.manual_seed(2)
    return {m.name: torch.randn(3, 2, *m.shape) for m in robot.modalities}


@pytest.fixture
def everything():
    return torch.ones(3, 4, 2)


def outputs(network, values, known):
    """Return everything the network computes, in one vector."""
    posterior = network.encode(values, known)
    decoded = network.decode(posterior.mean, NAMES)
    parts = [posterior, *decoded.values()]
    return torch.cat([t.flatten() for p in parts for t in (p.mean, p.log_variance)])


def test_nothing_known_gives_exactly_the_prior(network, values, everything):
    posterior = network.encode(values, everything * 0)
    assert torch.all(posterior.mean == 0)
    assert torch.all(posterior.log_variance == 0)
    assert torch.all(kl_to_prior(posterior) == 0)


@pytest.mark.parametrize(('row', 'step'), SLOTS)
@pytest.mark.parametrize('junk', [float('nan'), float('inf'), 1e30, 0.0])
def test_a_masked_slot_holding_anything_changes_neither_output_nor_gradient(
    network, values, everything, row, step, junk
):
    everything[:, row, step] = 0
    results = []
    for spoilt in (False, True):
        if spoilt:
            values[NAMES[row]][:, step] = junk
        network.zero_grad()
        found = outputs(network, values, everything)
        found.square().sum().backward()
        gradient = torch.cat([p.grad.flatten() for p in network.parameters()])
        results.append((found.detach(), gradient))
    assert torch.all(torch.isfinite(results[1][1]))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize(('row', 'step'), SLOTS)
def test_a_known_slot_is_seen(network, values, everything, row, step):
    before = outputs(network, values, everything)
    values[NAMES[row]][:, step] += 1
    assert not torch.equal(before, outputs(network, values, everything))


@pytest.mark.parametrize(('row', 'step'), SLOTS)
def test_a_zero_that_is_known_is_not_the_same_as_a_missing_one(
    network, values, everything, row, step
):
    values[NAMES[row]][:, step] = 0
    before = outputs(network, values, everything)
    everything[:, row, step] = 0
    assert not torch.equal(before, outputs(network, values, everything))


def test_a_network_that_learns_computes_what_one_that_is_asked_does(network, values, everything):
    everything[0, 0, 1] = everything[1, 0] = everything[2, 2] = 0
    learning = outputs(network.train(), values, everything)
    torch.testing.assert_close(outputs(network.eval(), values, everything), learning)


def test_masks_that_share_values_see_what_copies_of_the_values_would_show(
    network, values, everything
):
    rows = torch.tensor([2, 0, 0, 2, 1])
    known = torch.stack([everything[0]] * 5)
    known[1, 0] = known[2, 1, 0] = known[4, 2] = 0
    copied = network.settle({n: v[rows] for n, v in values.items()}, known)
    shared = network.settle(values, known, rows)
    torch.testing.assert_close(shared.mean, copied.mean)
    torch.testing.assert_close(shared.log_variance, copied.log_variance)


def test_each_row_of_a_batch_is_its_own(network, values, everything):
    everything[1] = 0
    whole = network.encode(values, everything).mean
    alone = network.encode({n: v[2:] for n, v in values.items()}, everything[2:]).mean
    torch.testing.assert_close(whole[2:], alone)
    assert torch.all(whole[1] == 0)


def test_decoded_values_have_the_shape_of_their_modality(network, robot, values, everything):
    decoded = network.decode(network.encode(values, everything).mean, NAMES)
    for modality in robot.modalities:
        assert decoded[modality.name].mean.shape == (3, 2, *modality.shape)
        assert decoded[modality.name].log_variance.shape == (3, 2, *modality.shape)


def test_no_decoded_variance_is_below_its_floor(network, robot):
    with torch.no_grad():
        for parameter in network.branches_out.parameters():
            parameter.mul_(50)
    for name, decoded in network.decode(torch.randn(200, 4) * 50, NAMES).items():
        floor = network.config.branches[name].variance_floor
        assert floor > 0
        assert float(decoded.log_variance.detach().exp().min()) >= floor * (1 - 1e-4)


@pytest.mark.parametrize('floor', [1e-4, 2.5e-3])
def test_the_floor_adds_to_the_variance_without_overflow(floor):
    raw = torch.tensor([-1e4, -20.0, 0.0, 3.0, 1e4])
    found = floored(raw, floor)
    expected = torch.log(torch.exp(raw[1:4].double()) + floor)
    torch.testing.assert_close(found[1:4].double(), expected)
    assert found[0].exp() == pytest.approx(floor)
    assert found[4] == 1e4


def test_a_sample_is_drawn_as_the_reparameterisation_says():
    distribution = Distribution(torch.full((20000, 1), 3.0), torch.full((20000, 1), 2.0))
    drawn = distribution.sample(torch.Generator().manual_seed(1))
    assert torch.equal(drawn, distribution.sample(torch.Generator().manual_seed(1)))
    assert not torch.equal(drawn, distribution.sample(torch.Generator().manual_seed(2)))
    assert float(drawn.mean()) == pytest.approx(3, abs=0.1)
    assert float(drawn.std()) == pytest.approx(float(torch.tensor(1.0).exp()), rel=0.05)


def test_a_sample_passes_gradients_to_mean_and_variance():
    mean = torch.zeros(4, requires_grad=True)
    log_variance = torch.zeros(4, requires_grad=True)
    Distribution(mean, log_variance).sample(torch.Generator().manual_seed(1)).sum().backward()
    assert torch.all(mean.grad == 1)
    assert torch.all(log_variance.grad != 0)


def test_real_units_go_in_and_come_out(network, robot, normalisers):
    model = RealUnits(network, normalisers).eval()
    raw = {
        m.name: torch.randint(0, 256, (2, 2, *m.shape), dtype=torch.uint8)
        if m.encoder is Encoder.IMAGE
        else torch.randn(2, 2, *m.shape)
        for m in robot.modalities
    }
    known = torch.ones(2, 4, 2)
    keys = [(n, p) for n in (*NAMES, 'z') for p in 'ms']
    found = dict(zip(keys, model(*raw.values(), known, torch.arange(2)), strict=True))
    posterior = network.encode(model.normalise(raw), known)
    decoded = network.decode(posterior.mean, NAMES)
    for name, normaliser in normalisers.items():
        offset, scale = torch.tensor(normaliser.offset), torch.tensor(normaliser.scale)
        torch.testing.assert_close(found[name, 'm'], decoded[name].mean * scale + offset)
        std = decoded[name].log_variance.exp().sqrt()
        torch.testing.assert_close(found[name, 's'], std * scale)
        again = (raw[name].float() - offset) / scale
        torch.testing.assert_close(model.normalise(raw)[name], again)
    torch.testing.assert_close(found['z', 'm'], posterior.mean)
