"""Networks of every kind are exported, and the export computes the same."""

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.probe import TOLERANCE
from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.export import (
    export_model,
    largest_difference,
    output_names,
    parts_answer,
    whole_answer,
)
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
import numpy as np
import pytest
import torch

COIN = {'likelihood': 'bernoulli', 'normalise': False}
CHOICE = {'likelihood': 'categorical', 'normalise': False}
UPPER = {'latents': [3, 2], 'hidden': [5]}
# Each option in one of them at least: an export takes seconds.
KINDS = {
    'joint, with a picture': (
        ('camera', 'touch'),
        {'hierarchy': UPPER, 'fill_rounds': 1, 'straight': True, 'presence': False, 'fill': -2.0},
        {'camera': COIN, 'touch': {'encoder': [], 'decoder': []}},
    ),
    'subsets, of one step': (
        ('joints', 'touch'), {'fusion': 'subsets', 'fill_rounds': 2, 'steps': 1},
        {'touch': CHOICE},
    ),
    'experts': (
        ('joints', 'touch', 'motor'), {'fusion': 'experts', 'shared_decoder': [9]},
        {n: {'trunk': 3} for n in ('joints', 'touch', 'motor')},
    ),
    'experts and prior': (
        ('joints', 'touch'), {'fusion': 'experts_and_prior', 'fill_rounds': 1, 'straight': True},
        {'joints': COIN},
    ),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def model(request, robot, network_data, normalisers):
    names, options, own = KINDS[request.param]
    torch.manual_seed(3)
    chosen = tuple(m for m in robot.modalities if m.name in names)
    branches = {n: network_data['branches'][n] | own.get(n, {}) for n in names}
    config = network_config(
        Section(network_data | options | {'branches': branches}, 'test'), chosen
    )
    for name in names:
        if not config.branches[name].normalise:
            size = len(normalisers[name].offset)
            normalisers[name] = Normaliser((0.0,) * size, (1.0,) * size)
    network = TwoStepVAE(chosen, config)
    return RealUnits(network, {n: normalisers[n] for n in names}).eval()


def test_the_export_computes_what_torch_does(model, tmp_path):
    export_model(model, tmp_path)
    answers = whole_answer(tmp_path / 'network.onnx'), parts_answer(tmp_path / 'parts.zip')
    for answer in answers:
        assert largest_difference(model, answer) <= TOLERANCE
    for found in (answer(nothing_known(model)) for answer in answers):
        assert all(np.isfinite(found[name]).all() for name in output_names(model))
        assert np.all(found['latent_mean'] == 0)
        assert np.all(found['latent_std'] == 1)


def nothing_known(model):
    """Return inputs whose every number is NaN, and a mask that says so."""
    network = model.network
    steps = network.config.steps
    feeds = {}
    for m in network.modalities:
        junk = 0 if m.dtype is np.uint8 else np.nan
        feeds[m.name] = np.full((2, steps, *m.shape), junk, m.dtype)
    feeds['known'] = np.zeros((3, len(network.modalities), steps), np.float32)
    feeds['rows'] = np.array([1, 0, 1])
    return feeds
