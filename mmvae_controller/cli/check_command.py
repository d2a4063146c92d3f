"""Judges where the command would go, and within which limits."""

from __future__ import annotations

from collections.abc import Iterator

from mmvae_controller.cli.check_names import where_instead
from mmvae_controller.cli.findings import Finding, Level
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import JointLimits, limits_from_urdf
from mmvae_controller.modality.robot import OutputMessage, Robot
from mmvae_controller.nodes.check.facts import Endpoint, Facts

# They hear a command and move nothing.
WATCHERS = ('_ros2cli', 'rosbag2_recorder', 'plotjuggler', 'rqt')


def judge_command(robot: Robot, facts: Facts) -> Iterator[Finding]:
    """Say who would obey, who else commands, and whether the types and QoS fit."""
    name, found = robot.command.name, facts.command
    if found.not_installed:
        yield Finding(name, 'type', Level.MISSING, found.not_installed, 'install it first')
    obeying = [e for e in found.listeners if not _only_watches(e)]
    if not obeying:
        yield Finding(
            name,
            'topic',
            Level.MISSING,
            f'nobody listens to {found.topic}',
            _nobody(robot, facts),
        )
    for listener in obeying:
        yield _listener(name, robot, found.topic, listener)
    for other in found.publishers:
        yield Finding(
            name,
            'topic',
            Level.NOTE,
            f'{other.node} publishes on {found.topic} already',
            'two that command one arm tear it to and fro: stop it before you start ours, unless '
            'it is ours',
        )


def judge_limits(
    robot: Robot, facts: Facts, urdf: str, acceleration_rad_s2: float
) -> Iterator[Finding]:
    """Say where the limits come from, and whether the arm is inside of them now.

    Args:
        robot: As configured.
        facts: What was gathered.
        urdf: Given as a file; empty if none was.
        acceleration_rad_s2: Given with it; 0 if it was not.

    """
    name, limits = robot.command.name, robot.output.limits
    if limits is not None:
        yield Finding(name, 'limits', Level.OK, 'given in the robot YAML')
    elif not (urdf or facts.description):
        yield Finding(
            name,
            'limits',
            Level.MISSING,
            'there are none: the controller does not activate',
            'write `output: limits:` in the robot YAML, or give --robot-description URDF and '
            '--acceleration, to `mmvae up` as well',
        )
        return
    else:
        try:
            limits = limits_from_urdf(
                urdf or facts.description, robot.output.joints, acceleration_rad_s2
            )
        except ModalityError as error:
            yield Finding(
                name,
                'limits',
                Level.MISSING,
                str(error),
                'a URDF has no accelerations: give --acceleration, rad/s^2'
                if not acceleration_rad_s2 > 0
                else 'correct the URDF, or write `output: limits:` in the robot YAML',
            )
            return
        yield _described(name, bool(urdf))
    yield from _inside(robot, facts, limits)


def _listener(name: str, robot: Robot, topic: str, listener: Endpoint) -> Finding:
    wanted = robot.output.message
    if listener.kind != wanted:
        known = listener.kind in list(OutputMessage)
        return Finding(
            name,
            'type',
            Level.MISSING,
            f'{listener.node} listens to {topic} as {listener.kind}, expected {wanted}',
            f'write `message: {listener.kind}` under `output:`'
            if known
            else f'give the robot a controller that obeys {wanted}',
        )
    if listener.incompatible:
        return Finding(
            name,
            'QoS',
            Level.MISSING,
            f'{listener.node} does not hear a reliable command: {listener.incompatible}',
            'change the QoS of the listener to reliable or best effort, volatile, no deadline',
        )
    return Finding(name, 'topic', Level.OK, f'{topic}, {wanted}, obeyed by {listener}')


def _nobody(robot: Robot, facts: Facts) -> str:
    output = robot.output
    instead = where_instead(
        output.topic, facts.command.topic, output.message, facts.heeded, 'listened to'
    )
    return f'start the controller of the robot (`ros2 control list_controllers`); {instead}'


def _described(name: str, is_file: bool) -> Finding:
    if is_file:
        return Finding(name, 'limits', Level.OK, 'from the URDF that was given')
    return Finding(
        name,
        'limits',
        Level.NOTE,
        'from the topic robot_description',
        'the controller reads a parameter, not the topic: give `mmvae up` the file with '
        '--robot-description, and --acceleration',
    )


def _inside(robot: Robot, facts: Facts, limits: JointLimits) -> Iterator[Finding]:
    """Compare where the joints are with where they may be; nothing if nobody measured them."""
    values = facts.senses[robot.anchor].heard.values
    outside = []
    for joint, lower, upper in zip(limits.joints, limits.lower_rad, limits.upper_rad, strict=True):
        value = values.get(joint)
        if value is not None and not lower <= value <= upper:
            outside.append(f'{joint} is {value:.3f} rad, limits {lower:g} to {upper:g}')
    if outside:
        yield Finding(
            robot.anchor,
            'limits',
            Level.MISSING,
            '; '.join(outside),
            'move the arm inside by other means, or correct the limits: no set-point begins there',
        )
    elif values:
        yield Finding(robot.anchor, 'limits', Level.OK, 'every joint is inside')


def _only_watches(endpoint: Endpoint) -> bool:
    name = endpoint.node.rsplit('/', 1)[-1]
    return name.startswith(WATCHERS) or name == 'top'
