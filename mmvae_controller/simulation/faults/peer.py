"""The behaviour cloning peer in the simulation: it knows no masks, so gaps are filled for it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from mmvae_controller.control.policy import Estimate
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.observation import (
    CURRENT,
    empty_values,
    nothing_known,
    Observation,
    PREVIOUS,
    STEPS,
)
from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.training.peer_contract import (
    before_the_start,
    check_peer_file,
    PeerContract,
    read_peer_contract,
)
import numpy as np
from numpy.typing import NDArray
import onnxruntime


class Fill(StrEnum):
    """What stands in for a reading that is missing: zeros, or the last one that there was."""

    ZERO = 'zero'
    HOLD = 'hold'


class Peer:
    """A peer's folder, loaded for inference on one thread."""

    def __init__(self, folder: Path) -> None:
        """Load, check and warm up.

        Raises:
            ModalityError, TrainingError: The folder is no peer, or its files are damaged.
            SimulationError: The network does not agree with its contract.

        """
        self.contract: PeerContract = read_peer_contract(folder)
        path = check_peer_file(folder, NETWORK_FILE, self.contract)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime's errors share no other base.
            raise SimulationError(f'{path}: cannot be loaded: {error}') from error
        # The exporter leaves out what is not read, and that may be a sense in some peer.
        self._inputs = [i.name for i in self._session.get_inputs()]
        expected = {m.name: (STEPS, *m.shape) for m in self.contract.modalities}
        found = {i.name: tuple(i.shape[1:]) for i in self._session.get_inputs()}
        if not found.items() <= expected.items():
            raise SimulationError(f'{path}: inputs {found}, its contract says {expected}')
        command = self.command(empty_values(self.contract.modalities))
        if command.shape != self.contract.command.shape or not np.isfinite(command).all():
            raise SimulationError(
                f'{path}: decides on {command} of nothing, expected finite numbers of shape '
                f'{self.contract.command.shape}'
            )

    def command(self, values: dict[str, NDArray[np.generic]]) -> NDArray[np.float64]:
        """Return the command at t `(D,)` of one observation, `(2, *shape)` by modality."""
        feeds = {name: values[name][None] for name in self._inputs}
        (found,) = self._session.run(None, feeds)
        return np.asarray(found[0], dtype=np.float64)


class PeerPolicy:
    """A peer as a policy, for one episode: it remembers what was last there.

    Zeros are those of naive code: 0 in the unit of the sense, a black picture.
    """

    def __init__(self, peer: Peer, fill: Fill) -> None:
        """Begin an episode: nothing was there yet."""
        modalities = peer.contract.modalities
        self._peer = peer
        self._fill = fill
        self._values = empty_values(modalities)
        self._ever = nothing_known(modalities)

    def decide(self, observation: Observation) -> Estimate:
        """Return the command it wants; it is never uncertain, for it cannot tell."""
        for row, modality in enumerate(self._peer.contract.modalities):
            values = self._values[modality.name]
            # t first: before there was a t-1, it is taken to have been the same.
            for slot in (CURRENT, PREVIOUS):
                if observation.known[row, slot]:
                    values[slot] = observation.values[modality.name][slot]
                    self._ever[row, slot] = True
                elif slot == PREVIOUS and not self._ever[row, slot]:
                    values[slot] = before_the_start(modality, values[CURRENT])
                elif self._fill is Fill.ZERO:
                    values[slot] = 0
        command = self._peer.command(self._values)
        return Estimate(command, np.zeros_like(command))


def robot_for_peers(robot: Robot) -> Robot:
    """Return the same robot for a policy without masks: no sense is required, none is predicted.

    The controller still needs the joints measured before it begins, and gives its set-point up
    when they were not for a while.
    """
    sources = {n: replace(s, max_prediction_s=0.0) for n, s in robot.sources.items()}
    return replace(robot, required=(), sources=sources)
