"""What a model is run on when the command line does not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmvae_controller.modality.contract import read_contract
from mmvae_controller.modality.shared_files import DEFAULT_ROBOT, find_model, shipped_models

TASK, ROBOT = 'touch_target', DEFAULT_ROBOT
MODEL = 'touch_target'


def task_and_robot(model: str, task: str | None, robot: str | None) -> tuple[str, str]:
    """Return both, where one is not given that with which the model's data was collected.

    Without a model they are `TASK` and `ROBOT`.

    Raises:
        CliError, ModalityError: There is no such model.

    """
    if task is not None and robot is not None:
        return task, robot
    if not model:
        return task or TASK, robot or ROBOT
    collected = _collected_with(find_model(model))
    if task is None:
        task = str(collected.get('task', TASK))
    if robot is None:
        robot = Path(str(collected.get('robot_file', ROBOT))).stem
    return task, robot


def model_for(robot: str | None) -> str:
    """Return the model that a robot is meant to run, if none is named: of its data, for `TASK`.

    Of several else the first by name; `MODEL` if none is of its data, for that to be refused or
    to fit.
    """
    fitting = {}
    for folder in shipped_models():
        collected = _collected_with(folder)
        if Path(str(collected.get('robot_file', ''))).stem == Path(robot or ROBOT).stem:
            fitting[folder.name] = collected.get('task')
    return next(iter(sorted(fitting, key=lambda name: fitting[name] != TASK)), MODEL)


def _collected_with(folder: Path) -> dict[str, Any]:
    """Return what the data of a model was collected with; nothing if it was not collected."""
    collected = read_contract(folder).provenance.get('dataset')
    return collected if isinstance(collected, dict) else {}
