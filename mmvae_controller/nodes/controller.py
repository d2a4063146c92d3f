"""The controller node: senses in, safe joint commands out."""

from __future__ import annotations

from dataclasses import replace
import time
from typing import Any

from mmvae_controller.control.controller import Controller, Tick
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Decision, Reason
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy
from mmvae_controller.control.watchdog import Watchdog
from mmvae_controller.modality.limits import limits_from_urdf
from mmvae_controller.modality.observation import CURRENT, nothing_known
from mmvae_controller.modality.robot import load_robot, Robot
from mmvae_controller.nodes.errors import Refused
from mmvae_controller.nodes.health import GateHealth, LoopHealth
from mmvae_controller.nodes.inputs import Inputs, LOG_THROTTLE_S
from mmvae_controller.nodes.messages import command_message, OUTPUT_TYPES
from mmvae_controller.nodes.parameters import declare, given_path
from mmvae_controller.nodes.pointcloud import observation_message
from mmvae_controller.nodes.qos import COMMAND, REPORT
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.status import Level, Status
from mmvae_controller.nodes.updater import Updater
import numpy as np
from numpy.typing import NDArray
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import Trigger

NS = 1_000_000_000
SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
CHECKS_PER_TIMEOUT = 4
# The last hold is given this long to reach its subscribers before the publisher goes away.
LAST_WORDS = Duration(seconds=0.2)


