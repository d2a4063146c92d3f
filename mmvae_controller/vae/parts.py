"""Cuts the exported network where the robot may stop, or need not begin anew.

    pictures -> look.IMAGE -> features -\
    vectors, mask -----------------------> latent -> command, latent
                                                  -> trunk -> decode.NAME, each by itself

onnxruntime computes every output of a graph, whichever is asked for. Cut, a command costs neither
the decoder of a picture, nor a second look at a picture that was looked at before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, ExitStack
from io import BytesIO
import zipfile

from mmvae_controller.modality.contract import (
    decode_part,
    FEATURES,
    KNOWN,
    LATENT,
    LATENT_PART,
    pair,
    ROWS,
    TRUNK,
)
from mmvae_controller.modality.spec import Role
from mmvae_controller.vae.blocks import ImageEncoder
from mmvae_controller.vae.branches import Scaling
from mmvae_controller.vae.network import RealUnits
import onnx
from onnx.utils import Extractor
import torch
from torch import nn, Tensor

# Zip files tell when they were made; the same network must give the same file.
NO_DATE = (1980, 1, 1, 0, 0, 0)


class Opened(nn.Module):
    """A network that also returns what passes where it is cut."""

    def __init__(self, model: RealUnits) -> None:
        """Open a network."""
        super().__init__()
        self.model = model
        self.eyes = eyes(model)

    @property
    def cuts(self) -> list[str]:
        """The names of what is returned beside the outputs of the network."""
        return [TRUNK, *features_of(self.eyes)]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of the network, then of each cut."""
        encoders = [encoder for found in self.eyes.values() for encoder in found]
        with _heard([self.model.network.shared_out, *encoders]) as heard:
            outputs = self.model(*inputs)
        return (*outputs, *heard)


class Look(nn.Module):
    """From pictures `(P, H, W, C)` as the camera made them to what every encoder sees in them."""

    def __init__(self, scaling: Scaling, encoders: list[ImageEncoder]) -> None:
        """Join a normaliser and the encoders that look at its modality."""
        super().__init__()
        self.scaling, self.encoders = scaling, nn.ModuleList(encoders)

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Return `(P, F)` of each encoder."""
        seen = self.scaling.normalise(pictures).permute(0, 3, 1, 2)
        return tuple(encoder(seen) for encoder in self.encoders)


def eyes(model: RealUnits) -> dict[str, list[ImageEncoder]]:
    """Return by image modality who looks at its pictures, in the order in which they do.

    Nobody, where pictures are looked at again with what is missing filled in.
    """
    network = model.network
    if network.config.fill_rounds:
        return {}
    found: dict[str, list[ImageEncoder]] = {}
    for name, module in network.encoder.named_modules():
        if isinstance(module, ImageEncoder):
            # `branches.camera.encoder`, behind the fusion's own names.
            found.setdefault(name.split('.')[-2], []).append(module)
    return found


def features_of(looking: Mapping[str, list[ImageEncoder]]) -> list[str]:
    """Return the names of the features of every encoder."""
    return [
        f'{name}_{FEATURES}_{number}'
        for name, encoders in looking.items()
        for number in range(len(encoders))
    ]


def cut(opened: Opened, exported: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    """Return the parts of an exported `Opened` by file name, but for those that look."""
    extract = Extractor(exported).extract_model
    modalities = opened.model.network.modalities
    whole = [m.name for m in modalities if m.name not in opened.eyes]
    latent = pair(LATENT)
    command = [output for m in modalities if m.role is Role.COMMAND for output in pair(m.name)]
    inputs = [*whole, *features_of(opened.eyes), KNOWN, ROWS]
    parts = {LATENT_PART: extract(inputs, [*command, *latent, TRUNK])}
    for modality in modalities:
        if modality.role is not Role.COMMAND:
            decoded = extract([latent[0], TRUNK], pair(modality.name))
            parts[decode_part(modality.name)] = decoded
    return parts


def look_modules(opened: Opened) -> dict[str, Look]:
    """Return who looks at pictures, by image modality."""
    return {
        name: Look(opened.model.scaling(name), encoders) for name, encoders in opened.eyes.items()
    }


def pack(parts: Mapping[str, onnx.ModelProto]) -> bytes:
    """Return the parts as one zip file, the same for the same parts."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name, NO_DATE), part.SerializeToString())
    return buffer.getvalue()


@contextmanager
def _heard(modules: list[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect what each module returns the last time it is called, in the order given here."""
    heard = [torch.empty(0) for _ in modules]
    with ExitStack() as stack:
        for number, module in enumerate(modules):

            def hear(_: nn.Module, __: object, output: Tensor, number: int = number) -> None:
                heard[number] = output

            stack.callback(module.register_forward_hook(hear).remove)
        yield heard
