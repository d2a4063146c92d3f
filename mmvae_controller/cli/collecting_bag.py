"""`mmvae collect --bag`."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from pathlib import Path
import time

from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.modality.robot import InputMessage, Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_robot
from mmvae_controller.recordings.film import Film, MARK_TOPIC, WANTED_TOPIC
from mmvae_controller.recordings.writer import BagWriter
from mmvae_controller.simulation.collect import CollectSettings
from mmvae_controller.simulation.filming import Begun, Commanded, Ended, film, Moment, Sensed
from mmvae_controller.simulation.simulator import PHYSICS_STEP_NS, Readings


def run(
    out: Path, robot: str, task: str, episodes: int, seed: int, compressed: bool, learner: str
) -> None:
    """Demonstrate into a bag, with a progress bar, and say how to import it.

    Raises:
        RecordingError: The bag is there already, or the disk is full.
        SimulationError: The robot does not fit the simulation.

    """
    path = find_robot(robot)
    settings = CollectSettings(str(path), task, episodes, seed, learner=learner)
    successes = done = 0
    began = time.monotonic()
    moments = film(settings)
    with closing(moments):
        # What cannot be filmed is refused before there is a bag.
        first = next(moments)
        with BagWriter(out, compressed) as writer, progress_bar() as bar:
            camera = Filming(load_robot(path), Film(writer))
            line = bar.add_task('episodes', total=episodes, figures='')
            for moment in chain([first], moments):
                camera.take(moment)
                if isinstance(moment, Ended):
                    done, successes = done + 1, successes + moment.success
                    rate = done / (time.monotonic() - began)
                    figures = f'{writer.messages} messages, {rate:.1f} episodes/s'
                    bar.update(line, completed=done, figures=figures)
                    writer.flush()
    print(
        f'{out}: {writer.messages} messages of {done} episodes, {successes} of them succeeded\n'
        f'mmvae import-bag {out} --robot {robot} --label-topic {WANTED_TOPIC} '
        f'--episode-topic {MARK_TOPIC} --out DATASET'
    )


class Filming:
    """Films the topics of the simulation, under the names of the robot YAML."""

    def __init__(self, robot: Robot, film: Film) -> None:
        """Film a robot whose senses fit the simulation."""
        self._film = film
        self._joints, self._command = robot.output.joints, robot.output.topic
        self._topics = {source.message: source.topic for source in robot.sources.values()}

    def take(self, moment: Moment) -> None:
        """Write what happens.

        Readings come before the clock tells their moment, and after the step before it, as in the
        simulation node.
        """
        if isinstance(moment, Begun):
            self._film.clock(moment.now_ns - PHYSICS_STEP_NS)
            self._film.mark(True)
        elif isinstance(moment, Sensed):
            self._film.clock(moment.now_ns - PHYSICS_STEP_NS)
            self._sense(moment.readings, moment.now_ns)
            self._film.clock(moment.now_ns)
        elif isinstance(moment, Commanded):
            self._film.command(WANTED_TOPIC, moment.wanted)
            self._film.command(self._command, moment.sent)
        else:
            self._film.mark(False)

    def _sense(self, readings: Readings, stamp_ns: int) -> None:
        topics = self._topics
        if readings.camera is not None and InputMessage.IMAGE in topics:
            self._film.camera(topics[InputMessage.IMAGE], readings.camera, stamp_ns)
        if readings.joint_position is not None and readings.joint_velocity is not None:
            self._film.joints(
                topics[InputMessage.JOINT_STATE],
                self._joints,
                readings.joint_position,
                readings.joint_velocity,
                stamp_ns,
            )
        if readings.touch is not None and InputMessage.WRENCH_STAMPED in topics:
            self._film.touch(topics[InputMessage.WRENCH_STAMPED], readings.touch, stamp_ns)
