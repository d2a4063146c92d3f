"""From facts gathered of a robot to findings and a verdict; needs no ROS 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmvae_controller.cli.check_command import judge_command, judge_limits, OURS
from mmvae_controller.cli.check_model import judge_model
from mmvae_controller.cli.check_senses import judge_sense
from mmvae_controller.cli.findings import as_data, Finding, Level
from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.check.facts import Facts

# Of the controller: where it is told what is wanted, if it is asked for a goal.
GOAL = 'goal'


# What is told of a sense that depends on how time passes.
TIMED = ('rate', 'delay')


@dataclass(frozen=True, slots=True)
class Given:
    """What was given beside the robot.

    Args:
        network: That is to control it; None if none was named.
        urdf: The text of a robot description; empty if none was named.
        acceleration_rad_s2: Goes with the URDF; 0 if not given.

    """

    network: Network | None = None
    urdf: str = ''
    acceleration_rad_s2: float = 0.0


def judge(robot: Robot, facts: Facts, given: Given) -> list[Finding]:
    """Return all findings, sense by sense, then of the command, the loop and the model."""
    step_s = robot.step_s if given.network is None else given.network.contract.step_s
    findings = [f for name in robot.sources for f in judge_sense(robot, name, facts, step_s)]
    if facts.clocks > 1:
        # Of a time that jumps: advice that follows from it would switch off what watches ages.
        findings = [f for f in findings if f.what not in TIMED]
    findings += judge_command(robot, facts)
    findings += judge_limits(robot, facts, given.urdf, given.acceleration_rad_s2)
    findings.append(_loop(robot, step_s))
    if robot.goal:
        findings.append(_goal(robot, facts))
    if facts.simulated:
        findings.append(_clock(facts))
    if given.network is not None:
        findings += judge_model(robot, given.network)
    # What is said of the anchor's limits stands with the rest of the anchor.
    places = list(dict.fromkeys(f.subject for f in findings))
    return sorted(findings, key=lambda f: places.index(f.subject))


def verdict(robot: Robot, findings: Sequence[Finding]) -> str:
    """Return in a sentence whether the robot is ready, and if not, what it would do."""
    missing = list(dict.fromkeys(f.subject for f in findings if f.level is Level.MISSING))
    if not missing:
        notes = sum(f.level is Level.NOTE for f in findings)
        noted = f', with {notes} note{"s" if notes > 1 else ""} above' if notes else ''
        return f'{robot.name} is ready{noted}.'
    holding = [name for name in missing if name in robot.required]
    optional = [name for name in missing if name in robot.sources and name not in robot.required]
    sentences = [f'{robot.name} is not ready: see {", ".join(missing)}.']
    if holding:
        sentences.append(f'Without {", ".join(holding)} the arm holds.')
    elif optional == missing:
        sentences.append(f'The arm would move, without {", ".join(optional)}.')
    return ' '.join(sentences)


def document(robot: Robot, facts: Facts, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return all of it as plain data."""
    return {
        'robot': robot.name,
        'namespace': facts.namespace,
        'seconds': facts.seconds,
        'time_factor': facts.time_factor,
        'verdict': verdict(robot, findings),
        'ready': not any(f.level is Level.MISSING for f in findings),
        'findings': as_data(findings),
        'measured': {
            name: {
                'topic': sense.topic,
                'received': sense.heard.received,
                'refused': sense.heard.refused,
                'rate_hz': sense.heard.rate_hz,
                'longest_gap_s': sense.heard.longest_gap_s,
                'late_s': sense.heard.late_s,
                'masked_share': sense.heard.masked_share,
                'delay_s': sense.heard.delay_s,
                'delay_pace': sense.heard.delay_pace,
                'waited_s': sense.heard.waited_s,
                'contrast': sense.heard.contrast,
            }
            for name, sense in facts.senses.items()
        },
    }


def _loop(robot: Robot, step_s: float) -> Finding:
    message = (
        f'{robot.rate_hz:g} Hz, watchdog_s {robot.watchdog_s:g}, step_s {step_s:g}'
        f'{f", driven by {robot.trigger}" if robot.trigger else ""}'
    )
    if step_s * robot.rate_hz < 1:
        return Finding(
            'control',
            'loop',
            Level.NOTE,
            f'{message}: a step is shorter than a period',
            f'raise `rate_hz` to {1 / step_s:.0f} or more',
        )
    return Finding('control', 'loop', Level.OK, message)


def _goal(robot: Robot, facts: Facts) -> Finding:
    topic = f'{facts.inside}/{OURS}/{GOAL}'
    if topic in facts.published:
        return Finding('control', 'goal', Level.OK, f'{topic} is published')
    return Finding(
        'control',
        'goal',
        Level.NOTE,
        f'nobody publishes {topic} yet: the arm holds until it says what {robot.goal} is wanted',
        f'publish {robot.sources[robot.goal].message} there, as the node `goals` does',
    )


def _clock(facts: Facts) -> Finding:
    if facts.clocks > 1:
        return Finding(
            'control',
            'clock',
            Level.MISSING,
            f'{facts.clocks} publish simulated time, and it jumps: no rate or delay is told',
            'end all but one, or give each a namespace with a clock of its own: `mmvae up '
            '--simulation --namespace`',
        )
    if facts.time_factor is None:
        return Finding(
            'control',
            'clock',
            Level.NOTE,
            'somebody publishes simulated time, and it stands',
            'is the simulation paused? With use_sim_time the controller waits for it',
        )
    return Finding(
        'control',
        'clock',
        Level.OK,
        f'simulated time, {facts.time_factor:.2f} s of it in a real second; rates and gaps above '
        'are in it',
    )
