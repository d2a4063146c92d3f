"""The exported network in onnxruntime: the only way in which a model runs on the robot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmvae_controller.control.errors import ControlError
from mmvae_controller.modality.contract import (
    check_file,
    KNOWN,
    LATENT,
    ModelContract,
    NETWORK_FILE,
    read_contract,
    ROWS,
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
import numpy as np
from numpy.typing import NDArray
import onnxruntime

LOG_SEVERITY_ERROR = 3


class Network:
    """A model folder, loaded for inference on one thread."""

    def __init__(self, folder: Path) -> None:
        """Load, check and warm up; the first inference is slow and is not left to the robot.

        Raises:
            ControlError: The network does not agree with its contract.
            ModalityError: The folder is no model, or its files are damaged.

        """
        self.folder = folder
        self.contract: ModelContract = read_contract(folder)
        path = check_file(folder, NETWORK_FILE, self.contract)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = LOG_SEVERITY_ERROR
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime's errors share no other base.
            raise ControlError(f'{path}: cannot be loaded: {error}') from error
        self._run_options = onnxruntime.RunOptions()
        # Without this the decoder of every picture runs, whichever output is asked for.
        self._run_options.only_execute_path_to_fetches = True
        self._check_inputs(path)
        self._check_outputs(path)

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
        if self._reads_rows:
            feeds[ROWS] = rows
        elif len(next(iter(feeds.values()))) < len(known):
            feeds = {name: value[rows] for name, value in feeds.items()}
        feeds[KNOWN] = known.astype(np.float32)
        outputs = [f'{name}_{part}' for name in wanted for part in ('mean', 'std')]
        found = self._session.run(outputs, feeds, self._run_options)
        return {n: Gaussian(found[2 * i], found[2 * i + 1]) for i, n in enumerate(wanted)}

    def decode_one(
        self, observation: Observation, known: Mask | Freshness, wanted: Sequence[str]
    ) -> dict[str, Gaussian]:
        """Decode from one observation and a mask `(M, 2)`; the results have B = 1."""
        values = {name: value[None] for name, value in observation.values.items()}
        return self.decode(values, known[None], wanted)

    def _check_inputs(self, path: Path) -> None:
        found = {i.name: tuple(i.shape[1:]) for i in self._session.get_inputs()}
        # Networks that were exported before there was such an input run as well, more slowly.
        self._reads_rows = found.pop(ROWS, None) is not None
        rows = len(self.contract.modalities)
        expected = {m.name: (STEPS, *m.shape) for m in self.contract.modalities}
        expected[KNOWN] = (rows, STEPS)
        if found != expected:
            raise ControlError(f'{path}: inputs {found}, its contract says {expected}')

    def _check_outputs(self, path: Path) -> None:
        """Decode everything from nothing: the warm-up, and what a broken network cannot do."""
        modalities = self.contract.modalities
        expected = {m.name: (1, STEPS, *m.shape) for m in modalities}
        expected[LATENT] = (1, self.contract.latent_size)
        names = {o.name for o in self._session.get_outputs()}
        absent = sorted({f'{n}_{part}' for n in expected for part in ('mean', 'std')} - names)
        if absent:
            raise ControlError(f'{path}: has no outputs {absent}, its contract needs them')
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
