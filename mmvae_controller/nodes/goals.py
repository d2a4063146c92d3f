"""The goals node: shows the controller a recorded stroke, goal by goal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.guidance.help import Help
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.nodes.parameters import declare, given
from mmvae_controller.nodes.reporting.status import Level, Status
from mmvae_controller.nodes.reporting.updater import Updater
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.strokes import Phase, read_stroke, Strokes
from mmvae_controller.nodes.wire.arrays import labelled_array
from mmvae_controller.nodes.wire.clock import ControlClock
from mmvae_controller.nodes.wire.qos import NEWEST, SENSOR
from mmvae_controller.vision.hand import HAND_CHANNELS
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Float32MultiArray


class GoalsNode(Node):
    """Publishes where the hand should be soon, while it is known where it is."""

    def __init__(self, **options: Any) -> None:
        """Read the stroke; `options` are those of `rclpy.node.Node`.

        Raises:
            ModalityError: A parameter makes no sense, or the file is no stroke.

        """
        super().__init__('goals', **options)
        declare(
            self,
            'stroke_file',
            '',
            f'Text, comma-separated, a row of {", ".join(HAND_CHANNELS)} in px for each moment',
        )
        duration_s = declare(self, 'duration_s', 6.0, 's, of the whole stroke; above 1')
        numbers = {
            'ahead_s': declare(self, 'ahead_s', 0.1, 's, the step of the model'),
            'rate_hz': declare(self, 'rate_hz', 20.0, 'Hz, of the goals'),
            'lead_px_s': declare(
                self, 'lead_px_s', 15.0, 'px/s, how fast to lead the hand to where it begins'
            ),
            'max_apart_px': declare(
                self,
                'max_apart_px',
                15.0,
                'px; a hand farther from its goal is led to the beginning anew',
            ),
            'max_age_s': declare(self, 'max_age_s', 0.3, 's; an older hand is not known'),
        }
        repeat = declare(self, 'repeat', False, 'Begin again at the end')
        name = declare(self, 'controller_name', 'controller', 'The node to show it to')
        for key, number in numbers.items():
            if not 0 < number < np.inf:
                raise ModalityError(f'parameter {key} is {number}, expected above 0')
        stroke = read_stroke(Path(given(self, 'stroke_file')), len(HAND_CHANNELS), duration_s)
        self._strokes = Strokes(stroke, numbers['lead_px_s'], numbers['max_apart_px'], repeat)
        self._ahead_s, self._max_age_s = numbers['ahead_s'], numbers['max_age_s']
        self._clock = ControlClock(self)
        self._hand: NDArray[np.float64] | None = None
        self._hand_ns = 0
        self._goal_out = self.create_publisher(Float32MultiArray, f'{name}/goal', NEWEST)
        self.create_subscription(Float32MultiArray, 'hand', self._see, SENSOR)
        self._updater = Updater(self, self._statuses)
        self._updater.hardware_id = 'goals'
        self.create_timer(1 / numbers['rate_hz'], self._show, clock=self._clock.ros)

    def start(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Tell the others."""
        self._updater.close()

    def callback_failed(self, error: Exception) -> None:
        """Nothing to save: without goals the arm holds."""

    def _see(self, message: Float32MultiArray) -> None:
        hand = np.array(message.data, dtype=np.float64)
        if hand.shape == (len(HAND_CHANNELS),) and np.isfinite(hand).all():
            self._hand, self._hand_ns = hand, self._clock.now_ns()

    def _show(self) -> None:
        now_ns = self._clock.now_ns()
        fresh = 0 <= now_ns - self._hand_ns <= self._max_age_s * NS
        goal = self._strokes.goal(self._hand if fresh else None, now_ns / NS, self._ahead_s)
        if goal is not None:
            labels = [('px', HAND_CHANNELS)]
            self._goal_out.publish(labelled_array(Float32MultiArray, goal, labels))

    def _statuses(self) -> list[Status]:
        phase = self._strokes.phase
        level = Level.WARN if phase is Phase.WAITING else Level.OK
        return [Status('goals', level, str(phase), {'phase': phase.name.lower()}, Help.NO_GOAL)]


def main() -> None:
    """Run the node."""
    run_main(GoalsNode, 'goals')


if __name__ == '__main__':
    main()
