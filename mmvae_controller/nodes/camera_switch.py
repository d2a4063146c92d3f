"""The simulation's parameter `camera`: the one that may be set while it runs."""

from __future__ import annotations

from collections.abc import Sequence

from mmvae_controller.nodes.parameters import declare
from mmvae_controller.simulation.camera import Camera, CameraState
from mmvae_controller.simulation.errors import SimulationError
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

NAME = 'camera'
STATES = ', '.join(CameraState)


class CameraSwitch:
    """Covers, silences and restores a camera: `ros2 param set /simulation camera covered`."""

    def __init__(self, node: Node, camera: Camera) -> None:
        """Declare the parameter.

        Raises:
            SimulationError: Its value is no state.

        """
        self._camera = camera
        meaning = f'One of {STATES}; from the next picture on, while it runs too'
        state = declare(node, NAME, CameraState.WORKS.value, meaning, fixed=False)
        refusal = self._set(state)
        if refusal:
            raise SimulationError(refusal)
        node.add_on_set_parameters_callback(self._on_set)

    @property
    def state(self) -> CameraState:
        """What the camera delivers now."""
        return self._camera.state

    def cover(self) -> None:
        """Cover a camera that works, whatever the parameter says."""
        if self._camera.state is CameraState.WORKS:
            self._camera.state = CameraState.COVERED

    def restore(self) -> None:
        """Put the camera back into the state that the parameter says."""
        self._camera.state = self._wanted

    def _on_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            refusal = self._set(parameter.value) if parameter.name == NAME else ''
            if refusal:
                return SetParametersResult(successful=False, reason=refusal)
        return SetParametersResult(successful=True)

    def _set(self, state: object) -> str:
        """Put the camera into a state; return why not, empty if it is."""
        if state not in list(CameraState):
            return f'parameter {NAME} is {state!r}, expected one of {STATES}'
        self._camera.state = self._wanted = CameraState(str(state))
        return ''
