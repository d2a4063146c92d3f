"""The robot YAML: which modality comes on which topic, and what the robot may be told to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.spec import command_of, Encoder, Modality, Quantity, Role

WRENCH_CHANNELS = ('force.x', 'force.y', 'force.z', 'torque.x', 'torque.y', 'torque.z')
# What each image encoding says about the channels; a model knows these, not the encoding.
COLOURS_OF = {
    'rgb8': ('red', 'green', 'blue'),
    'bgr8': ('blue', 'green', 'red'),
    'mono8': ('grey',),
}
DEFAULT_ENCODING = 'rgb8'
IMAGE_RANK = 3


class InputMessage(StrEnum):
    """The message types a sense can come in."""

    IMAGE = 'sensor_msgs/Image'
    JOINT_STATE = 'sensor_msgs/JointState'
    WRENCH = 'geometry_msgs/WrenchStamped'
    FLOAT32_ARRAY = 'std_msgs/Float32MultiArray'
    FLOAT64_ARRAY = 'std_msgs/Float64MultiArray'


class OutputMessage(StrEnum):
    """The message types a joint command can go out in."""

    FLOAT64_ARRAY = 'std_msgs/Float64MultiArray'
    JOINT_TRAJECTORY = 'trajectory_msgs/JointTrajectory'
    JOINT_STATE = 'sensor_msgs/JointState'


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sense comes from.

    Args:
        topic: Relative and remappable.
        message: Its type.
        part: `position`, `velocity` or `effort` of a JointState; unused otherwise.
        encoding: Of an image, as the model expects it, e.g. `rgb8`.

    """

    topic: str
    message: InputMessage
    part: str = ''
    encoding: str = ''


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """Where the joint command goes, and what keeps it safe.

    Args:
        topic: Relative and remappable.
        message: Its type.
        quantity: What the wire carries; a decoded velocity is integrated to a position.
        joints: In the order of the wire.
        limits: None until they are found in `robot_description`.
        max_std: The decoded standard deviation above which the arm holds, in the unit of the
            command; None, `off` in the file, switches this check off.

    """

    topic: str
    message: OutputMessage
    quantity: Quantity
    joints: tuple[str, ...]
    limits: JointLimits | None
    max_std: float | None


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
        required: Senses without which the arm holds.
        rate_hz: Of the control loop.
        step_s: The time between the two steps of an observation; a model brings its own.
        watchdog_s: How long the loop may stand still before the watchdog holds the arm.
        max_following_error_rad: How far any joint may be from its set-point; farther away, the
            set-point is given up and nothing is sent until resumed.
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
    path: Path = field(default=Path())

    @property
    def command(self) -> Modality:
        """The modality that is the command."""
        return command_of(self.modalities)


def load_robot(path: Path) -> Robot:
    """Read a robot YAML; `config/robots/iiwa_sim.yaml` documents every key.

    Raises:
        ModalityError: Names the file, the field, what was found and what was expected.

    """
    root = read_yaml(path)
    modalities: list[Modality] = []
    sources: dict[str, Source] = {}
    output: CommandOutput | None = None
    for name, section in root.sections('modalities').items():
        modality = _modality(name, section)
        modalities.append(modality)
        if modality.role is Role.SENSE:
            sources[name] = _source(section, modality)
        else:
            output = _output(section, modality)
        section.done()
    try:
        command_of(tuple(modalities))
    except ModalityError as error:
        raise ModalityError(f'{root.where}: {error}') from error
    assert output is not None, 'command_of has found the command'
    control = root.section('control')
    robot = Robot(
        name=root.text('robot'),
        modalities=tuple(modalities),
        sources=sources,
        output=output,
        anchor=control.text('anchor'),
        required=control.texts('required'),
        rate_hz=control.number('rate_hz', low=1, high=1000),
        step_s=control.number('step_s', low=0.001, high=10),
        watchdog_s=control.number('watchdog_s', default=0.25, low=0.001, high=10),
        max_following_error_rad=control.number('max_following_error_rad', low=0.001, high=3.2),
        path=path,
    )
    control.done()
    root.done()
    _check(robot)
    return robot


