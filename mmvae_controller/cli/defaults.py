"""What a model is run on when the command line does not say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmvae_controller.cli.errors import CliError
from mmvae_controller.modality.contract import read_contract
from mmvae_controller.modality.robot_file import load_robot, robot_checksum
from mmvae_controller.modality.shared_files import (
    DEFAULT_ROBOT,
    find_model,
    find_robot,
    shipped_models,
    shipped_robots,
    typed,
)

TASK, ROBOT = 'touch_target', DEFAULT_ROBOT


def task_and_robot(model: str, task: str | None, robot: str | None) -> tuple[str, str]:
    """Return both, where one is not given that with which the model's data was collected.

    Without a model they are `TASK` and `ROBOT`.

    Raises:
        CliError, ModalityError: There is no such model, or its robot is none that can be found.

    """
    if task is not None and robot is not None:
        return task, robot
    if not model:
        return task or TASK, robot or ROBOT
    collected = _collected_with(find_model(model))
    if task is None:
        task = str(collected.get('task', TASK))
    if robot is None:
        robot = _robot_of(model, collected)
    return task, robot


def _robot_of(model: str, collected: Mapping[str, Any]) -> str:
    """Return the robot of a model's data: one of the package, or a file here that says the same.

    A file that is only called alike may be another robot, or the same with other limits.

    Raises:
        CliError: Neither is there; it has to be named.

    """
    file = Path(str(collected.get('robot_file', f'{ROBOT}.yaml'))).name
    checksum = collected.get('robot_sha256')
    is_shipped = Path(file).stem in shipped_robots()
    # Data of older versions has no checksum, and their robots are those of the package.
    if is_shipped and checksum in (None, robot_checksum(find_robot(Path(file).stem))):
        return Path(file).stem
    if Path(file).is_file() and checksum == robot_checksum(Path(file)):
        return file
    if checksum is not None and Path(file).is_file():
        why = 'the one here says something else by now'
    else:
        why = f'that of the package {"says something else" if is_shipped else "is not it"}'
    raise CliError(
        f'{model}: its data was collected with {file}, {why}; name the robot: --robot FILE'
    )


def model_for(robot: str | None) -> str:
    """Return the model that a robot is meant to run, if none is named: of its data, for `TASK`.

    Of several else the first by name.

    Raises:
        CliError: None is of its data. Which fit is said, and none of them is taken: an arm must
            not be moved by what nobody chose for it.
        ModalityError: There is no such robot.

    """
    name = typed(find_robot(robot or ROBOT).absolute())
    fitting = {}
    for folder in shipped_models():
        collected = _collected_with(folder)
        if Path(str(collected.get('robot_file', ''))).stem == name:
            fitting[folder.name] = collected.get('task')
    if fitting:
        return min(sorted(fitting), key=lambda model: fitting[model] != TASK)
    raise CliError(
        f'no model of the package was trained on data of {robot}: give --model FOLDER; '
        f'{_fitting(robot)}'
    )


def _fitting(robot: str | None) -> str:
    """Say which models of the package have the senses and the command of a robot."""
    configured = load_robot(find_robot(robot or ROBOT))
    contracts = {folder.name: read_contract(folder) for folder in shipped_models()}
    fit = [name for name, contract in contracts.items() if not contract.misfits(configured)]
    return f'of the package fit {", ".join(fit)}' if fit else 'of the package none fits'


def _collected_with(folder: Path) -> dict[str, Any]:
    """Return what the data of a model was collected with; nothing if it was not collected."""
    collected = read_contract(folder).provenance.get('dataset')
    return collected if isinstance(collected, dict) else {}
