"""One activation of the controller: its loop, its watchdog, and the hold that ends it."""

from __future__ import annotations

import time

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.driving import Driver
from mmvae_controller.control.gate import Decision, Reason
from mmvae_controller.control.pace import AtMost
from mmvae_controller.control.set_point import LET_GO
from mmvae_controller.control.tick import NOTHING_SENSED, Sensed, Tick
from mmvae_controller.control.watchdog import Watchdog
from mmvae_controller.control.window import NS
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.reporting.health import LoopHealth
from mmvae_controller.nodes.reporting.status import LOG_THROTTLE_S
from mmvae_controller.nodes.wire.messages import command_message
from mmvae_controller.nodes.wire.pointcloud import observation_message
from mmvae_controller.nodes.wire.qos import LAST_WORDS
from mmvae_controller.nodes.wiring import Wiring
import numpy as np
from numpy.typing import NDArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

CHECKS_PER_TIMEOUT = 4
# Without a set-point for so long, the log says why: a scene that begins anew is sooner ready.
IDLE_NS = 3 * NS


class Session:
    """Commands from `activate` until `close`."""

    def __init__(self, node: Node, wiring: Wiring, robot: Robot) -> None:
        """Begin to tick.

        Args:
            node: Whose timers and header stamps.
            wiring: Where everything comes from and goes to, and the clock that drives the loop.
            robot: With its limits.

        Raises:
            ControlError: The robot has no limits.

        """
        self.control = controller_of(wiring.network, robot, wiring.policy, wiring.comparison)
        self.loop = LoopHealth(robot.rate_hz)
        self._node = node
        self._wiring = wiring
        self._robot = robot
        self._last_tick: Tick | None = None
        self._period_s = 1 / robot.rate_hz
        self._idle_ns = time.monotonic_ns()
        self._idle_told: Help | None = None
        self._observe = AtMost(wiring.observation_hz, robot.rate_hz)
        self._fed_ns = time.monotonic_ns()
        self._watchdog = Watchdog(round(robot.watchdog_s * NS), self._fed_ns)
        # Under simulated time a sample comes before the clock tells its moment: the timer waits.
        self._driver = Driver(robot.rate_hz, '' if wiring.clock.simulated else robot.trigger)
        period_s = self._driver.timer_ns / NS
        self._timer = node.create_timer(period_s, self._on_timer, clock=wiring.clock.ros)
        self._timers = (
            self._timer,
            # On a steady clock: a frozen /clock stops the loop, and must not stop this too.
            node.create_timer(
                robot.watchdog_s / CHECKS_PER_TIMEOUT,
                self._watch,
                clock=Clock(clock_type=ClockType.STEADY_TIME),
            ),
        )

    def close(self) -> None:
        """Stop ticking, with a hold as the last message."""
        for timer in self._timers:
            self._node.destroy_timer(timer)
        self.hold(Reason.STOPPED)
        self._wiring.command.wait_for_all_acked(LAST_WORDS)

    def stop(self) -> None:
        """Hold, at once and until told to resume."""
        self.control.stop()
        self.hold(Reason.STOPPED)

    def hold(self, reason: Reason) -> None:
        """Send the last set-point again; nothing if there was none."""
        decision = self.control.hold(reason, self._wiring.clock.now_ns())
        if decision is not None:
            self._send(decision)
            self._wiring.gate.send(decision)

    def sensed(self, name: str) -> Sensed:
        """Return what the last tick made of a sense."""
        if self._last_tick is None:
            return NOTHING_SENSED
        return self.control.sensed(name, self._last_tick)

    def still_s(self) -> float | None:
        """Return for how many seconds the loop has stood still; None when it has not."""
        now_ns = time.monotonic_ns()
        return (now_ns - self._fed_ns) / NS if self._watchdog.expired(now_ns) else None

    def spare_s(self) -> float:
        """Return for how long no tick is expected; below 0 when one is late."""
        return (self._fed_ns - time.monotonic_ns()) / NS + self._period_s

    def push(self, name: str, value: NDArray[np.generic], now_ns: int) -> str:
        """Take a sample of a sense, and answer it at once if it drives the loop.

        Returns why the sample will be masked; empty for a sound one.
        """
        fault = self.control.push(name, value, now_ns)
        if not fault:
            # Whatever it costs to look at a picture is paid between two ticks, not in the next.
            self._wiring.network.see(name, value)
        if self._driver.drives(name):
            due = self._driver.on_sample(name, time.monotonic_ns())
            self._pace()
            self._timer.reset()
            if due:
                self._tick()
        return fault

    def _on_timer(self) -> None:
        due = self._driver.on_timer(time.monotonic_ns())
        if self._pace():
            self._timer.reset()  # Else it fires once more after the old period.
        if due:
            self._tick()

    def _pace(self) -> bool:
        """Set the timer as the driver wants it; tell whether that is new."""
        changed: bool = self._timer.timer_period_ns != self._driver.timer_ns
        if changed:
            self._timer.timer_period_ns = self._driver.timer_ns
        return changed

    def _tick(self) -> None:
        self._fed_ns = time.monotonic_ns()
        self._watchdog.feed(self._fed_ns)
        self._wiring.inputs.receipts.beat(self._fed_ns)
        now_ns = self._wiring.clock.now_ns()
        stamp_ns = self._node.get_clock().now().nanoseconds
        if self._wiring.goal is not None:
            self._wiring.goal.heed(now_ns)
        was_stopped = self.control.stopped
        try:
            tick = self.control.tick(now_ns)
            if tick.decision is not None:
                self._send(tick.decision)
            sent_ns = time.monotonic_ns() - self._fed_ns
            self.control.check_senses()
        except Exception as error:
            self.loop.fail(error)
            self._node.get_logger().error(
                explained_by(
                    Help.ARM_HOLDS,
                    f'exception in the tick, holding: {type(error).__name__}: {error}',
                ),
                throttle_duration_sec=LOG_THROTTLE_S,
            )
            self.hold(Reason.ERROR)
            return
        self._last_tick = tick
        self._wiring.gate.judge(tick)
        self._tell(tick, was_stopped)
        self._show(tick, stamp_ns)
        self.loop.tick(now_ns, time.monotonic_ns() - self._fed_ns, sent_ns)

    def _tell(self, tick: Tick, was_stopped: bool) -> None:
        """Say in the log that the arm was let go, or why nothing is commanded for long."""
        if not tick.idle or was_stopped:
            self._idle_ns, self._idle_told = self._fed_ns, None
            return
        section = Help.LET_GO if tick.idle.endswith(LET_GO) else Help.NO_SET_POINT
        lasts = section is Help.LET_GO or self._fed_ns - self._idle_ns > IDLE_NS
        if lasts and section is not self._idle_told:
            self._idle_told = section
            told = explained_by(section, f'no set-point: {tick.idle}')
            self._node.get_logger().warning(told)

    def _show(self, tick: Tick, stamp_ns: int) -> None:
        """Publish what the tick saw, if somebody listens; after the command, which is urgent."""
        out = self._wiring.observation
        if out.get_subscription_count() and self._observe.due(self._fed_ns):
            modalities = self._wiring.contract.modalities
            out.publish(observation_message(tick.observation, modalities, stamp_ns))

    def _watch(self) -> None:
        if self.still_s() is not None:
            self.hold(Reason.WATCHDOG)
            self._node.get_logger().error(
                explained_by(
                    Help.CLOCK_STANDS,
                    'the control loop stands still, holding: is the machine busy? does the clock '
                    'advance?',
                ),
                throttle_duration_sec=LOG_THROTTLE_S,
            )

    def _send(self, decision: Decision) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        period_ns = round(NS / self._robot.rate_hz)
        self._wiring.command.publish(
            command_message(self._robot.output, decision.sent, now_ns, period_ns)
        )