def _check(robot: Robot) -> None:
    where = f'{robot.path}: control'
    for name in (*robot.required, robot.anchor):
        if name not in robot.sources:
            raise ModalityError(f'{where}: {name!r} is no sense; senses are {list(robot.sources)}')
    source = robot.sources[robot.anchor]
    if source.message is not InputMessage.JOINT_STATE or source.part != 'position':
        raise ModalityError(
            f'{where}: anchor {robot.anchor} is {source.message} {source.part}, expected the '
            'position of sensor_msgs/JointState: it is where the first set-point starts from'
        )
    if robot.anchor not in robot.required:
        raise ModalityError(
            f'{where}: required is {list(robot.required)}, expected {robot.anchor} among them: '
            'an arm whose joints are not measured must hold'
        )
    measured = next(m for m in robot.modalities if m.name == robot.anchor).channels
    if robot.watchdog_s * robot.rate_hz <= 1:
        raise ModalityError(
            f'{where}: watchdog_s is {robot.watchdog_s:g}, expected more than one period of '
            f'{robot.rate_hz:g} Hz: it would hold the arm between any two commands'
        )
    absent = [j for j in robot.output.joints if j not in measured]
    if absent:
        raise ModalityError(
            f'{where}: anchor {robot.anchor} does not measure the commanded joints {absent}'
        )


def _modality(name: str, section: Section) -> Modality:
    role = section.choice('role', Role)
    encoder = section.choice('encoder', Encoder, Encoder.VECTOR)
    joints = section.texts('joints', ())
    channels = joints or section.texts('channels', ())
    if encoder is Encoder.IMAGE:
        shape, channels = section.shape('shape'), _colours(section)
    elif section.has('shape'):
        shape = section.shape('shape')
        channels = channels or tuple(f'{name}{i}' for i in range(shape[0]))
    else:
        shape = (len(channels),)
        if not channels:
            raise ModalityError(f'{section.where}: expected shape, joints or channels')
    quantity = section.choice('quantity', Quantity) if role is Role.COMMAND else None
    try:
        return Modality(
            name=name,
            role=role,
            encoder=encoder,
            shape=shape,
            channels=channels,
            unit=section.text('unit'),
            max_age_s=section.number('max_age_s', low=0, high=60),
            quantity=quantity,
        )
    except ModalityError as error:
        raise ModalityError(f'{section.where}: {error}') from error


def _colours(section: Section) -> tuple[str, ...]:
    encoding = section.text('encoding', DEFAULT_ENCODING)
    colours = COLOURS_OF.get(encoding)
    shape = section.shape('shape')
    if len(shape) != IMAGE_RANK:
        return ('unnamed',) * shape[-1]  # The modality itself will refuse the shape.
    if colours is None or len(colours) != shape[-1]:
        raise ModalityError(
            f'{section.where}: encoding {encoding!r} with {shape[-1]} channels, expected one of '
            f'{ ({name: len(found) for name, found in COLOURS_OF.items()}) }'
        )
    return colours


def _source(section: Section, modality: Modality) -> Source:
    message = section.choice('message', InputMessage)
    is_image = modality.encoder is Encoder.IMAGE
    if is_image != (message is InputMessage.IMAGE):
        raise ModalityError(
            f'{section.where}: encoder {modality.encoder} does not fit message {message}'
        )
    part = ''
    if message is InputMessage.JOINT_STATE:
        part = section.text('part', 'position')
        if part not in ('position', 'velocity', 'effort'):
            raise ModalityError(
                f'{section.where}: part is {part!r}, expected position, velocity or effort'
            )
    encoding = section.text('encoding', DEFAULT_ENCODING) if is_image else ''
    if message is InputMessage.WRENCH:
        unknown = [c for c in modality.channels if c not in WRENCH_CHANNELS]
        if unknown:
            raise ModalityError(
                f'{section.where}: channels {unknown}, expected some of {WRENCH_CHANNELS}'
            )
    return Source(section.text('topic'), message, part, encoding)


def _output(section: Section, modality: Modality) -> CommandOutput:
    out = section.section('output')
    quantity = out.choice('quantity', Quantity, Quantity.POSITION)
    if quantity is Quantity.VELOCITY:
        raise ModalityError(
            f'{out.where}: quantity velocity is not supported yet: position limits are counted on '
            'the set-points sent, which is where the arm is on a position wire alone'
        )
    limits = None
    if out.has('limits'):
        limits = JointLimits.from_section(out.section('limits'), modality.channels)
    output = CommandOutput(
        topic=out.text('topic'),
        message=out.choice('message', OutputMessage),
        quantity=quantity,
        joints=modality.channels,
        limits=limits,
        max_std=None if out.is_off('max_std') else out.number('max_std', low=0),
    )
    out.done()
    return output
