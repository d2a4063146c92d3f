"""The network on the robot: refused unless it is exactly what its contract says."""

from dataclasses import replace
import shutil

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy
from mmvae_controller.modality.contract import (
    file_checksum,
    LATENT,
    NETWORK_FILE,
    PARTS_FILE,
    PROBE_FILE,
    read_contract,
    write_contract,
)
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import Observation
from mmvae_controller.vae.checkpoint import load_model
from mmvae_controller.vae.export import probe_inputs
import numpy as np
import onnx
import pytest


@pytest.fixture
def folder(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / 'model')


@pytest.fixture
def whole(folder):
    """Return a model that was exported before there were parts."""
    contract = read_contract(folder)
    for name in (PARTS_FILE, PROBE_FILE):
        (folder / name).unlink()
    kept = {f: s for f, s in contract.checksums.items() if (folder / f).exists()}
    write_contract(folder, replace(contract, checksums=kept))
    return folder


@pytest.fixture
def observation(robot, random):
    values = {
        m.name: random.integers(0, 256, (2, *m.shape), dtype=np.uint8)
        if m.dtype is np.uint8
        else random.normal(size=(2, *m.shape)).astype(np.float32)
        for m in robot.modalities
    }
    return Observation(0, values, np.ones((4, 2), dtype=bool), np.zeros((4, 2), np.float32))


def sign(folder, **changes):
    """Write the contract anew, with the checksum of the network that is there now."""
    contract = read_contract(folder)
    sums = {**contract.checksums, NETWORK_FILE: file_checksum(folder / NETWORK_FILE)}
    write_contract(folder, replace(contract, checksums=sums, **changes))


def change(folder, edit):
    """Edit the graph of the network and sign it."""
    model = onnx.load(folder / NETWORK_FILE)
    edit(model.graph)
    onnx.save(model, folder / NETWORK_FILE)
    sign(folder)


def test_masks_that_share_values_see_what_copies_of_the_values_would_show(folder, random):
    network = Network(folder)
    modalities = network.contract.modalities
    values = probe_inputs(load_model(folder)[0], values=2, masks=1, seed=3)
    known = random.integers(0, 2, (6, len(modalities), 2)).astype(bool)
    wanted = [*(m.name for m in modalities), LATENT]
    shared = network.decode(values, known, wanted)
    copies = {m.name: np.repeat(values[m.name], 3, axis=0) for m in modalities}
    for name, decoded in network.decode(copies, known, wanted).items():
        np.testing.assert_allclose(shared[name].mean, decoded.mean, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(shared[name].std, decoded.std, rtol=1e-5)


def test_a_whole_model_loads_and_decodes_what_is_wanted(folder, observation):
    network = Network(folder)
    decoded = network.decode_one(observation, observation.known, ['camera', 'motor', LATENT])
    assert {n: (d.mean.shape, d.std.shape) for n, d in decoded.items()} == {
        'camera': ((1, 2, 8, 8, 3),) * 2,
        'motor': ((1, 2, 2),) * 2,
        LATENT: ((1, 4),) * 2,
    }
    assert all(np.all(d.std > 0) for d in decoded.values())


def test_a_damaged_network_is_refused(folder):
    path = folder / NETWORK_FILE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModalityError, match=r'network\.onnx: checksum differs'):
        Network(folder)


def test_a_missing_network_is_refused(folder):
    (folder / NETWORK_FILE).unlink()
    with pytest.raises(ModalityError, match=r'network\.onnx: is missing'):
        Network(folder)


def test_what_is_no_network_is_refused_though_its_checksum_agrees(whole):
    (whole / NETWORK_FILE).write_bytes(b'not a network')
    sign(whole)
    with pytest.raises(ControlError, match=r'network\.onnx: cannot be loaded'):
        Network(whole)


def test_a_network_of_other_inputs_is_refused_with_both(whole):
    modalities = read_contract(whole).modalities
    camera = replace(modalities[0], shape=(4, 8, 3))
    sign(whole, modalities=(camera, *modalities[1:]))
    with pytest.raises(ControlError, match=r'inputs .*8, 8, 3.*its contract says .*4, 8, 3'):
        Network(whole)


def test_a_network_without_an_output_is_refused_by_its_name(whole):
    def edit(graph):
        kept = [o for o in graph.output if o.name != 'motor_std']
        del graph.output[:]
        graph.output.extend(kept)

    change(whole, edit)
    with pytest.raises(ControlError, match=r"has no outputs \['motor_std'\]"):
        Network(whole)


def test_a_network_of_another_latent_is_refused(whole):
    sign(whole, latent_size=5)
    with pytest.raises(ControlError, match=r'latent_mean has shape \(1, 4\).*says \(1, 5\)'):
        Network(whole)


def test_a_network_with_weights_that_are_not_finite_is_refused(whole):
    def edit(graph):
        for tensor in graph.initializer:
            values = onnx.numpy_helper.to_array(tensor)
            if values.dtype == np.float32 and values.ndim == 1 and values.size > 1:
                bad = onnx.numpy_helper.from_array(np.full_like(values, np.nan), tensor.name)
                tensor.CopyFrom(bad)

    change(whole, edit)
    with pytest.raises(ControlError, match='not finite when nothing is known'):
        Network(whole)


def test_a_masked_slot_holding_anything_is_never_seen(folder, observation):
    network = Network(folder)
    known = observation.known.copy()
    known[0, 1] = known[1] = False
    first = network.decode_one(observation, known, ['motor'])['motor']
    observation.values['camera'][1] = 255
    observation.values['joints'][:] = np.nan
    second = network.decode_one(observation, known, ['motor'])['motor']
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.std, second.std)


def test_nothing_known_decodes_from_the_prior(folder, observation):
    latent = Network(folder).decode_one(observation, observation.known & False, [LATENT])[LATENT]
    assert np.all(latent.mean == 0)
    assert np.all(latent.std == 1)


def test_the_policy_never_reads_the_command_that_it_is_asked_for(folder, observation):
    policy = NetworkPolicy(Network(folder))
    first = policy.decide(observation)
    observation.values['motor'][1] = 1000.0
    second = policy.decide(observation)
    assert np.array_equal(first.mean, second.mean)
    observation.values['motor'][0] = 1000.0
    assert not np.array_equal(first.mean, policy.decide(observation).mean)


def test_the_policy_answers_with_the_decoded_command_at_t(folder, observation, robot):
    network = Network(folder)
    known = observation.known.copy()
    known[3, 1] = False
    decoded = network.decode_one(observation, known, ['motor'])['motor']
    estimate = NetworkPolicy(network).decide(observation)
    np.testing.assert_array_equal(estimate.mean, decoded.mean[0, 1].astype(np.float64))
    np.testing.assert_array_equal(estimate.std, decoded.std[0, 1].astype(np.float64))
    assert estimate.mean.shape == (2,)
