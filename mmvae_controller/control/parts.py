"""The network in parts: pictures are looked at once, and only what is wanted is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
import zipfile

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.looking import Looking
from mmvae_controller.control.sessions import input_shapes, make_session
from mmvae_controller.modality.contract import (
    decode_part,
    KNOWN,
    LATENT,
    LATENT_PART,
    look_part,
    ModelContract,
    pair,
    ROWS,
    TRUNK,
)
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import STEPS
import numpy as np
from numpy.typing import NDArray
import onnxruntime

LATENT_OUTPUTS = pair(LATENT)


class Parts:
    """Runs the parts that a question needs."""

    def __init__(self, path: Path, contract: ModelContract) -> None:
        """Load them.

        Raises:
            ControlError: One is missing or damaged, or does not agree with the contract.

        """
        self._sessions = _sessions(path)
        self._latent = self._part(LATENT_PART, path)
        self._command = contract.command.name
        self._command_outputs = pair(self._command)
        self._decoders = {
            m.name: self._part(decode_part(m.name), path)
            for m in contract.modalities
            if m.name != self._command
        }
        # What a decoder does not read is no input of it.
        self._reads = {n: list(input_shapes(s)) for n, s in self._decoders.items()}
        self._looking = {
            m.name: Looking(self._sessions[look_part(m.name)], m.shape, f'{path}: {m.name}')
            for m in contract.modalities
            if look_part(m.name) in self._sessions
        }
        self._mask_rows = {m.name: row for row, m in enumerate(contract.modalities)}
        self._check_inputs(path, contract)

    def decode(
        self,
        values: Mapping[str, NDArray[np.generic]],
        known: NDArray[np.float32],
        rows: NDArray[np.int64],
        wanted: Sequence[str],
    ) -> dict[str, Gaussian]:
        """See `Engine.decode`."""
        feeds: dict[str, NDArray[np.generic]] = {KNOWN: known, ROWS: rows}
        for name, value in values.items():
            looking = self._looking.get(name)
            if looking is None:
                feeds[name] = value
                continue
            masks = known[:, self._mask_rows[name]].reshape(len(value), -1, STEPS)
            shown = (masks > 0).any(axis=1).reshape(-1)
            feeds.update(looking.features(value.reshape(-1, *value.shape[2:]), shown))
        if len(wanted) == 1 and wanted[0] == self._command:
            # What the robot asks at every tick.
            return {self._command: Gaussian(*self._latent.run(self._command_outputs, feeds))}
        outputs = [*self._command_outputs, *LATENT_OUTPUTS, TRUNK]
        hidden = dict(zip(outputs, self._latent.run(outputs, feeds), strict=True))
        found = {}
        for name in wanted:
            if name in self._decoders:
                read = {key: hidden[key] for key in self._reads[name]}
                found[name] = Gaussian(*self._decoders[name].run(None, read))
            else:
                found[name] = Gaussian(*(hidden[key] for key in pair(name)))
        return found

    def see(self, name: str, picture: NDArray[np.generic]) -> None:
        """Look at a picture `(H, W, C)` that somebody will ask about; nothing for other senses."""
        looking = self._looking.get(name)
        if looking is not None:
            looking.see(picture[None])

    def _part(self, name: str, path: Path) -> onnxruntime.InferenceSession:
        if name not in self._sessions:
            raise ControlError(f'{path}: has no {name}, its contract needs it')
        return self._sessions[name]

    def _check_inputs(self, path: Path, contract: ModelContract) -> None:
        found = input_shapes(self._latent)
        expected: dict[str, tuple[int, ...]] = {
            KNOWN: (len(contract.modalities), STEPS),
            ROWS: (),
        }
        for modality in contract.modalities:
            looking = self._looking.get(modality.name)
            if looking is None:
                expected[modality.name] = (STEPS, *modality.shape)
            else:
                expected |= {key: (size,) for key, size in looking.sizes.items()}
        if found != expected:
            raise ControlError(f'{path}: inputs {found}, its contract says {expected}')


def _sessions(path: Path) -> dict[str, onnxruntime.InferenceSession]:
    try:
        with zipfile.ZipFile(path) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise ControlError(f'{path}: cannot be read: {error}') from error
    return {name: make_session(content, f'{path}: {name}') for name, content in contents.items()}
