"""Reads a robot YAML; `config/robots/iiwa_sim.yaml` documents every key."""

from __future__ import annotations

from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.robot import (
    Certainty,
    COLOURS_OF,
    CommandOutput,
    CONTRAST_MARGIN,
    InputMessage,
    MOST_CONTRAST,
    OutputMessage,
    PATIENT_PERIODS,
    Robot,
    Source,
    WRENCH_CHANNELS,
)
from mmvae_controller.modality.spec import command_of, Encoder, Modality, Quantity, Role

DEFAULT_ENCODING = 'rgb8'
IMAGE_RANK = 3
LONGEST_PREDICTION_S = 60.0
# Below half a grey level rounding decides; above the other, a picture that was blank could never
# count again.
MIN_CONTRAST_RANGE = (0.5, MOST_CONTRAST / CONTRAST_MARGIN)


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
        goal=control.text('goal') if control.has('goal') else '',
        trigger=control.text('trigger') if control.has('trigger') else '',
        arm=_arm(root),
        path=path,
    )
    control.done()
    root.done()
    _check(robot)
    return robot


def _check(robot: Robot) -> None:
    where = f'{robot.path}: control'
    named = (robot.anchor, robot.goal, robot.trigger)
    for name in (*robot.required, *filter(None, named)):
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
    # A late sample may end just before the timer's patience does, and begin a new one.
    periods = 1 + PATIENT_PERIODS if robot.trigger else 1
    if robot.watchdog_s * robot.rate_hz <= periods:
        raise ModalityError(
            f'{where}: watchdog_s is {robot.watchdog_s:g}, expected more than '
            f'{"one period" if periods == 1 else f"{periods:g} periods"} of {robot.rate_hz:g} Hz: '
            'it would hold the arm between any two commands'
        )
    absent = [j for j in robot.output.joints if j not in measured]
    if absent:
        raise ModalityError(
            f'{where}: anchor {robot.anchor} does not measure the commanded joints {absent}'
        )


def _arm(root: Section) -> str:
    if not root.has('simulation'):
        return ''
    section = root.section('simulation')
    arm = section.text('arm')
    section.done()
    return arm


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
    min_contrast = _min_contrast(section) if is_image else None
    if message is InputMessage.WRENCH:
        unknown = [c for c in modality.channels if c not in WRENCH_CHANNELS]
        if unknown:
            raise ModalityError(
                f'{section.where}: channels {unknown}, expected some of {WRENCH_CHANNELS}'
            )
    return Source(
        section.text('topic'),
        message,
        part,
        encoding,
        _camera_size(section, modality) if is_image else None,
        min_contrast,
        _max_prediction_s(section, modality),
        section.flag('compared', default=True),
    )


def _camera_size(section: Section, modality: Modality) -> tuple[int, int] | None:
    if not section.has('camera_size'):
        return None
    size = section.shape('camera_size')
    height, width = modality.shape[:2]
    if len(size) != IMAGE_RANK - 1 or size[0] < height or size[1] < width:
        raise ModalityError(
            f'{section.where}: camera_size is {list(size)}, expected [height, width] of at least '
            f'{[height, width]}: pictures are only shrunk'
        )
    return size[0], size[1]


def _max_prediction_s(section: Section, modality: Modality) -> float:
    if not section.has('max_prediction_s') or section.is_off('max_prediction_s'):
        return 0.0
    # Up to max_age_s a sample is no prediction.
    return section.number('max_prediction_s', low=modality.max_age_s, high=LONGEST_PREDICTION_S)


def _min_contrast(section: Section) -> float | None:
    if section.is_off('min_contrast'):
        return None
    low, high = MIN_CONTRAST_RANGE
    try:
        return section.number('min_contrast', low=low, high=high)
    except ModalityError as error:
        raise ModalityError(
            f'{error}; write the grey levels of contrast below which a picture shows nothing (a '
            'covered lens), or off: then every picture counts, a black one too'
        ) from error


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
        certainty=_certainty(out),
    )
    out.done()
    return output


def _certainty(out: Section) -> Certainty:
    slow_std, max_std = (
        None if out.is_off(key) else out.number(key, low=0) for key in ('slow_std', 'max_std')
    )
    try:
        return Certainty(slow_std, max_std)
    except ModalityError as error:
        raise ModalityError(f'{out.where}: {error}') from error
