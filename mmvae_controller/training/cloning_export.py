"""The folder of a peer: weights, exported network, contract. Nothing in it can execute code."""

from __future__ import annotations

from collections.abc import Mapping
import logging
from pathlib import Path
import shutil
from typing import Any
import warnings

from mmvae_controller.modality.contract import file_checksum, NETWORK_FILE, WEIGHTS_FILE
from mmvae_controller.modality.probe import TOLERANCE
from mmvae_controller.training.cloning import Cloner
from mmvae_controller.training.cloning_network import PeerNetwork
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.peer_contract import (
    PEER_FILES,
    PeerContract,
    write_peer_contract,
)
from mmvae_controller.vae.export import strip_traces
import numpy as np
from numpy.typing import NDArray
import onnxruntime
from safetensors import SafetensorError
from safetensors.torch import save_file
import torch

PROBES = 3


def save_peer(folder: Path, cloner: Cloner, provenance: Mapping[str, Any]) -> PeerContract:
    """Write a peer's folder, aside first; an older one of that name is replaced at the end.

    Raises:
        TrainingError: The export does not compute what the trained network does, or the disk is
            full.

    """
    aside = folder.with_name(f'.{folder.name}.part')
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        weights = {n: t.contiguous() for n, t in cloner.model.state_dict().items()}
        save_file(weights, aside / WEIGHTS_FILE)
        # safetensors lets nobody else read it, and somebody else may run it.
        (aside / WEIGHTS_FILE).chmod(0o644)
        export_peer(cloner.model, aside / NETWORK_FILE, probe_batch(cloner))
        contract = PeerContract(
            name=cloner.config.name,
            modalities=cloner.modalities,
            normalisers=cloner.normalisers,
            step_s=cloner.dataset.description.step_s,
            network=cloner.config.layers.data(),
            provenance=provenance,
            checksums={f: file_checksum(aside / f) for f in (WEIGHTS_FILE, NETWORK_FILE)},
        )
        write_peer_contract(aside, contract)
        folder.mkdir(parents=True, exist_ok=True)
        # The contract last: until it is there, its checksums name the old files.
        for name in PEER_FILES:
            (aside / name).replace(folder / name)
    except SafetensorError as error:
        raise TrainingError(f'{folder}: cannot be written: {error}; free the disk') from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return contract


def probe_batch(cloner: Cloner) -> list[NDArray[np.generic]]:
    """Return a few rows of the data, by modality: what the export is compared on."""
    batch = cloner.dataset.batch(cloner.train_rows[:PROBES])
    return [np.asarray(batch.values[m.name]) for m in cloner.modalities]


def export_peer(model: PeerNetwork, path: Path, probes: list[NDArray[np.generic]]) -> None:
    """Write the network as ONNX, the number of rows free, and check it against torch.

    Raises:
        TrainingError: The exported network computes something else.

    """
    model = model.eval()
    names = [m.name for m in model.modalities]
    rows = torch.export.Dim('rows', min=1, max=4096)
    inputs = tuple(torch.from_numpy(p) for p in probes)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        logging.getLogger('torch.onnx').setLevel(logging.ERROR)
        torch.onnx.export(
            model,
            inputs,
            str(path),
            input_names=names,
            output_names=[f'{model.command}_mean'],
            dynamo=True,
            external_data=False,
            dynamic_shapes=(tuple({0: rows} for _ in inputs),),
            verbose=False,
        )
        expected = model(*inputs).numpy()
    strip_traces(path)
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    scale = model.scaling(model.command).scale.numpy()
    for row in range(len(expected)):
        feeds = {n: p[row : row + 1] for n, p in zip(names, probes, strict=True)}
        found = session.run(None, feeds)[0]
        difference = float(np.max(np.abs(found - expected[row]) / (np.abs(expected[row]) + scale)))
        if not difference <= TOLERANCE:
            raise TrainingError(
                f'{path}: differs from the trained network by {difference:.2g} of a value, '
                f'expected at most {TOLERANCE:g}'
            )