class ControllerNode(LifecycleNode):
    """Wires a `Controller` to its topics; every road out of `active` ends with a hold."""

    def __init__(self, **options: Any) -> None:
        """Declare the parameters; nothing is loaded before `configure`.

        Args:
            options: For `rclpy.node.Node`, e.g. `context` and `parameter_overrides`.

        """
        super().__init__('controller', **options)
        declare(self, 'robot_file', '', 'Robot YAML; config/robots/iiwa_sim.yaml documents it')
        declare(self, 'model', '', 'Folder of the trained model, with its model.yaml')
        declare(self, 'autostart', True, 'Configure and activate without being told to')
        declare(self, 'robot_description', '', 'URDF: where limits come from if the robot YAML '
                'has none', fixed=False)
        declare(self, 'acceleration_rad_s2', 0.0, 'rad/s^2, for every joint: a URDF has no '
                'limits of acceleration', fixed=False)
        self._robot: Robot | None = None
        self._control: Controller | None = None
        self._last_tick: Tick | None = None
        self._timer = None
        self._watch_timer = None
        self._inputs: Inputs | None = None
        self._command = self._observation = None
        self._updater = Updater(self, self._statuses)
        self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_service(Trigger, '~/resume', self._on_resume)

    def start(self) -> None:
        """Configure and activate, if autostart says so."""
        if not self.get_parameter('autostart').value:
            return
        if self.trigger_configure() != SUCCESS or self.trigger_activate() != SUCCESS:
            raise Refused

    def close(self) -> None:
        """Hold and shut down."""
        self._leave_active()
        if self._state_name() != 'finalized':
            self.trigger_shutdown()

    def callback_failed(self, error: Exception) -> None:
        """Hold: whatever was going on is not known to be right."""
        self._hold(Reason.ERROR)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load robot and model, and listen."""
        try:
            self._configure()
        except Exception as error:
            self.get_logger().fatal(f'not configured: {error}')
            self._forget()
            return FAILURE
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to command; refused without limits."""
        try:
            self._activate()
        except Exception as error:
            self.get_logger().fatal(f'not activated: {error}')
            return FAILURE
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and command nothing more."""
        self._leave_active()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget robot and model."""
        self._forget()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, for good."""
        self._leave_active()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and go back to the start."""
        self._leave_active()
        self._forget()
        return super().on_error(state)

    def _configure(self) -> None:
        robot = load_robot(given_path(self, 'robot_file'))
        network = Network(given_path(self, 'model'))
        self._contract = network.contract
        self._contract.check_fits(robot)
        self._policy = NetworkPolicy(network)
        self._command = self.create_publisher(
            OUTPUT_TYPES[robot.output.message], robot.output.topic, COMMAND
        )
        self._observation = self.create_publisher(PointCloud2, '~/observation', REPORT)
        self._loop = LoopHealth(robot.rate_hz)
        self._gate = GateHealth(robot.anchor)
        self._inputs = Inputs(self, robot, self._push)
        self._updater.hardware_id = robot.name
        self._robot = robot

    def _forget(self) -> None:
        if self._inputs is not None:
            self._inputs.close()
        for publisher in (self._command, self._observation):
            if publisher is not None:
                self.destroy_publisher(publisher)
        self._inputs = self._command = self._observation = None
        self._robot = self._control = None

    def _activate(self) -> None:
        robot = self._with_limits()
        control = Controller(
            robot, self._contract.modalities, self._contract.step_s, self._policy
        )
        if self._control is not None and self._control.stopped:
            control.stop()  # A stop outlives a deactivation; only resume ends it.
        self._control = control
        self._last_tick = None
        self._watchdog = Watchdog(round(robot.watchdog_s * NS), time.monotonic_ns())
        self._fed_ns = time.monotonic_ns()
        self._timer = self.create_timer(1 / robot.rate_hz, self._tick)
        # On a steady clock: a frozen /clock stops the loop, and must not stop this too.
        self._watch_timer = self.create_timer(
            robot.watchdog_s / CHECKS_PER_TIMEOUT, self._watch,
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )

    def _with_limits(self) -> Robot:
        assert self._robot is not None
        robot = self._robot
        urdf = self.get_parameter('robot_description').value
        if robot.output.limits is not None or not urdf:
            return robot
        acceleration = self.get_parameter('acceleration_rad_s2').value
        if not acceleration > 0:
            raise ControlError(
                f'parameter acceleration_rad_s2 is {acceleration}, expected above 0: '
                'robot_description has no limits of acceleration'
            )
        limits = limits_from_urdf(urdf, robot.output.joints, acceleration)
        return replace(robot, output=replace(robot.output, limits=limits))

    def _push(self, name: str, value: NDArray[np.generic], now_ns: int) -> None:
        if self._timer is not None:
            self._control.push(name, value, now_ns)

    def _tick(self) -> None:
        started_ns = time.monotonic_ns()
        self._feed(started_ns)
        now_ns = self.get_clock().now().nanoseconds
        try:
            tick = self._control.tick(now_ns)
        except Exception as error:
            self._loop.fail(error)
            self.get_logger().error(
                f'exception in the tick, holding: {type(error).__name__}: {error}',
                throttle_duration_sec=LOG_THROTTLE_S,
            )
            self._hold(Reason.ERROR)
            return
        if tick.decision is not None:
            self._send(tick.decision)
        self._last_tick = tick
        self._gate.judge(tick, self._is_known(self._robot.anchor))
        self._loop.tick(now_ns, time.monotonic_ns() - started_ns)
        if self._observation.get_subscription_count():
            self._observation.publish(
                observation_message(tick.observation, self._contract.modalities)
            )

    def _feed(self, now_ns: int) -> None:
        self._fed_ns = now_ns
        self._watchdog.feed(now_ns)

    def _watch(self) -> None:
        if self._still_s() is not None:
            self._hold(Reason.WATCHDOG)
            self.get_logger().error(
                'the control loop stands still, holding; does the clock advance?',
                throttle_duration_sec=LOG_THROTTLE_S,
            )

    def _still_s(self) -> float | None:
        """Return for how many seconds the loop has stood still, None when the watchdog is fed."""
        now_ns = time.monotonic_ns()
        if self._timer is None or not self._watchdog.expired(now_ns):
            return None
        return (now_ns - self._fed_ns) / NS

    def _hold(self, reason: Reason) -> None:
        decision = None if self._timer is None else self._control.hold(reason)
        if decision is not None:
            self._send(decision)
            self._gate.send(decision)

    def _send(self, decision: Decision) -> None:
        output = self._control.robot.output
        now_ns = self.get_clock().now().nanoseconds
        period_ns = round(NS / self._control.robot.rate_hz)
        self._command.publish(command_message(output, decision.sent, now_ns, period_ns))

    def _leave_active(self) -> None:
        """End with a hold as the last message; does nothing when not active."""
        if self._timer is None:
            return
        self._hold(Reason.STOPPED)
        for timer in (self._timer, self._watch_timer):
            self.destroy_timer(timer)
        self._timer = self._watch_timer = None
        self._command.wait_for_all_acked(LAST_WORDS)

    def _on_stop(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        if self._timer is None:
            response.message = 'not active: nothing is commanded'
            return response
        self._control.stop()
        self._hold(Reason.STOPPED)
        response.success, response.message = True, 'holding'
        return response

    def _on_resume(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        if self._timer is None:
            response.message = 'not active: nothing is commanded'
            return response
        self._control.resume()
        response.success, response.message = True, 'resumed'
        return response

    def _is_known(self, sense: str) -> bool:
        return self._last_known()[sense][CURRENT]

    def _last_known(self) -> dict[str, list[bool]]:
        """Return what was known at [t - dt, t] in the last tick, by modality."""
        modalities = self._contract.modalities
        tick = self._last_tick
        known = nothing_known(modalities) if tick is None else tick.observation.known
        return {m.name: known[row].tolist() for row, m in enumerate(modalities)}

    def _state_name(self) -> str:
        # rclpy has no public way to ask for it.
        return str(self._state_machine.current_state[1])

    def _statuses(self) -> list[Status]:
        state = self._state_name()
        if self._robot is None:
            return [Status('loop', Level.WARN, f'{state}: nothing is commanded')]
        now_ns = self.get_clock().now().nanoseconds
        known = self._last_known()
        statuses = [self._loop.status(state, self._still_s())]
        if self._timer is not None:
            statuses.append(self._gate.status())
        return statuses + [
            health.status(now_ns, known[name]) for name, health in self._inputs.health.items()
        ]


def main() -> None:
    """Run the node."""
    run_main(ControllerNode, 'controller')


if __name__ == '__main__':
    main()
