"""The network in parts: it answers what the whole does, and looks at each picture once."""

from dataclasses import replace
import shutil
import zipfile

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.looking import LOOKED_AT_ONCE, REMEMBERED
from mmvae_controller.control.network import Network
from mmvae_controller.control.whole import Whole
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
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import value_rows
from mmvae_controller.modality.probe import read_probe, write_probe
from mmvae_controller.vae.checkpoint import load_model
from mmvae_controller.vae.export import probe_inputs
import numpy as np
import pytest


@pytest.fixture
def folder(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / 'model')


@pytest.fixture
def network(model_folder):
    return Network(model_folder)


@pytest.fixture
def looks(network, monkeypatch):
    """Return a list of how many pictures were looked at, one number for each time."""
    found = []
    looking = network._engine._looking['camera']
    look = looking._look

    def counted(pictures):
        found.append(len(pictures))
        return look(pictures)

    monkeypatch.setattr(looking, '_look', counted)
    return found


def values_of(folder, count, seed=0):
    return {
        name: value
        for name, value in probe_inputs(load_model(folder)[0], count, 1, seed).items()
        if name not in ('known', 'rows')
    }


def sign(folder, name, **changes):
    contract = read_contract(folder)
    sums = {**contract.checksums, name: file_checksum(folder / name)}
    write_contract(folder, replace(contract, checksums=sums, **changes))


def edit(folder, change):
    """Write the parts anew, each as `change` returns it, and sign them."""
    with zipfile.ZipFile(folder / PARTS_FILE) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(folder / PARTS_FILE, 'w') as archive:
        for name, content in change(parts).items():
            archive.writestr(name, content)
    sign(folder, PARTS_FILE)


