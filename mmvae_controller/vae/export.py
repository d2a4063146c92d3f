"""Exports a network to ONNX and proves that the export computes the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import logging
from pathlib import Path
from typing import Any
import warnings
import zipfile

from mmvae_controller.modality.contract import (
    KNOWN,
    LATENT,
    look_part,
    NETWORK_FILE,
    PARTS_FILE,
    PROBE_FILE,
    ROWS,
)
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.probe import Probe, TOLERANCE, write_probe
from mmvae_controller.modality.spec import Encoder
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.network import RealUnits
from mmvae_controller.vae.parts import cut, features_of, look_modules, Opened, pack
import numpy as np
from numpy.typing import NDArray
import onnx
from onnx.utils import Extractor
import onnxruntime
import torch

Feeds = Mapping[str, NDArray[np.generic]]
PROBES = 3
# Dimensions `(P, H, W, C)` of pictures that are looked at.
PICTURES = 4
LARGEST = 4096
UINT8_MAX = 255


def export_model(model: RealUnits, folder: Path) -> tuple[str, ...]:
    """Write the network whole and in parts, and what it answers; return the files' names.

    The whole is what is named by its checksum and what others can read; robots run the parts.
    Both are checked against torch, here and, with the answers, wherever they are loaded.

    Raises:
        VaeError: The exported network computes something else.

    """
    opened = Opened(model.eval()).eval()
    feeds = probe_inputs(model, values=2, masks=3, seed=0)
    values, masks = (torch.export.Dim(name, min=1, max=LARGEST) for name in ('values', 'masks'))
    free = tuple({0: masks if n in (KNOWN, ROWS) else values} for n in feeds)
    exported = _traced(opened, feeds, [*output_names(model), *opened.cuts], (free,))
    whole = Extractor(exported).extract_model(list(feeds), output_names(model))
    onnx.save(whole, folder / NETWORK_FILE)
    parts = {**_looks(opened, feeds), **cut(opened, exported)}
    (folder / PARTS_FILE).write_bytes(pack(parts))
    _require_same(model, folder / NETWORK_FILE, whole_answer(folder / NETWORK_FILE))
    _require_same(model, folder / PARTS_FILE, parts_answer(folder / PARTS_FILE))
    write_probe(folder / PROBE_FILE, probe_of(model))
    return NETWORK_FILE, PARTS_FILE, PROBE_FILE


def _looks(opened: Opened, feeds: Feeds) -> dict[str, onnx.ModelProto]:
    pictures = torch.export.Dim('pictures', min=1, max=2 * LARGEST)
    return {
        look_part(name): _traced(
            look.eval(),
            {name: feeds[name].reshape(-1, *feeds[name].shape[2:])},
            features_of({name: opened.eyes[name]}),
            ({0: pictures},),
        )
        for name, look in look_modules(opened).items()
    }


def _traced(
    module: torch.nn.Module,
    feeds: Mapping[str, NDArray[np.generic]],
    outputs: list[str],
    free: Any,
) -> onnx.ModelProto:
    """Return a module as ONNX, without its maker's traces."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        logging.getLogger('torch.onnx').setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            tuple(torch.from_numpy(v) for v in feeds.values()),
            input_names=list(feeds),
            output_names=outputs,
            dynamo=True,
            external_data=False,
            dynamic_shapes=free,
            verbose=False,
        )
    assert program is not None
    exported = program.model_proto
    without_traces(exported)
    return exported


def without_traces(exported: onnx.ModelProto) -> None:
    """Take out the exporter's notes: stack traces, with the folders of whoever made the model."""
    graph = exported.graph
    parts = (exported, graph, *graph.node, *graph.value_info, *graph.input, *graph.output)
    for part in (*parts, *graph.initializer):
        del part.metadata_props[:]
    for function in exported.functions:
        for part in (function, *function.node):
            del part.metadata_props[:]


def strip_traces(path: Path) -> None:
    """Take them out of a file; see `without_traces`."""
    exported = onnx.load(path)
    without_traces(exported)
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


