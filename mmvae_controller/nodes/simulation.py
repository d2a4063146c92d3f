"""The simulation node: a world with a clock, sensors and an arm that obeys, episode by episode."""

from __future__ import annotations

from enum import StrEnum
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from mmvae_controller.control.window import NS
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.robot import InputMessage, OutputMessage
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import DEFAULT_ROBOT, find_robot
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.nodes.asking import Asking
from mmvae_controller.nodes.camera_failure import CameraFailure
from mmvae_controller.nodes.camera_switch import CameraSwitch
from mmvae_controller.nodes.parameters import declare
from mmvae_controller.nodes.reporting.pace import Pace
from mmvae_controller.nodes.reporting.status import Level, LOG_THROTTLE_S, Status
from mmvae_controller.nodes.reporting.updater import Updater
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.simulated_topics import topics_of
from mmvae_controller.nodes.wire.arrays import labelled_array
from mmvae_controller.nodes.wire.messages import image_message, time_message
from mmvae_controller.nodes.wire.qos import CLOCK, COMMAND, EPISODES, NEWEST, SENSOR
from mmvae_controller.senses.commands import read_command
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.showing import Showing
from mmvae_controller.simulation.simulator import (
    Outcome,
    PHYSICS_HZ,
    PHYSICS_STEP_NS,
    PROPRIOCEPTION_HZ,
    Readings,
    RESET_EVERY_NS,
    simulator_of,
)
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float32MultiArray, Float64MultiArray

BATCH_STEPS = PHYSICS_HZ // PROPRIOCEPTION_HZ
# After a reset, so long that no sample from before it waits in a queue of the controller.
SETTLE_NS = NS // 10
# So long it waits without a word in the log, and so often it says it again.
WAITS_NS = 3 * NS
# After the last episode the controller is told to hold so often: it may be another one.
TOLD_AGAIN_NS = NS
WAITS_AGAIN_S = 30.0
SLOW_SHARE = 0.9
OBEYED = OutputMessage.FLOAT64_ARRAY
CAMERA_FRAME = 'camera'
WORLD_FRAME = 'world'


class Phase(StrEnum):
    """What the simulation is waiting for, in this order; only when running it obeys.

    After the last episode the controller is told to hold, and it is finished.
    """

    ENDING = 'waiting for the controller to hold'
    RESETTING = 'waiting for the moment to reset at'
    SETTLING = 'letting the new scene reach the controller'
    BEGINNING = 'waiting for the controller to go on'
    RUNNING = 'running'
    FINISHED = 'finished'


