"""Exports a network to ONNX and proves that the export computes the same."""

from __future__ import annotations

from collections.abc import Mapping
import logging
from pathlib import Path
import warnings

from mmvae_controller.modality.contract import KNOWN, LATENT
from mmvae_controller.modality.observation import STEPS
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.network import RealUnits
import numpy as np
from numpy.typing import NDArray
import onnx
import onnxruntime
import torch

# Largest difference between torch and onnxruntime, relative to the value plus the normaliser's
# scale: float32 holds seven digits of a value, however large the values of random probes get.
TOLERANCE = 1e-5
PROBES = 3


def export_onnx(model: RealUnits, path: Path) -> None:
    """Write the network as ONNX, with the batch size free, and check it against torch.

    Raises:
        VaeError: The exported network computes something else.

    """
    model = model.eval()
    names = [m.name for m in model.network.modalities]
    outputs = [f'{n}_{part}' for n in (*names, LATENT) for part in ('mean', 'std')]
    feeds = probe_inputs(model.network.modalities, 2, seed=0, steps=model.network.config.steps)
    batch = torch.export.Dim('batch', min=1, max=4096)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        logging.getLogger('torch.onnx').setLevel(logging.ERROR)
        torch.onnx.export(
            model,
            tuple(torch.from_numpy(v) for v in feeds.values()),
            str(path),
            input_names=list(feeds),
            output_names=outputs,
            dynamo=True,
            external_data=False,
            dynamic_shapes=(tuple({0: batch} for _ in feeds),),
            verbose=False,
        )
    _strip_traces(path)
    difference = largest_difference(model, path)
    if not difference <= TOLERANCE:
        raise VaeError(
            f'{path}: differs from the trained network by {difference:.2g} of a value, '
            f'expected at most {TOLERANCE:g}'
        )


def _strip_traces(path: Path) -> None:
    """Take out the exporter's notes: stack traces, with the folders of whoever made the model."""
    exported = onnx.load(path)
    graph = exported.graph
    parts = (exported, graph, *graph.node, *graph.value_info, *graph.input, *graph.output)
    for part in (*parts, *graph.initializer):
        del part.metadata_props[:]
    for function in exported.functions:
        for part in (function, *function.node):
            del part.metadata_props[:]
    onnx.save(exported, path)


def probe_inputs(
    modalities: tuple[Modality, ...], batch: int, seed: int, steps: int = STEPS
) -> dict[str, NDArray[np.generic]]:
    """Return random inputs of the exported network, with random masks, by name."""
    random = np.random.default_rng(seed)
    feeds: dict[str, NDArray[np.generic]] = {}
    for m in modalities:
        shape = (batch, steps, *m.shape)
        if m.encoder is Encoder.IMAGE:
            feeds[m.name] = random.integers(0, 256, shape, dtype=np.uint8)
        else:
            feeds[m.name] = random.normal(size=shape).astype(np.float32)
    coins = random.integers(0, 2, (batch, len(modalities), steps))
    feeds[KNOWN] = coins.astype(np.float32)
    return feeds


def largest_difference(model: RealUnits, path: Path) -> float:
    """Return how far torch and onnxruntime are apart, relative to value plus scale."""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    scales = _scales(model)
    largest = 0.0
    for seed in range(PROBES):
        steps = model.network.config.steps
        feeds = probe_inputs(model.network.modalities, batch=seed + 1, seed=seed, steps=steps)
        with torch.no_grad():
            expected = model(*(torch.from_numpy(v) for v in feeds.values()))
        found = session.run(None, feeds)
        for theirs, ours, scale in zip(found, expected, scales, strict=True):
            wanted = ours.numpy()
            relative = np.abs(theirs - wanted) / (np.abs(wanted) + scale)
            largest = max(largest, float(np.max(relative)))
    return largest


def _scales(model: RealUnits) -> list[NDArray[np.float32] | float]:
    scales: list[NDArray[np.float32] | float] = []
    buffers: Mapping[str, torch.Tensor] = dict(model.scalings.named_buffers())
    for modality in model.network.modalities:
        scales += [buffers[f'{modality.name}.scale'].numpy()] * 2
    return [*scales, 1.0, 1.0]
