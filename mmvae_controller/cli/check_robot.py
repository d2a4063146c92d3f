"""`mmvae check-robot`: does the graph have what a robot YAML says? Only listens."""

from __future__ import annotations

from contextlib import closing
import os
from pathlib import Path
import sys
import time

from mmvae_controller.cli.check_judging import document, Given, judge, verdict
from mmvae_controller.cli.files import require_place, write_json
from mmvae_controller.cli.findings import exit_code, show
from mmvae_controller.cli.progress import Bar
from mmvae_controller.cli.top import VARIABLES
from mmvae_controller.cli.up import read_description
from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.nodes.check.facts import Facts
from mmvae_controller.nodes.check.gathering import Gatherer
from mmvae_controller.nodes.signals import Leaving
from rich.console import Console

LOOK_S = 0.1


def run(
    robot: str,
    model: str | None,
    namespace: str,
    seconds: float,
    urdf: Path | None,
    acceleration_rad_s2: float,
    json: Path | None,
) -> int:
    """Listen, judge and tell.

    Args:
        robot: YAML file, or the name of one.
        model: That is to control it, folder or name; None: only the robot is checked.
        namespace: Of the robot.
        seconds: How long to listen.
        urdf: Where limits come from if the YAML has none.
        acceleration_rad_s2: Goes with it; 0 if not given.
        json: Where to write the findings as well.

    Returns:
        The exit code: 0 if the robot is ready, 1 if something is missing.

    Raises:
        CliError: The URDF cannot be read, or the JSON not be written.
        ControlError, ModalityError: Robot or model is not there or damaged.
        NamespaceError: The namespace cannot be one.
        KeyboardInterrupt: Told to leave.

    """
    configured = load_robot(find_robot(robot))
    network = None if model is None else Network(find_model(model))
    description = '' if urdf is None else read_description(urdf)
    given = Given(network, description, acceleration_rad_s2)
    if json is not None:
        require_place(json)
    facts = _gather(configured, namespace, seconds)
    findings = judge(configured, facts, given)
    said = verdict(configured, findings)
    place = ', '.join(f'{k}={os.environ.get(k, v)}' for k, v in VARIABLES.items())
    where = f'{configured.name} in namespace {facts.namespace}'
    title = f'{where}, {facts.seconds:.1f} s listened, {place}'
    show(findings, title, said)
    if json is not None:
        write_json(json, document(configured, facts, findings))
    return exit_code(findings)


def _gather(robot: Robot, namespace: str, seconds: float) -> Facts:
    place = f'/{namespace.strip("/")}'
    with Leaving() as leaving, closing(Gatherer(robot, namespace)) as gatherer:
        # Beside the findings, which somebody may read from a pipe.
        print(
            f'Listening to {robot.name} in {place} for {seconds:g} s', file=sys.stderr, flush=True
        )
        began_s = time.monotonic()
        with Bar(Console(stderr=True)) as bar:
            bar.live.transient = True
            heard = bar.add_task('listening, s', total=round(seconds))
            while (passed_s := time.monotonic() - began_s) < seconds:
                gatherer.spin(min(seconds - passed_s, LOOK_S))
                bar.update(heard, completed=int(passed_s))
                if leaving.asked:
                    raise KeyboardInterrupt
        return gatherer.facts()