class SimulationNode(Node):
    """Wires a `Simulator` to its topics and hands episodes over to the controller."""

    def __init__(self, **options: Any) -> None:
        """Build the scene of the first episode; `options` are those of `rclpy.node.Node`."""
        super().__init__('simulation', **options)
        robot_file = declare(
            self, 'robot_file', DEFAULT_ROBOT, 'Robot YAML, or the name of a shipped one'
        )
        task = declare(self, 'task', 'touch_target', 'What is to be done')
        self._seed = declare(self, 'seed', 0, 'Of the first episode; the next has the next')
        self._episodes = declare(self, 'episodes', 0, 'How many; 0 goes on for ever')
        self._holds_at_the_end = declare(
            self,
            'finish',
            True,
            'After the last episode hold the arm; '
            'false lets the controller go on with the last scene',
        )
        factor = declare(self, 'real_time_factor', 1.0, 'Simulated seconds per second')
        gui = declare(self, 'gui', False, 'Show a window')
        name = declare(self, 'controller_name', 'controller', 'The node that is told of episodes')
        if not factor > 0:
            raise SimulationError(f'real_time_factor is {factor}, expected above 0')
        robot = load_robot(find_robot(robot_file))
        if robot.output.message != OBEYED:
            raise SimulationError(
                f'{robot.path}: output: message is {robot.output.message}, the simulation obeys '
                f'{OBEYED} alone'
            )
        topics = topics_of(robot)
        self._simulator = simulator_of(robot, task, gui)
        switch = CameraSwitch(self, self._simulator.camera)
        self._camera_failure = CameraFailure(self, switch, self._episodes)
        self._simulator.reset(self._seed)
        # Not its stop and resume: those are its operator's, and no simulation ends a stop of his.
        self._ask = {
            Phase.ENDING: Asking(self, f'{name}/end_episode'),
            Phase.BEGINNING: Asking(self, f'{name}/begin_episode'),
        }
        self._episode = 0
        self._successes = 0
        self._refused = 0
        self._enter(Phase.ENDING)
        self._begin_episode()
        self._publish_to(topics, f'{name}/goal')
        self.create_subscription(Float64MultiArray, robot.output.topic, self._on_command, COMMAND)
        self._updater = Updater(self, self._statuses)
        self._updater.hardware_id = 'simulation'
        self._pace = Pace(factor, BATCH_STEPS * PHYSICS_STEP_NS)
        self.create_timer(
            self._pace.period_s, self._advance, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def start(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Tell the others, and release the physics."""
        self._updater.close()
        self._simulator.close()

    def callback_failed(self, error: Exception) -> None:
        """Nothing to save: the arm holds by itself."""

    def _publish_to(self, topics: dict[InputMessage, str], goal_topic: str) -> None:
        # What the robot does not listen to is there all the same.
        self._clock_out = self.create_publisher(ClockMessage, '/clock', CLOCK)
        self._camera_out = self.create_publisher(Image, topics[InputMessage.IMAGE], SENSOR)
        self._joints_out = self.create_publisher(
            JointState, topics[InputMessage.JOINT_STATE], SENSOR
        )
        self._touch_out = self.create_publisher(
            WrenchStamped, topics[InputMessage.WRENCH_STAMPED], SENSOR
        )
        self._views_out = {
            name: self.create_publisher(Image, f'camera_{name}/image_raw', SENSOR)
            for name in self._simulator.views
        }
        task = self._simulator.task
        self._shown = task if isinstance(task, Showing) else None
        if self._shown is not None:
            self._goal_out = self.create_publisher(Float32MultiArray, goal_topic, NEWEST)
        self._episode_out = self.create_publisher(DiagnosticStatus, '~/episode', EPISODES)

    def _advance(self) -> None:
        for _ in range(self._pace.due(time.monotonic_ns())):
            self._run_batch()
            self._proceed()

    def _run_batch(self) -> None:
        """Let time pass up to the next readings and publish them.

        A controller that ticks on the same clock ticks at the moments of the readings. So they
        go out before the clock says that moment: the tick finds them. One step earlier is said
        first: else they would be taken for as old as the last readings.
        """
        for _ in range(BATCH_STEPS):
            before_ns = self._simulator.time_ns
            self._simulator.step()
        readings = self._simulator.readings()
        self._publish_clock(before_ns)
        self._publish(readings)
        self._publish_clock(self._simulator.time_ns)

    def _publish_clock(self, now_ns: int) -> None:
        self._clock_out.publish(ClockMessage(clock=time_message(now_ns)))

    def _publish(self, readings: Readings) -> None:
        now_ns = self._simulator.time_ns
        if readings.camera is not None:
            self._camera_out.publish(image_message(readings.camera, 'rgb8', now_ns, CAMERA_FRAME))
        for name, picture in readings.views.items():
            self._views_out[name].publish(image_message(picture, 'rgb8', now_ns, f'camera_{name}'))
        self._show_goal()
        if readings.joint_position is not None and readings.joint_velocity is not None:
            held_at, held_speed = self._simulator.arm.held_state()
            joints = JointState(
                name=[*self._simulator.joint_names, *self._simulator.arm.held_names],
                position=readings.joint_position.tolist() + held_at,
                velocity=readings.joint_velocity.tolist() + held_speed,
            )
            joints.header.stamp = time_message(now_ns)
            joints.header.frame_id = WORLD_FRAME
            self._joints_out.publish(joints)
        if readings.touch is not None:
            touch = WrenchStamped()
            touch.header.stamp = time_message(now_ns)
            touch.header.frame_id = WORLD_FRAME
            force = touch.wrench.force
            force.x, force.y, force.z = readings.touch.tolist()
            self._touch_out.publish(touch)

    def _show_goal(self) -> None:
        """Publish where the task wants the hand; after the last episode nothing is wanted."""
        if self._shown is None or self._phase is Phase.FINISHED:
            return
        goal = self._shown.goal()
        labels = [(self._shown.goal_modality, tuple(str(i) for i in range(goal.size)))]
        self._goal_out.publish(labelled_array(Float32MultiArray, goal, labels))

    def _proceed(self) -> None:
        """Go on to the next phase once what this one waits for has come."""
        steady_ns = time.monotonic_ns()
        now_ns = self._simulator.time_ns
        trouble = self._trouble()
        if trouble and steady_ns - self._entered_steady_ns > WAITS_NS:
            waits = f'{self._phase}: {trouble}'
            self.get_logger().warning(
                explained_by(Help.SIMULATION_WAITS, waits), throttle_duration_sec=WAITS_AGAIN_S
            )
        if self._phase is Phase.ENDING and self._ask[Phase.ENDING].agreed(steady_ns):
            self._enter(Phase.FINISHED if self._was_last else Phase.RESETTING)
        elif (
            self._phase is Phase.RESETTING and now_ns % RESET_EVERY_NS == 0
        ):  # else time would jump
            self._simulator.reset(self._seed + self._episode, waiting=True)
            self._enter(Phase.SETTLING)
        elif self._phase is Phase.SETTLING and now_ns - self._entered_ns >= SETTLE_NS:
            self._enter(Phase.BEGINNING)
        elif self._phase is Phase.BEGINNING:
            ask = self._ask[Phase.BEGINNING]
            if ask.agreed(steady_ns):
                self._enter(Phase.RUNNING)
                self._begin_episode()
            elif ask.refused:
                # Stopped, deactivated or restarted since it agreed to hold: it is asked for that
                # anew, so that the scene it begins with is one that was reset under its hold.
                self._enter(Phase.ENDING)
        elif self._phase is Phase.RUNNING:
            outcome = self._simulator.outcome()
            if outcome.finished:
                self._end_episode(outcome)
            else:
                self._camera_failure.watch(outcome.elapsed_s)
        elif self._phase is Phase.FINISHED and self._holds_at_the_end:
            # A controller that was started since would go on, and find that the arm obeys no more.
            due = steady_ns - self._entered_steady_ns > TOLD_AGAIN_NS
            if due and self._ask[Phase.ENDING].agreed(steady_ns):
                self._enter(Phase.FINISHED)

    @property
    def _was_last(self) -> bool:
        return 0 < self._episodes <= self._episode

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._entered_ns = self._simulator.time_ns
        self._entered_steady_ns = time.monotonic_ns()

    def _trouble(self) -> str:
        """Return why the controller has not agreed to what this phase waits for."""
        return self._ask[self._phase].trouble if self._phase in self._ask else ''

    def _begin_episode(self) -> None:
        self._simulator.restart_clock()
        self._camera_failure.begin(self._episode)
        self._commands = 0
        self._largest_step_rad = 0.0
        self._command_rad, _ = self._simulator.arm.state()

    def _end_episode(self, outcome: Outcome) -> None:
        self._successes += outcome.success
        missed = 'lost' if self._simulator.lost else 'out of time'
        word = 'success' if outcome.success else missed
        self._episode_out.publish(
            self._updater.message(
                Status(
                    f'episode {self._episode}',
                    Level.OK,
                    word,
                    {
                        'episode': self._episode,
                        'seed': self._seed + self._episode,
                        'success': outcome.success,
                        'began_ns': self._entered_ns,
                        'elapsed_s': outcome.elapsed_s,
                        'distance_m': outcome.distance_m,
                        'commands': self._commands,
                        'max_command_step_rad': self._largest_step_rad,
                        **self._camera_failure.end(),
                        **(self._shown.measures() if self._shown else {}),
                    },
                )
            )
        )
        self.get_logger().info(
            f'episode {self._episode}: {word} after {outcome.elapsed_s:.2f} s, fingertip '
            f'{outcome.distance_m:.3f} m away'
        )
        self._episode += 1
        goes_on = self._was_last and not self._holds_at_the_end
        self._enter(Phase.FINISHED if goes_on else Phase.ENDING)

    def _on_command(self, message: Float64MultiArray) -> None:
        try:
            position_rad = read_command(
                message,
                OBEYED,
                self._simulator.joint_names,
                Quantity.POSITION,
            )
        except MessageError as error:
            self._refused += 1
            self.get_logger().warning(
                explained_by(Help.SIMULATION_WAITS, f'joint_command refused: {error}'),
                throttle_duration_sec=LOG_THROTTLE_S,
            )
            return
        if not self._obeys():
            return
        step_rad = float(np.abs(position_rad - self._command_rad).max())
        self._largest_step_rad = max(self._largest_step_rad, step_rad)
        self._command_rad = position_rad
        self._commands += 1
        self._simulator.command(position_rad)

    def _obeys(self) -> bool:
        if self._phase is Phase.FINISHED:
            return not self._holds_at_the_end
        # What was sent before the reset may arrive after the resume: not in the first moment.
        began = self._simulator.time_ns > self._entered_ns
        return self._phase is Phase.RUNNING and began

    def _statuses(self) -> list[Status]:
        achieved = self._pace.achieved()
        trouble = self._trouble()
        clocks = self.count_publishers(self._clock_out.topic_name)
        level, message, section = Level.OK, str(self._phase), Help.SIMULATION_WAITS
        if clocks > 1:
            # By a time that jumps to and fro, an old sample can be taken for a new one.
            level, section = Level.WARN, Help.CLOCK_STANDS
            message = (
                f'{self._phase}; {clocks} publish {self._clock_out.topic_name}: time jumps; '
                'give each its own, -r /clock:=clock'
            )
            self.get_logger().warning(
                explained_by(section, message), throttle_duration_sec=WAITS_AGAIN_S
            )
        elif trouble:
            level, message = Level.WARN, f'{self._phase}: {trouble}; the arm holds'
        elif achieved < SLOW_SHARE * self._pace.factor:
            level, message = Level.WARN, f'{self._phase}; too slow: {achieved:.2f} of real time'
        return [
            Status(
                'episode',
                level,
                message,
                {
                    'phase': self._phase.name.lower(),
                    'camera': self._simulator.camera.state,
                    'episode': self._episode,
                    'episodes': self._episodes or 'endless',
                    'seed': self._seed + self._episode,
                    'successes': self._successes,
                    'commands': self._commands,
                    'commands refused': self._refused,
                    'real_time_factor wanted': self._pace.factor,
                    'real_time_factor achieved': achieved,
                },
                section,
            )
        ]


def main() -> None:
    """Run the node."""
    run_main(SimulationNode, 'simulation')


if __name__ == '__main__':
    main()
