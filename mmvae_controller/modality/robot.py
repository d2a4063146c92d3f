"""The robot YAML: which modality comes on which topic, and what the robot may be told to do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.pictures import HeightMap, PictureFormat
from mmvae_controller.modality.spec import command_of, Modality, Quantity

WRENCH_CHANNELS = ('force.x', 'force.y', 'force.z', 'torque.x', 'torque.y', 'torque.z')
# Of contacts: 1 while there is any, else 0.
TOUCHING = 'touching'
JOINT_PARTS = ('position', 'velocity', 'effort')
# After a blank picture, one counts again from so many times `min_contrast`: a scene at the bound
# must not make the arm stop and go.
CONTRAST_MARGIN = 1.5
# Half of the pixels black, half of them white: no picture has more.
MOST_CONTRAST = 127.5
# A sense that drives the loop has so many periods to speak before the timer does it instead.
PATIENT_PERIODS = 1.75


class InputMessage(StrEnum):
    """The message types a sense can come in."""

    IMAGE = 'sensor_msgs/Image'
    COMPRESSED_IMAGE = 'sensor_msgs/CompressedImage'
    POINT_CLOUD = 'sensor_msgs/PointCloud2'
    JOINT_STATE = 'sensor_msgs/JointState'
    WRENCH_STAMPED = 'geometry_msgs/WrenchStamped'
    WRENCH = 'geometry_msgs/Wrench'
    GAZEBO_CONTACTS = 'gazebo_msgs/ContactsState'
    GZ_CONTACTS = 'ros_gz_interfaces/Contacts'
    FLOAT32_ARRAY = 'std_msgs/Float32MultiArray'
    FLOAT64_ARRAY = 'std_msgs/Float64MultiArray'
    BOOL = 'std_msgs/Bool'
    FLOAT32 = 'std_msgs/Float32'
    FLOAT64 = 'std_msgs/Float64'


class OutputMessage(StrEnum):
    """The message types a joint command can go out in."""

    FLOAT64_ARRAY = 'std_msgs/Float64MultiArray'
    JOINT_TRAJECTORY = 'trajectory_msgs/JointTrajectory'
    JOINT_TRAJECTORY_POINT = 'trajectory_msgs/JointTrajectoryPoint'
    JOINT_STATE = 'sensor_msgs/JointState'


CAMERA_MESSAGES = frozenset({InputMessage.IMAGE, InputMessage.COMPRESSED_IMAGE})
CONTACT_MESSAGES = frozenset({InputMessage.GAZEBO_CONTACTS, InputMessage.GZ_CONTACTS})
# They carry one number each.
SCALAR_MESSAGES = frozenset({InputMessage.BOOL, InputMessage.FLOAT32, InputMessage.FLOAT64})
# What can be asked of messages that name their numbers themselves.
CHANNELS_OF = {
    InputMessage.WRENCH_STAMPED: WRENCH_CHANNELS,
    InputMessage.WRENCH: WRENCH_CHANNELS,
    **dict.fromkeys(CONTACT_MESSAGES, (TOUCHING,)),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sense comes from.

    Args:
        topic: Relative and remappable.
        message: Its type.
        part: One of `JOINT_PARTS` of a JointState; unused otherwise.
        picture: Of the messages of a camera, and only of those, what is in them.
        heights: Of a point cloud, and only of one, how it becomes a picture.
        min_contrast: Of a picture, the standard deviation of its grey levels below which it shows
            nothing and counts as missing; None, `off` in the file, switches this check off.
        max_prediction_s: How old its last sound sample may be for the model to predict from it
            what the sense would say now; 0, `off` in the file: missing, it is masked at once.
        compared: Whether it is compared with the others, and distrusted if it contradicts them.

    Raises:
        ModalityError: The message and what is to be read of it do not go together.

    """

    topic: str
    message: InputMessage
    part: str = ''
    picture: PictureFormat | None = None
    heights: HeightMap | None = None
    min_contrast: float | None = None
    max_prediction_s: float = 0.0
    compared: bool = True

    def __post_init__(self) -> None:
        """Whoever reads such a message relies on it."""
        for what, is_there, messages in (
            ('part', bool(self.part), {InputMessage.JOINT_STATE}),
            ('picture format', self.picture is not None, CAMERA_MESSAGES),
            ('height map', self.heights is not None, {InputMessage.POINT_CLOUD}),
        ):
            if is_there != (self.message in messages):
                raise ModalityError(
                    f'{self.topic}: {self.message} {"with" if is_there else "without"} a {what}, '
                    f'which belongs to {", ".join(sorted(messages))}'
                )


