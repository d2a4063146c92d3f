"""The benchmarks of the network: whoever is timed answers the same question."""

from mmvae_controller.benchmarks.importance import benchmark as importance
from mmvae_controller.benchmarks.inference import askers, observations
from mmvae_controller.benchmarks.inference import benchmark as inference
from mmvae_controller.control.looking import REMEMBERED
from mmvae_controller.modality.contract import read_contract
from mmvae_controller.modality.shared_files import find_model
import numpy as np
import pytest


@pytest.mark.parametrize('name', ['icub', 'touch_target'])
def test_everybody_who_is_timed_answers_with_the_same_command(name):
    asked = askers(find_model(name))
    for _ in range(3):
        ours, *others = [answer() for answer in asked.values()]
        for other in others:
            np.testing.assert_allclose(ours, other, rtol=1e-3, atol=1e-4)


def test_a_picture_comes_round_again_only_when_it_was_forgotten():
    stream = observations(read_contract(find_model('touch_target')).modalities)
    seen = [next(stream)['camera'][1].tobytes() for _ in range(7 * (REMEMBERED + 1))]
    assert len(set(seen)) == REMEMBERED + 1


@pytest.mark.parametrize('measure', [inference, importance])
def test_their_figures_are_of_both_models_beside_something(measure):
    said = []
    found = measure(True, said.append).data()
    assert said == ['icub', 'touch_target']
    assert {f['name'].split(':')[0] for f in found['figures']} == {'icub', 'touch_target'}
    assert all(f['ratio'] > 0 and f['beside_is'] for f in found['figures'])
