"""What a model is run on when the command line does not say."""

from __future__ import annotations

from pathlib import Path

from mmvae_controller.modality.contract import read_contract
from mmvae_controller.modality.shared_files import find_model

TASK, ROBOT = 'touch_target', 'iiwa_sim'


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
    collected = read_contract(find_model(model)).provenance.get('dataset')
    found = collected if isinstance(collected, dict) else {}
    if task is None:
        task = str(found.get('task', TASK))
    if robot is None:
        robot = Path(str(found.get('robot_file', ROBOT))).stem
    return task, robot
