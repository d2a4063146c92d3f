"""What diagnostic_aggregator makes of the statuses, by the rules of its GenericAnalyzer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.nodes.controller import ControllerNode  # noqa: E402
from mmvae_controller.nodes.diagnostics import DiagnosticsNode  # noqa: E402
from mmvae_controller.nodes.simulation import SimulationNode  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

FILE = Path(__file__).parents[2] / 'config' / 'analyzers.yaml'
GENERIC, GROUP = (f'diagnostic_aggregator/{n}' for n in ('GenericAnalyzer', 'AnalyzerGroup'))
PARTS = {
    'controller: loop': ['Controller/Loop'],
    'controller: gate': ['Controller/Gate'],
    **{f'controller: input {n}': ['Controller/Inputs'] for n in ('camera', 'joints', 'touch')},
    'diagnostics: model': ['Model'],
    **{f'diagnostics: sense {n}': ['Senses'] for n in ('camera', 'joints', 'touch', 'motor')},
    'simulation: episode': ['Simulation'],
    **{f'{n}: peers': ['Nodes'] for n in ('controller', 'diagnostics', 'simulation')},
}
KEYS = {'type', 'path', 'regex', 'timeout', 'discard_stale'}


def generic(data: dict[str, Any], path: str = '') -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the parameters of each analyzer that claims statuses."""
    for value in data.values():
        if not isinstance(value, dict):
            continue
        below = f'{path}{value["path"]}'
        if value['type'] == GROUP:
            yield from generic(value['analyzers'], f'{below}/')
        else:
            assert value['type'] == GENERIC
            yield below, value


@pytest.fixture(scope='module')
def analyzers() -> dict[str, dict[str, Any]]:
    data = yaml.safe_load(FILE.read_text(encoding='utf-8'))
    return dict(generic(data['analyzers']['ros__parameters']))


def claims(analyzers: dict[str, dict[str, Any]], name: str) -> list[str]:
    """Return who claims a status: a GenericAnalyzer's regular expressions match all of a name."""
    return [p for p, a in analyzers.items() if any(re.fullmatch(r, name) for r in a['regex'])]


def test_every_analyzer_has_the_types_that_the_aggregator_reads(
    analyzers: dict[str, dict[str, Any]],
):
    for analyzer in analyzers.values():
        assert set(analyzer) <= KEYS
        # As a whole number it would be another type of parameter, and end the aggregator.
        assert isinstance(analyzer['timeout'], float)
        assert isinstance(analyzer['regex'], list)


@pytest.mark.parametrize('namespace', ['', 'left', 'cell/left'])
def test_every_status_that_the_nodes_publish_is_claimed_once(
    analyzers: dict[str, dict[str, Any]],
    peer: Any,
    robot_file: Path,
    model: Path,
    namespace: str,
):
    heard = peer.listen(DiagnosticArray, '/diagnostics')
    options = {'context': peer.context, 'namespace': namespace}
    given = [Parameter('model', value=str(model))]
    controller = ControllerNode(
        parameter_overrides=[*given, Parameter('robot_file', value=str(robot_file))], **options
    )
    peer.add(controller).start()
    peer.add(DiagnosticsNode(parameter_overrides=given, **options))
    peer.add(SimulationNode(**options))

    def names() -> set[str]:
        return {s.name for m in heard for s in m.status}

    before = f'{namespace}/' if namespace else ''
    peer.until(lambda: len(names()) >= len(PARTS), 'every status')
    assert {n: claims(analyzers, n) for n in names()} == {
        f'{before}{name}': by for name, by in PARTS.items()
    }


def test_a_status_of_somebody_else_is_left_to_others(analyzers: dict[str, dict[str, Any]]):
    for name in ('joint_controller: loop', 'controller_manager: input', 'my diagnostics: model'):
        assert claims(analyzers, name) == []
