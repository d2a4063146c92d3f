"""Reads a robot YAML; `config/robots/iiwa_sim.yaml` documents every key."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import json
from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.robot import (
    Certainty,
    CommandOutput,
    InputMessage,
    OutputMessage,
    PATIENT_PERIODS,
    Robot,
    Source,
)
from mmvae_controller.modality.source_file import colours_of, read_source, unit_of
from mmvae_controller.modality.spec import command_of, Encoder, Modality, Quantity, Role


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
        if modality.role is Role.SENSE:
            sources[name] = read_source(section, modality)
            modality = replace(modality, unit=unit_of(section, sources[name]))
        else:
            output = _output(section, modality)
        modalities.append(modality)
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


def origin_of(robot: Robot) -> dict[str, str]:
    """Return what data notes of the robot it is of: what its file is called, and what it says."""
    return {'robot_file': robot.path.name, 'robot_sha256': robot_checksum(robot.path)}


def robot_checksum(path: Path) -> str:
    """Return the sha256 of what a robot YAML says, whatever its comments and its layout."""
    said = json.dumps(read_yaml(path).data, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


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
        shape, channels = section.shape('shape'), colours_of(section)
    elif section.has('shape'):
        shape = section.shape('shape')
        channels = channels or tuple(f'{name}{i}' for i in range(shape[0]))
    else:
        shape = (len(channels),)
        if not channels:
            raise ModalityError(f'{section.where}: expected shape, joints or channels')
    quantity = section.choice('quantity', Quantity) if role is Role.COMMAND else None
    unit, max_age_s = section.text('unit'), section.number('max_age_s', low=0, high=60)
    try:
        return Modality(
            name=name,
            role=role,
            encoder=encoder,
            shape=shape,
            channels=channels,
            unit=unit,
            max_age_s=max_age_s,
            quantity=quantity,
        )
    except ModalityError as error:
        raise ModalityError(f'{section.where}: {error}') from error


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