@dataclass(frozen=True, slots=True)
class Certainty:
    """What the decoded standard deviation does to the command, in the unit of the command.

    Args:
        slow_std: Less certain than this of any joint, the arm goes slower, in proportion down to
            nothing at `max_std`; None, `off` in the file, never slows it down.
        max_std: Less certain than this of any joint, it holds; None, `off`, never does.

    Raises:
        ModalityError: The two do not go together.

    """

    slow_std: float | None
    max_std: float | None

    def __post_init__(self) -> None:
        """Slowing needs an end."""
        if self.slow_std is None:
            return
        if self.max_std is None:
            raise ModalityError(
                f'slow_std is {self.slow_std:g} and max_std off: slowing down needs a max_std at '
                'which the arm stands'
            )
        if not self.slow_std < self.max_std:
            raise ModalityError(
                f'slow_std is {self.slow_std:g}, expected below max_std, {self.max_std:g}'
            )

    def speed_share(self, largest_std: float) -> float:
        """Return by what share of the wanted speed to go, 0 to 1."""
        if self.slow_std is None or self.max_std is None or largest_std <= self.slow_std:
            return 1.0
        return max(0.0, (self.max_std - largest_std) / (self.max_std - self.slow_std))


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """Where the joint command goes, and what keeps it safe.

    Args:
        topic: Relative and remappable.
        message: Its type.
        quantity: What the wire carries; a decoded velocity is integrated to a position.
        joints: In the order of the wire.
        limits: None until they are found in `robot_description`.
        certainty: Above which standard deviation the arm is slowed down, and holds.

    """

    topic: str
    message: OutputMessage
    quantity: Quantity
    joints: tuple[str, ...]
    limits: JointLimits | None
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot, as configured.

    Args:
        name: Of the robot; the hardware_id on /diagnostics.
        modalities: Senses and the command, in the order of the file.
        sources: By sense.
        output: The joint command.
        anchor: The sense that measures the joints the command moves: where the first set-point
            starts from.
        required: Senses that must be known or predicted, or the arm holds.
        rate_hz: Of the control loop.
        trigger: The sense whose samples the loop answers at once, at most at `rate_hz`; empty, or
            while it is silent: a timer drives it.
        step_s: The time between the two steps of an observation; a model brings its own.
        watchdog_s: How long the loop may stand still before the watchdog holds the arm.
        max_following_error_rad: How far any joint may be from its set-point; farther away, the
            set-point is given up and nothing is sent until resumed.
        goal: The sense of which a wanted value leads the arm, if its model is asked for that;
            empty: the model is asked as a policy.
        arm: What simulates it: a path, from the folder of its file, or a name such as `iiwa`;
            empty: nothing does.
        path: Where it was read from.

    """

    name: str
    modalities: tuple[Modality, ...]
    sources: dict[str, Source]
    output: CommandOutput
    anchor: str
    required: tuple[str, ...]
    rate_hz: float
    step_s: float
    watchdog_s: float
    max_following_error_rad: float
    goal: str = ''
    trigger: str = ''
    arm: str = ''
    path: Path = field(default=Path())

    @property
    def command(self) -> Modality:
        """The modality that is the command."""
        return command_of(self.modalities)

    @property
    def min_contrast(self) -> dict[str, float]:
        """By sense, in grey levels; only where there is such a bound."""
        bounds = {n: s.min_contrast for n, s in self.sources.items()}
        return {n: bound for n, bound in bounds.items() if bound is not None}

    @property
    def max_prediction_s(self) -> dict[str, float]:
        """By sense; only of those that are predicted when they are missing."""
        spans = {n: s.max_prediction_s for n, s in self.sources.items()}
        return {n: span for n, span in spans.items() if span > 0}

    def taking_every_picture(self) -> Robot:
        """Return the same robot without a bound on the contrast of its pictures."""
        sources = {n: replace(s, min_contrast=None) for n, s in self.sources.items()}
        return replace(self, sources=sources)
