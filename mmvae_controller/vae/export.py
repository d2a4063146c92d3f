"""Exports a network to ONNX and proves that the export computes the same."""

from __future__ import annotations

from collections.abc import Mapping
import logging
from pathlib import Path
import warnings

from mmvae_controller.modality.contract import KNOWN, LATENT, ROWS
from mmvae_controller.modality.spec import Encoder
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
UINT8_MAX = 255


def export_onnx(model: RealUnits, path: Path) -> None:
    """Write the network as ONNX, numbers of values and of masks free, and check it against torch.

    Raises:
        VaeError: The exported network computes something else.

    """
    model = model.eval()
    names = [m.name for m in model.network.modalities]
    outputs = [f'{n}_{part}' for n in (*names, LATENT) for part in ('mean', 'std')]
    feeds = probe_inputs(model, values=2, masks=3, seed=0)
    values, masks = (torch.export.Dim(name, min=1, max=4096) for name in ('values', 'masks'))
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
            dynamic_shapes=(tuple({0: masks if n in (KNOWN, ROWS) else values} for n in feeds),),
            verbose=False,
        )
    strip_traces(path)
    difference = largest_difference(model, path)
    if not difference <= TOLERANCE:
        raise VaeError(
            f'{path}: differs from the trained network by {difference:.2g} of a value, '
            f'expected at most {TOLERANCE:g}'
        )


def strip_traces(path: Path) -> None:
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
    model: RealUnits, values: int, masks: int, seed: int
) -> dict[str, NDArray[np.generic]]:
    """Return random inputs of the exported network by name: some values, and masks to see them.

    They are spread as the training data was: what a network computes far from it is larger than
    float32 holds to the digits that are compared.
    """
    random = np.random.default_rng(seed)
    network = model.network
    steps = network.config.steps
    feeds: dict[str, NDArray[np.generic]] = {}
    for m in network.modalities:
        scaling = model.scaling(m.name)
        normal = random.normal(size=(values, steps, *m.shape))
        drawn = scaling.offset.numpy() + scaling.scale.numpy() * normal
        whole = np.clip(drawn, 0, UINT8_MAX) if m.encoder is Encoder.IMAGE else drawn
        feeds[m.name] = whole.astype(m.dtype)
    coins = random.integers(0, 2, (masks, len(network.modalities), steps))
    feeds[KNOWN] = coins.astype(np.float32)
    feeds[ROWS] = random.integers(0, values, masks)
    return feeds


def largest_difference(model: RealUnits, path: Path) -> float:
    """Return how far torch and onnxruntime are apart, relative to value plus scale."""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    scales = _scales(model)
    largest = 0.0
    for seed in range(PROBES):
        feeds = probe_inputs(model, seed + 1, 2 * seed + 1, seed)
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