@pytest.mark.parametrize('masks', [1, 3])
def test_whatever_is_known_and_wanted_the_parts_answer_what_the_whole_does(
    network, model_folder, random, masks
):
    whole = Whole(model_folder / NETWORK_FILE, network.contract)
    names = [m.name for m in network.contract.modalities]
    for wanted in (['motor'], ['camera'], [LATENT], [*names, LATENT]):
        values = values_of(model_folder, 2, seed=masks)
        known = random.random((2 * masks, 4, 2)) * random.integers(0, 2, (2 * masks, 4, 2))
        known = known.astype(np.float32)
        expected = whole.decode(values, known, value_rows(values, known), wanted)
        for name, decoded in network.decode(values, known, wanted).items():
            np.testing.assert_allclose(decoded.mean, expected[name].mean, rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(decoded.std, expected[name].std, rtol=1e-5)


def test_a_picture_is_looked_at_once_however_often_it_is_asked_about(network, model_folder, looks):
    values = values_of(model_folder, 1)
    known = np.ones((1, 4, 2), np.float32)
    first = network.decode(values, known, ['motor'])['motor']
    second = network.decode(values, known, ['motor'])['motor']
    assert looks == [2]
    assert np.array_equal(first.mean, second.mean)


def test_a_picture_that_was_seen_ahead_costs_no_look_when_it_is_asked_about(
    network, model_folder, looks
):
    values = values_of(model_folder, 1)
    for picture in values['camera'][0]:
        network.see('camera', picture)
    network.see('joints', values['joints'][0, 0])
    network.decode(values, np.ones((1, 4, 2), np.float32), ['motor'])
    assert looks == [1, 1]


def test_a_masked_picture_is_not_looked_at(network, model_folder, looks):
    values = values_of(model_folder, 1)
    known = np.ones((2, 4, 2), np.float32)
    known[:, 0, 1] = known[0, 0] = 0
    network.decode(values, known, ['motor'])
    assert looks == [1]


def test_another_picture_in_the_same_array_is_looked_at_anew(network, model_folder, looks):
    values = values_of(model_folder, 1)
    known = np.ones((1, 4, 2), np.float32)
    first = network.decode(values, known, ['motor'])['motor'].mean.copy()
    values['camera'][0, 1] ^= 255
    second = network.decode(values, known, ['motor'])['motor'].mean
    assert looks == [2, 1]
    assert not np.array_equal(first, second)
    fresh = Network(model_folder).decode(values, known, ['motor'])['motor'].mean
    np.testing.assert_array_equal(second, fresh)


def test_only_so_many_pictures_are_remembered_and_the_last_asked_for_longest(network, random):
    looking = network._engine._looking['camera']
    pictures = random.integers(0, 256, (REMEMBERED + 1, 8, 8, 3), dtype=np.uint8)
    for picture in pictures[:REMEMBERED]:
        looking.see(picture[None])
    looking.see(pictures[:1])
    looking.see(pictures[REMEMBERED:])
    kept = [picture.tobytes() in looking._seen for picture in pictures]
    assert kept == [True, False] + [True] * (REMEMBERED - 1)


def test_a_whole_data_set_at_once_pushes_no_picture_out(network, random, looks):
    looking = network._engine._looking['camera']
    looking.see(random.integers(0, 256, (1, 8, 8, 3), dtype=np.uint8))
    many = random.integers(0, 256, (LOOKED_AT_ONCE + 1, 8, 8, 3), dtype=np.uint8)
    before = list(looking._seen)
    (found,) = looking.features(many, np.ones(len(many), bool)).values()
    (one,) = looking.features(many[3:4], np.ones(1, bool)).values()
    assert list(looking._seen)[: len(before)] == before
    assert looks == [1, len(many), 1]
    np.testing.assert_allclose(found[3], one[0], rtol=1e-5, atol=1e-6)


def test_a_missing_part_is_named(folder):
    edit(folder, lambda parts: {n: p for n, p in parts.items() if n != 'decode.touch.onnx'})
    with pytest.raises(ControlError, match=r'parts\.zip: has no decode\.touch\.onnx'):
        Network(folder)


def test_damaged_parts_are_refused(folder):
    data = bytearray((folder / PARTS_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / PARTS_FILE).write_bytes(data)
    with pytest.raises(ModalityError, match=r'parts\.zip: checksum differs'):
        Network(folder)


def test_what_are_no_parts_is_refused_though_the_checksum_agrees(folder):
    (folder / PARTS_FILE).write_bytes(b'no zip')
    sign(folder, PARTS_FILE)
    with pytest.raises(ControlError, match=r'parts\.zip: cannot be read'):
        Network(folder)
    with zipfile.ZipFile(folder / PARTS_FILE, 'w') as archive:
        archive.writestr('latent.onnx', b'not a network')
    sign(folder, PARTS_FILE)
    with pytest.raises(ControlError, match=r'parts\.zip: latent\.onnx: cannot be loaded'):
        Network(folder)


def test_parts_of_other_pictures_or_senses_are_refused_with_both(folder):
    modalities = read_contract(folder).modalities
    camera, joints = replace(modalities[0], shape=(4, 8, 3)), modalities[1]
    sign(folder, PARTS_FILE, modalities=(camera, *modalities[1:]))
    with pytest.raises(ControlError, match=r'camera: inputs .*8, 8, 3.*says \(4, 8, 3\)'):
        Network(folder)
    fewer = replace(joints, shape=(2,), channels=joints.channels[:2])
    sign(folder, PARTS_FILE, modalities=(modalities[0], fewer, *modalities[2:]))
    with pytest.raises((ControlError, ModalityError), match='joints'):
        Network(folder)


def test_a_network_that_answers_something_else_here_is_refused(folder):
    probe = read_probe(folder / PROBE_FILE)
    motor = probe.answers['motor']
    changed = Gaussian(motor.mean + np.float32(1e-3), motor.std)
    write_probe(folder / PROBE_FILE, replace(probe, answers={**probe.answers, 'motor': changed}))
    sign(folder, PROBE_FILE)
    with pytest.raises(ControlError, match='motor_mean differs here by'):
        Network(folder)


def test_an_answer_that_is_not_a_number_does_not_agree(model_folder, network):
    probe = read_probe(model_folder / PROBE_FILE)
    found = dict(probe.answers)
    found['touch'] = Gaussian(np.full_like(found['touch'].mean, np.nan), found['touch'].std)
    difference, where = probe.difference(found, network.contract.normalisers)
    assert not difference <= 1.0
    assert where == 'touch_mean'


def test_what_is_no_probe_is_refused(folder):
    (folder / PROBE_FILE).write_bytes(b'nothing')
    sign(folder, PROBE_FILE)
    with pytest.raises(ModalityError, match=r'probe\.npz: is no probe'):
        Network(folder)