def probe_of(model: RealUnits) -> Probe:
    """Return what torch answers to random inputs, for whoever loads the network without torch."""
    feeds = probe_inputs(model, PROBES, PROBES, PROBES)
    feeds[ROWS] = np.arange(PROBES)
    with torch.no_grad():
        outputs = iter(model(*(torch.from_numpy(v) for v in feeds.values())))
    names = [m.name for m in model.network.modalities]
    answers = {n: Gaussian(next(outputs).numpy(), next(outputs).numpy()) for n in (*names, LATENT)}
    known = feeds[KNOWN].astype(np.float32)
    return Probe({name: feeds[name] for name in names}, known, answers)


def _require_same(model: RealUnits, what: Path, answer: Callable[[Feeds], Feeds]) -> None:
    """Compare answers with torch's.

    Raises:
        VaeError: They differ.

    """
    difference = largest_difference(model, answer)
    if not difference <= TOLERANCE:
        raise VaeError(
            f'{what}: differs from the trained network by {difference:.2g} of a value, expected '
            f'at most {TOLERANCE:g}'
        )


def largest_difference(model: RealUnits, answer: Callable[[Feeds], Feeds]) -> float:
    """Return how far torch and what answers are apart, relative to value plus scale.

    Args:
        model: The trained network.
        answer: From inputs by name to outputs by name.

    """
    outputs, scales = output_names(model), _scales(model)
    largest = 0.0
    for seed in range(PROBES):
        feeds = probe_inputs(model, seed + 1, 2 * seed + 1, seed)
        with torch.no_grad():
            expected = model(*(torch.from_numpy(v) for v in feeds.values()))
        found = answer(feeds)
        for name, ours, scale in zip(outputs, expected, scales, strict=True):
            wanted = ours.numpy()
            relative = np.abs(found[name] - wanted) / (np.abs(wanted) + scale)
            largest = max(largest, float(np.max(relative)))
    return largest


def whole_answer(path: Path) -> Callable[[Feeds], Feeds]:
    """Return what the whole network answers in onnxruntime."""
    session = _session(path.read_bytes())
    return lambda feeds: _run(session, feeds)


def parts_answer(path: Path) -> Callable[[Feeds], Feeds]:
    """Return what the parts answer in onnxruntime, one after the other."""
    with zipfile.ZipFile(path) as archive:
        sessions = {name: _session(archive.read(name)) for name in archive.namelist()}

    def answer(feeds: Feeds) -> Feeds:
        known: dict[str, NDArray[np.generic]] = dict(feeds)
        # Those that look, then the latent, then what is decoded: the order in the file.
        for session in sessions.values():
            for one in session.get_inputs():
                if len(one.shape) == PICTURES and known[one.name].ndim > PICTURES:
                    known[one.name] = known[one.name].reshape(-1, *known[one.name].shape[2:])
            known |= _run(session, known)
        return known

    return answer


def output_names(model: RealUnits) -> list[str]:
    """Return the names of the whole network's outputs, in order."""
    names = [*(m.name for m in model.network.modalities), LATENT]
    return [f'{n}_{part}' for n in names for part in ('mean', 'std')]


def _session(content: bytes) -> Any:
    return onnxruntime.InferenceSession(content, providers=['CPUExecutionProvider'])


def _run(session: Any, feeds: Feeds) -> Feeds:
    names = [o.name for o in session.get_outputs()]
    found = session.run(names, {i.name: feeds[i.name] for i in session.get_inputs()})
    return dict(zip(names, found, strict=True))


def _scales(model: RealUnits) -> list[NDArray[np.float32] | float]:
    scales: list[NDArray[np.float32] | float] = []
    buffers: Mapping[str, torch.Tensor] = dict(model.scalings.named_buffers())
    for modality in model.network.modalities:
        scales += [buffers[f'{modality.name}.scale'].numpy()] * 2
    return [*scales, 1.0, 1.0]
