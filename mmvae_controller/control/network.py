"""The exported network in onnxruntime: the only way in which a model runs on the robot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.parts import Parts
from mmvae_controller.control.whole import Whole
from mmvae_controller.modality.contract import (
    check_file,
    LATENT,
    ModelContract,
    NETWORK_FILE,
    PARTS_FILE,
    PROBE_FILE,
    read_contract,
)
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import (
    empty_values,
    Freshness,
    Mask,
    nothing_known,
    Observation,
    STEPS,
    value_rows,
)
from mmvae_controller.modality.probe import read_probe, TOLERANCE
import numpy as np
from numpy.typing import NDArray

# Another processor rounds otherwise, which is told; this much is another network.
REFUSED = 1e-4


class Engine(Protocol):
    """What computes: the network whole or in parts."""

    def decode(
        self,
        values: Mapping[str, NDArray[np.generic]],
        known: NDArray[np.float32],
        rows: NDArray[np.int64],
        wanted: Sequence[str],
    ) -> dict[str, Gaussian]:
        """Decode; `rows` `(B,)` says in which of the values each mask looks."""

    def see(self, name: str, picture: NDArray[np.generic]) -> None:
        """Do ahead what a sample that will be asked about costs."""


class Network:
    """A model folder, loaded for inference on one thread."""

    def __init__(self, folder: Path) -> None:
        """Load, check and warm up; the first inference is slow and is not left to the robot.

        Raises:
            ControlError: The network does not agree with its contract, or does not answer here
                what it answered where it was trained.
            ModalityError: The folder is no model, or its files are damaged.

        """
        self.folder = folder
        # How it answers otherwise than where it was trained; empty if it does not.
        self.differs = ''
        self.contract: ModelContract = read_contract(folder)
        self._path = check_file(folder, NETWORK_FILE, self.contract)
        self._engine: Engine
        if PARTS_FILE in self.contract.checksums:
            self._path = check_file(folder, PARTS_FILE, self.contract)
            self._engine = Parts(self._path, self.contract)
        else:
            self._engine = Whole(self._path, self.contract)
        self._check_outputs()
        if PROBE_FILE in self.contract.checksums:
            self._check_answers(check_file(folder, PROBE_FILE, self.contract))

    def decode(
        self,
        values: Mapping[str, NDArray[np.generic]],
        known: Mask | Freshness,
        wanted: Sequence[str],
    ) -> dict[str, Gaussian]:
        """Decode what is wanted from what is known.

        Args:
            values: By modality, `(V, 2, *shape)` in its own unit.
            known: `(B, M, 2)`, B / V consecutive masks for each of the values, or how fresh what
                they leave is: a picture is looked at once, however many masks it is read under.
            wanted: Modalities, or `LATENT` for the latent `(B, Z)`.

        Returns:
            The decoded distribution of each.

        """
        feeds = {m.name: values[m.name] for m in self.contract.modalities}
        rows = value_rows(feeds, known)
        return self._engine.decode(feeds, known.astype(np.float32), rows, wanted)

    def see(self, name: str, value: NDArray[np.generic]) -> None:
        """Do ahead what a sample `(*shape)` that will be asked about costs."""
        self._engine.see(name, value)

    def decode_one(
        self, observation: Observation, known: Mask | Freshness, wanted: Sequence[str]
    ) -> dict[str, Gaussian]:
        """Decode from one observation and a mask `(M, 2)`; the results have B = 1."""
        values = {name: value[None] for name, value in observation.values.items()}
        return self.decode(values, known[None], wanted)

    def _check_outputs(self) -> None:
        """Decode everything from nothing: the warm-up, and what a broken network cannot do."""
        path, modalities = self._path, self.contract.modalities
        expected = {m.name: (1, STEPS, *m.shape) for m in modalities}
        expected[LATENT] = (1, self.contract.latent_size)
        known = nothing_known(modalities)
        ages = np.zeros(known.shape, dtype=np.float32)
        nothing = Observation(0, empty_values(modalities), known, ages)
        for name, decoded in self.decode_one(nothing, known, list(expected)).items():
            for part, found in (('mean', decoded.mean), ('std', decoded.std)):
                if found.shape != expected[name]:
                    raise ControlError(
                        f'{path}: {name}_{part} has shape {found.shape}, its contract says '
                        f'{expected[name]}'
                    )
                if not np.all(np.isfinite(found)):
                    raise ControlError(
                        f'{path}: {name}_{part} is not finite when nothing is known'
                    )

    def _check_answers(self, path: Path) -> None:
        """Ask what was asked where it was trained: another build may compute something else."""
        probe = read_probe(path)
        found = self.decode(probe.values, probe.known, list(probe.answers))
        difference, where = probe.difference(found, self.contract.normalisers)
        if difference <= TOLERANCE:
            return
        self.differs = (
            f'{self._path}: {where} differs here by {difference:.2g} of a value from what the '
            f'trained network answers, expected at most {TOLERANCE:g}: is the installation of '
            'onnxruntime sound? Else export the model again with `mmvae export`'
        )
        if not difference <= REFUSED:
            raise ControlError(self.differs)
