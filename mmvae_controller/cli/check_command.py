"""Judges where the command would go, and within which limits."""

from __future__ import annotations

from collections.abc import Iterator

from mmvae_controller.cli.check_names import where_instead
from mmvae_controller.cli.findings import Finding, Level
from mmvae_controller.control.set_point import LIMIT_SLACK_RAD
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import JointLimits, limits_from_urdf
from mmvae_controller.modality.robot import OutputMessage, Robot
from mmvae_controller.nodes.check.facts import Endpoint, Facts

# They hear a command and move nothing; `top` and `recorder` are ours.
WATCHERS = ('_ros2cli', 'foxglove_bridge', 'plotjuggler', 'rosbag2_', 'rosbridge', 'rqt', 'rviz')
OUR_WATCHERS = ('recorder', 'top')
OURS, ACTIVE = 'controller', 'active'
# rad, rad/s: of limits that were written with three decimals.
ROUNDING = 1e-3


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
        yield _listener(name, robot, facts, listener)
    if len(obeying) > 1:
        yield Finding(
            name,
            'topic',
            Level.NOTE,
            f'{len(obeying)} nodes obey {found.topic}: {", ".join(e.node for e in obeying)}',
            'each of them moves: stop those that you do not mean, or give each robot a namespace',
        )
    ours = [e for e in found.publishers if _is_ours(facts, e)]
    if len(ours) > 1:
        yield Finding(
            name,
            'topic',
            Level.MISSING,
            f'{len(ours)} of our {ours[0].node} publish on {found.topic}',
            'two that command one arm tear it to and fro: end all but one',
        )
    for other in found.publishers:
        if len(ours) < 2 or other not in ours:
            yield _commander(name, facts, other)


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
        yield from _wider(name, limits, urdf or facts.description)
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


def _is_ours(facts: Facts, one: Endpoint) -> bool:
    return one.node == f'{facts.inside}/{OURS}'


def _commander(name: str, facts: Facts, other: Endpoint) -> Finding:
    topic = facts.command.topic
    if _is_ours(facts, other):
        return Finding(
            name,
            'topic',
            Level.NOTE,
            f'our {other.node} publishes on {topic} already',
            'do not start another one in this namespace',
        )
    return Finding(
        name,
        'topic',
        Level.MISSING if other.named else Level.NOTE,
        f'{other.node} publishes on {topic} already',
        'two that command one arm tear it to and fro: stop it before you start ours',
    )


def _listener(name: str, robot: Robot, facts: Facts, listener: Endpoint) -> Finding:
    wanted, topic = robot.output.message, facts.command.topic
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
    states = facts.controllers.get(listener.name, frozenset())
    if states and ACTIVE not in states:
        return Finding(
            name,
            'controller',
            Level.MISSING,
            f'{listener.node} listens to {topic}, and obeys nothing: it is '
            f'{", ".join(sorted(states))}',
            f'ros2 control switch_controllers --activate {listener.name}, and --deactivate the '
            'one that has its joints (`ros2 control list_controllers`)',
        )
    return Finding(
        name,
        'topic',
        Level.OK if listener.named else Level.NOTE,
        f'{topic}, {wanted}, obeyed by {listener}',
        '' if listener.named else 'ask once more, with more --seconds: it may only watch',
    )


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


def _wider(name: str, limits: JointLimits, urdf: str) -> Iterator[Finding]:
    """Compare limits of the YAML with a robot description; nothing without one that has them."""
    try:
        own = limits_from_urdf(urdf, limits.joints, float(limits.acceleration_rad_s2.max()))
    except ModalityError:
        return
    wider = [
        f'{joint} {what} {ours:g}, expected {relation} {theirs:g}'
        for what, relation, mine, of_robot, sign in (
            ('lower', 'at least', limits.lower_rad, own.lower_rad, -1),
            ('upper', 'at most', limits.upper_rad, own.upper_rad, 1),
            ('velocity', 'at most', limits.velocity_rad_s, own.velocity_rad_s, 1),
        )
        for joint, ours, theirs in zip(limits.joints, mine, of_robot, strict=True)
        if sign * (ours - theirs) > ROUNDING
    ]
    if wider:
        yield Finding(
            name,
            'limits',
            Level.NOTE,
            f'wider than those of the robot description: {"; ".join(wider)}',
            'narrow `output: limits:` in the robot YAML, unless the description is of another '
            'robot',
        )


def _inside(robot: Robot, facts: Facts, limits: JointLimits) -> Iterator[Finding]:
    """Compare where the joints are with where they may be; nothing if nobody measured them."""
    values = facts.senses[robot.anchor].heard.values
    outside = []
    for joint, lower, upper in zip(limits.joints, limits.lower_rad, limits.upper_rad, strict=True):
        value = values.get(joint)
        # The controller allows as much, for what float32 cannot hold.
        if value is not None and max(lower - value, value - upper) > LIMIT_SLACK_RAD:
            outside.append(f'{joint} is {value:.4f} rad, limits {lower:g} to {upper:g}')
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
    return endpoint.name.startswith(WATCHERS) or endpoint.name in OUR_WATCHERS
