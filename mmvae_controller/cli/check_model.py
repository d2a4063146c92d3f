"""Judges whether a model fits a robot, and whether it was calibrated on it."""

from __future__ import annotations

from collections.abc import Iterator

from mmvae_controller.cli.findings import Finding, Level
from mmvae_controller.control.comparison import how_to_calibrate, read_comparison, SOUND_FILE
from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot import Robot


def judge_model(robot: Robot, network: Network) -> Iterator[Finding]:
    """Say what keeps a model from running on a robot, and what it lacks there.

    Raises:
        ControlError, ModalityError: What was measured of the model is damaged.

    """
    contract = network.contract
    name = f'model {contract.name}'
    misfits = contract.misfits(robot)
    for misfit in misfits:
        yield Finding(
            name, 'fit', Level.MISSING, misfit, 'correct the robot YAML, or take another model'
        )
    if misfits:
        return
    yield Finding(name, 'fit', Level.OK, f'has the senses and the command of {robot.name}')
    if network.differs:
        yield Finding(name, 'answers', Level.NOTE, network.differs, 'run `mmvae doctor`')
    comparison = read_comparison(network)
    if comparison is None:
        yield Finding(
            name,
            'calibration',
            Level.NOTE,
            f'it has no {SOUND_FILE}: no lying sense is found',
            how_to_calibrate(network.folder, robot),
        )
    elif elsewhere := comparison.elsewhere(robot):
        yield Finding(
            name,
            'calibration',
            Level.NOTE,
            elsewhere,
            how_to_calibrate(network.folder, robot),
        )
    else:
        yield Finding(name, 'calibration', Level.OK, f'measured on {robot.name}')
    if contract.step_s != robot.step_s:
        yield Finding(
            name,
            'step_s',
            Level.NOTE,
            f'{contract.step_s:g} s, the robot YAML says {robot.step_s:g}',
            'the one of the model counts; data that is recorded takes the other',
        )
    else:
        yield Finding(name, 'step_s', Level.OK, f'{contract.step_s:g} s, as the robot YAML')
