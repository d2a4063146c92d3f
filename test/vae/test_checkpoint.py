"""The model folder: the same model out as in, and never one that is damaged."""

from dataclasses import replace
from pathlib import Path
import shutil

from mmvae_controller.modality.contract import (
    file_checksum,
    NETWORK_FILE,
    read_contract,
    WEIGHTS_FILE,
    write_contract,
)
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.probe import TOLERANCE
from mmvae_controller.modality.reader import Section
from mmvae_controller.vae import checkpoint
from mmvae_controller.vae.checkpoint import export_again, load_model, save_model
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.export import (
    largest_difference,
    parts_answer,
    probe_inputs,
    whole_answer,
)
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
import pytest
from safetensors.torch import save_file
import torch


@pytest.fixture
def folder(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / 'model')


@pytest.fixture
def model(robot, network_data, normalisers):
    torch.manual_seed(3)
    config = network_config(Section(network_data, 'test'), robot.modalities)
    return RealUnits(TwoStepVAE(robot.modalities, config), normalisers).eval()


def outputs(model):
    feeds = probe_inputs(model, values=4, masks=4, seed=9)
    with torch.no_grad():
        return model(*(torch.from_numpy(v) for v in feeds.values()))


def test_a_loaded_model_computes_what_the_saved_one_did(folder, model):
    loaded, contract = load_model(folder)
    for before, after in zip(outputs(model), outputs(loaded), strict=True):
        assert torch.equal(before, after)
    assert contract.step_s == 0.1
    assert contract.latent_size == 4
    assert set(contract.provenance['versions']) >= {'torch', 'onnxruntime'}


def test_the_export_computes_what_torch_does_for_any_batch_and_mask(folder):
    model, _ = load_model(folder)
    assert largest_difference(model, whole_answer(folder / 'network.onnx')) <= TOLERANCE
    assert largest_difference(model, parts_answer(folder / 'parts.zip')) <= TOLERANCE


def test_an_export_of_other_weights_is_noticed(folder):
    model, _ = load_model(folder)
    with torch.no_grad():
        model.network.encoder.head.bias.add_(0.1)
    assert largest_difference(model, whole_answer(folder / 'network.onnx')) > TOLERANCE
    assert largest_difference(model, parts_answer(folder / 'parts.zip')) > TOLERANCE


def test_a_model_folder_holds_nothing_that_could_execute_code(folder):
    assert sorted(p.name for p in folder.iterdir()) == [
        'model.yaml', 'network.onnx', 'parts.zip', 'probe.npz', 'weights.safetensors',
    ]  # fmt: skip


def test_an_export_tells_nothing_of_the_machine_it_was_made_on(folder):
    here = str(Path(__file__).parents[2]).encode()
    assert all(here not in path.read_bytes() for path in folder.iterdir())


def test_damaged_weights_are_refused(folder):
    data = bytearray((folder / WEIGHTS_FILE).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(data)
    with pytest.raises(ModalityError, match=r'weights\.safetensors: checksum differs'):
        load_model(folder)


def sign(folder):
    contract = read_contract(folder)
    sums = {**contract.checksums, WEIGHTS_FILE: file_checksum(folder / WEIGHTS_FILE)}
    write_contract(folder, replace(contract, checksums=sums))


def test_what_are_no_weights_is_refused_though_the_checksum_agrees(folder):
    (folder / WEIGHTS_FILE).write_bytes(b'not weights')
    sign(folder)
    with pytest.raises(VaeError, match='does not fit the network'):
        load_model(folder)


def test_weights_of_another_network_are_refused(folder):
    save_file({'other': torch.zeros(1)}, folder / WEIGHTS_FILE)
    sign(folder)
    with pytest.raises(VaeError, match='does not fit the network'):
        load_model(folder)


def test_a_failed_export_leaves_the_older_model_in_place(folder, model, normalisers, monkeypatch):
    def fail(model, folder):
        (folder / NETWORK_FILE).write_bytes(b'half')
        raise VaeError('differs')

    before = {p.name: file_checksum(p) for p in folder.iterdir()}
    monkeypatch.setattr(checkpoint, 'export_model', fail)
    with pytest.raises(VaeError, match='differs'):
        save_model(folder, model, 'm', 0.1, {}, normalisers)
    assert {p.name: file_checksum(p) for p in folder.iterdir()} == before
    assert [p.name for p in folder.parent.glob('.*')] == []


def test_a_full_disk_is_told_and_leaves_the_older_model(folder, model, normalisers, full_disk):
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with full_disk(1000), pytest.raises(VaeError, match=r'cannot be written: .*free the disk'):
        save_model(folder, model, 'small', 0.1, {}, normalisers)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before
    assert list(folder.parent.glob('.*')) == []


def test_an_export_of_the_same_weights_keeps_the_network_and_adds_what_was_missing(folder):
    before = (folder / NETWORK_FILE).read_bytes()
    as_exported_before_there_were_parts(folder)
    assert not export_again(folder)
    assert (folder / NETWORK_FILE).read_bytes() == before
    assert {p.name for p in folder.iterdir()} == {*read_contract(folder).checksums, 'model.yaml'}
    model, _ = load_model(folder)
    assert largest_difference(model, parts_answer(folder / 'parts.zip')) <= TOLERANCE


def test_an_export_of_other_weights_replaces_the_network_and_says_so(folder):
    model, _ = load_model(folder)
    weights = {n: t + 0.01 for n, t in model.network.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE)
    sign(folder)
    assert export_again(folder)
    changed, contract = load_model(folder)
    assert largest_difference(changed, whole_answer(folder / NETWORK_FILE)) <= TOLERANCE
    assert contract.checksums[NETWORK_FILE] == file_checksum(folder / NETWORK_FILE)


def as_exported_before_there_were_parts(folder):
    contract = read_contract(folder)
    for name in ('parts.zip', 'probe.npz'):
        (folder / name).unlink()
    kept = {f: s for f, s in contract.checksums.items() if (folder / f).exists()}
    write_contract(folder, replace(contract, checksums=kept))
