"""A model that drives itself where its senses fail, while the expert says what would be right.

An expert who knows where everything is never stands where a model that lost a sense ends up. So
nobody shows the way out, and where the arm stands seems to tell where its goal is, which is true
of the expert alone. Here the model drives and the expert labels (DAgger, Ross et al. 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.comparison import read_comparison
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import Estimate, NetworkPolicy
from mmvae_controller.control.window import NS, ObservationWindow
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.episode import Distortion, Values
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert
import numpy as np
from numpy.typing import NDArray

LOST_SHARE = 0.7
NEVER_THERE_SHARE = 0.5
# Of an episode: later than that, little is left to be done without a sense.
LATEST_SHARE = 0.4


class Learner:
    """Does what the model wants; remembers nothing from one episode to the next."""

    def __init__(self, network: Network, expert: Expert) -> None:
        """Let this network drive, judged by what was measured of it.

        Raises:
            ControlError, ModalityError: What was measured is of another network, or damaged.

        """
        self._network = network
        self._comparison = read_comparison(network)
        self._policy = NetworkPolicy(network)
        self._expert = expert

    def controller(self, robot: Robot, clock_ns: Callable[[], int]) -> Controller:
        """Return what it drives a robot through, for one episode."""
        return controller_of(self._network, robot, self, self._comparison, clock_ns)

    @property
    def clean(self) -> NDArray[np.float64]:
        """What the expert would do now, also while the arm is held and nobody is asked."""
        return self._expert.velocity()

    def decide(self, observation: Observation) -> Estimate:
        """Return what the model wants."""
        return self._policy.decide(observation)


class Witness:
    """A distortion: sees all that is to be sensed, and keeps from who drives what is lost."""

    def __init__(
        self, robot: Robot, lost_s: Mapping[str, float], distort: Distortion | None = None
    ) -> None:
        """Lose each of these senses so many seconds after the first reading.

        Args:
            robot: Whose senses they are.
            lost_s: By sense; those that are not named are there all the time.
            distort: What becomes of the readings before anyone sees them.

        """
        self.window = ObservationWindow(robot.modalities, robot.step_s, robot.min_contrast)
        self._lost_s = dict(lost_s)
        self._distort = distort
        self._began_ns: int | None = None

    def __call__(self, values: Values, now_ns: int) -> Values:
        """Return what is left of these values."""
        if self._began_ns is None:
            self._began_ns = now_ns
        if self._distort is not None:
            values = self._distort(values, now_ns)
        for name, value in values.items():
            self.window.push(name, value, now_ns)
        elapsed_s = (now_ns - self._began_ns) / NS
        return {n: v for n, v in values.items() if elapsed_s < self._lost_s.get(n, np.inf)}


def draw_losses(
    robot: Robot, time_limit_s: float, random: np.random.Generator
) -> dict[str, float]:
    """Return which senses a learner loses, and after how many seconds; 0 is never there.

    Never the one that says where the arm stands; what the robot requires is there at first.
    """
    lost_s = {}
    for name in robot.sources:
        if name == robot.anchor or random.random() >= LOST_SHARE:
            continue
        never = name not in robot.required and random.random() < NEVER_THERE_SHARE
        moment_s = float(random.uniform(robot.step_s, LATEST_SHARE * time_limit_s))
        lost_s[name] = 0.0 if never else moment_s
    return lost_s


def learner_drives(episode: int, share: float) -> bool:
    """Tell whether the learner drives in this episode: in this share of them, evenly spread."""
    return int((episode + 1) * share) > int(episode * share)


def check_learner(network: Network, robot: Robot) -> None:
    """Raise unless this model can drive this robot.

    Raises:
        SimulationError: The robot is led by goals.
        ModalityError: The model does not fit it.

    """
    if robot.goal:
        raise SimulationError(
            f'robot {robot.name!r} is led by goals: its model babbles, and learns nothing from an '
            'expert'
        )
    network.contract.check_fits(robot)
