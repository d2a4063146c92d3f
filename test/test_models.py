"""The models that are shipped: undamaged, documented, and the same in both of their forms."""

from pathlib import Path

from mmvae_controller.control.network import Network
from mmvae_controller.modality.contract import LATENT, NETWORK_FILE, PARTS_FILE
from mmvae_controller.modality.observation import everything_known, nothing_known
from mmvae_controller.modality.probe import TOLERANCE
from mmvae_controller.vae.checkpoint import load_model
from mmvae_controller.vae.export import (
    largest_difference,
    parts_answer,
    probe_inputs,
    whole_answer,
)
import numpy as np
import pytest

MODELS = sorted(p.parent for p in Path(__file__).parents[1].glob('models/*/model.yaml'))


@pytest.fixture(params=MODELS, ids=lambda p: p.name)
def folder(request):
    return request.param


def test_its_network_computes_what_its_weights_do(folder):
    model, _ = load_model(folder)
    assert largest_difference(model, whole_answer(folder / NETWORK_FILE)) <= TOLERANCE
    assert largest_difference(model, parts_answer(folder / PARTS_FILE)) <= TOLERANCE


def test_with_nothing_known_its_latent_is_the_prior(folder):
    network = Network(folder)
    modalities = network.contract.modalities
    values = probe_inputs(load_model(folder)[0], values=2, masks=2, seed=0)
    known = np.stack([nothing_known(modalities), everything_known(modalities)])
    latent = network.decode(values, known, [LATENT])[LATENT]
    assert np.all(latent.mean[0] == 0)
    assert np.all(latent.std[0] == 1)
    assert np.any(latent.mean[1] != 0)


def test_it_has_a_card_and_says_what_it_was_trained_on(folder):
    card = (folder.parent / 'README.md').read_text(encoding='utf-8')
    assert f'\n## {folder.name}\n' in card
    _, contract = load_model(folder)
    assert {'dataset', 'rows', 'split', 'seed', 'versions'} <= set(contract.provenance)
    assert str(Path.home()) not in str(contract.provenance)
