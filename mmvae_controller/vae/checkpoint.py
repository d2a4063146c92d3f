"""The model folder: weights, exported network, contract. Nothing in it can execute code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
import shutil
from typing import Any

from mmvae_controller import __version__
from mmvae_controller.modality.contract import (
    check_file,
    file_checksum,
    ModelContract,
    NETWORK_FILE,
    read_contract,
    WEIGHTS_FILE,
    write_contract,
)
from mmvae_controller.modality.probe import TOLERANCE
from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.shared_files import CONTRACT_FILE
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.export import export_model, largest_difference, whole_answer
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

VERSIONS_OF = ('torch', 'numpy', 'onnx', 'onnxruntime', 'pybullet')


def save_model(
    folder: Path,
    model: RealUnits,
    name: str,
    step_s: float,
    provenance: Mapping[str, Any],
    normalisers: Mapping[str, Any],
    longest_age_s: Mapping[str, float] | None = None,
) -> ModelContract:
    """Write a model folder, aside first; an older model of that name is replaced at the end.

    Raises:
        VaeError: The export does not compute what the trained network does, or the disk is full.

    """
    aside = folder.with_name(f'.{folder.name}.part')
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        weights = {n: t.contiguous() for n, t in model.network.state_dict().items()}
        save_file(weights, aside / WEIGHTS_FILE)
        # safetensors lets nobody else read it, and the robot may run as somebody else.
        (aside / WEIGHTS_FILE).chmod(0o644)
        files = (WEIGHTS_FILE, *export_model(model, aside))
        contract = ModelContract(
            name=name,
            modalities=model.network.modalities,
            normalisers=normalisers,
            step_s=step_s,
            latent_size=model.network.config.latent,
            network=model.network.config.data(),
            provenance={**provenance, 'versions': _versions()},
            checksums={f: file_checksum(aside / f) for f in files},
            longest_age_s=dict(longest_age_s or {}),
        )
        write_contract(aside, contract)
        folder.mkdir(parents=True, exist_ok=True)
        # The contract last: until it is there, its checksums name the old files.
        for name in (*files, CONTRACT_FILE):
            (aside / name).replace(folder / name)
    except SafetensorError as error:
        raise VaeError(f'{folder}: cannot be written: {error}; free the disk') from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return contract


def export_again(folder: Path) -> bool:
    """Write anew what a robot runs of a trained model; tell whether its network changed.

    An exported network that still computes what the weights say stays as it is, and with it all
    that was measured of it.

    Raises:
        ModalityError: The folder is no model, or a file is damaged.
        VaeError: The weights are not those of its network, or the export computes something else.

    """
    model, contract = load_model(folder)
    aside = folder.with_name(f'.{folder.name}.part')
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        files = list(export_model(model, aside))
        old = folder / NETWORK_FILE
        changed = not old.exists() or largest_difference(model, whole_answer(old)) > TOLERANCE
        if not changed:
            files.remove(NETWORK_FILE)
        made = {name: file_checksum(aside / name) for name in files}
        write_contract(aside, replace(contract, checksums={**contract.checksums, **made}))
        for name in (*files, CONTRACT_FILE):
            (aside / name).replace(folder / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return changed


def _versions() -> dict[str, str]:
    found = {'mmvae_controller': __version__}
    for package in VERSIONS_OF:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = 'not installed'  # As pybullet where only recordings are trained on.
    return found


def load_model(folder: Path) -> tuple[RealUnits, ModelContract]:
    """Read a model folder for training or study; the robot uses `control.network` instead.

    Raises:
        ModalityError: The folder is no model, or a file is damaged.
        VaeError: The weights are not those of its network.

    """
    contract = read_contract(folder)
    path = check_file(folder, WEIGHTS_FILE, contract)
    section = Section(contract.network, f'{folder}: network')
    network = TwoStepVAE(contract.modalities, network_config(section, contract.modalities))
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        raise VaeError(f'{path}: does not fit the network of its contract: {error}') from error
    return RealUnits(network, contract.normalisers).eval(), contract
