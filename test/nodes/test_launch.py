"""The launch files: what they start has to exist, also where ROS 2's launch is not installed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
import importlib.util
from pathlib import Path
import re
import sys
from types import ModuleType
from typing import Any

from mmvae_controller.nodes.processes import DISCOVERY_RANGE
import pytest

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / 'launch'
NAMES = ['controller', 'goals', 'imitate', 'simulation']


def describe(name: str) -> Any:
    """Return the launch description of a file."""
    spec = importlib.util.spec_from_file_location(name, LAUNCH / f'{name}.launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description()


@pytest.mark.ros
@pytest.mark.parametrize('name', NAMES)
def test_a_launch_file_describes_what_to_launch(name: str):
    pytest.importorskip('launch_ros')
    arguments = {e.name for e in describe(name).entities if hasattr(e, 'default_value')}
    assert 'use_sim_time' in arguments


class Part:
    """Stands for anything of ROS 2's launch: remembers its kind and what it was given."""

    def __init__(self, kind: str, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.kind, self.given, self.named = kind, given, named

    def parts(self, kind: str) -> Iterator[Part]:
        """Yield the parts of a kind, here and inside."""
        if self.kind == kind:
            yield self
        for inside in (*self.given, *self.named.values()):
            yield from parts_of(inside, kind)


def parts_of(inside: Any, kind: str) -> Iterator[Part]:
    if isinstance(inside, Part):
        yield from inside.parts(kind)
    elif isinstance(inside, dict):
        yield from parts_of(list(inside.values()), kind)
    elif isinstance(inside, (list, tuple)):
        for one in inside:
            yield from parts_of(one, kind)


class Anything(ModuleType):
    """A module that has whatever is imported from it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        return lambda *given, **named: Part(name, given, named)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> dict[str, Part]:
    """Return what each launch file describes, without launch."""
    for package, modules in {
        'launch': ('actions', 'substitutions', 'launch_description_sources'),
        'launch_ros': ('actions', 'parameter_descriptions', 'substitutions'),
    }.items():
        for name in (package, *(f'{package}.{module}' for module in modules)):
            monkeypatch.setitem(sys.modules, name, Anything(name))
    return {name: describe(name) for name in NAMES}


def nodes_of(description: Part) -> list[Part]:
    return [*description.parts('Node'), *description.parts('LifecycleNode')]


def declared_parameters(node: str) -> set[str]:
    """Return the names that a node declares, and the one that every node has."""
    tree = ast.parse((ROOT / 'mmvae_controller' / 'nodes' / f'{node}.py').read_text())
    calls = [c for c in ast.walk(tree) if isinstance(c, ast.Call)]
    names = {c.args[1].value for c in calls if getattr(c.func, 'id', '') == 'declare'}
    return names | {'use_sim_time'}


def test_every_node_that_is_launched_is_installed_under_its_name(launched: dict[str, Part]):
    installed = set(re.findall(r"f'(\w+) = \{PACKAGE\}\.nodes", (ROOT / 'setup.py').read_text()))
    nodes = [node for description in launched.values() for node in nodes_of(description)]
    assert {n.named['executable'] for n in nodes} == installed
    assert all(n.named['name'] == n.named['executable'] for n in nodes)
    assert all(n.named['package'] == 'mmvae_controller' for n in nodes)


def test_every_parameter_that_is_given_is_declared_by_its_node(launched: dict[str, Part]):
    for description in launched.values():
        for node in nodes_of(description):
            (given,) = node.named['parameters']
            unknown = set(given) - declared_parameters(node.named['executable'])
            assert not unknown, f'{node.named["executable"]} declares no {unknown}'


def test_every_argument_that_is_used_is_declared(launched: dict[str, Part]):
    declared = {
        name: {d.given[0] for d in description.parts('DeclareLaunchArgument')}
        for name, description in launched.items()
    }
    declared['simulation'] |= declared['controller']  # It includes the other one.
    for name, description in launched.items():
        used = {u.given[0] for u in description.parts('LaunchConfiguration')}
        assert used <= declared[name]


def test_what_may_be_said_to_the_controller_may_be_said_to_its_launch_file(
    launched: dict[str, Part],
):
    arguments = {d.given[0] for d in launched['controller'].parts('DeclareLaunchArgument')}
    assert declared_parameters('controller') - arguments == {'observation_hz'}


def test_the_simulation_is_told_of_the_robot_that_the_controller_drives(
    launched: dict[str, Part],
):
    (simulated,) = nodes_of(launched['simulation'])
    (controlled, *_) = nodes_of(launched['controller'])[::-1]
    told = [n.named['parameters'][0]['robot_file'] for n in (simulated, controlled)]
    assert [next(t.parts('LaunchConfiguration')).given for t in told] == [('robot_file',)] * 2


def test_every_node_takes_its_time_from_the_same_topic_and_a_simulation_from_its_own(
    launched: dict[str, Part],
):
    for description in launched.values():
        for node in nodes_of(description):
            ((from_topic, to_topic),) = node.named['remappings']
            assert from_topic == '/clock'
            assert (to_topic.kind, to_topic.given) == ('LaunchConfiguration', ('clock',))
    defaults = {
        name: {d.given[0]: d.named['default_value'] for d in it.parts('DeclareLaunchArgument')}
        for name, it in launched.items()
    }
    assert {name: given['clock'] for name, given in defaults.items()} == {
        'controller': '/clock',
        'goals': '/clock',
        'imitate': 'clock',
        'simulation': 'clock',
    }


def test_a_simulation_stays_on_this_machine_unless_the_environment_says_otherwise(
    launched: dict[str, Part],
):
    given = [a.given for a in launched['simulation'].parts('SetEnvironmentVariable')]
    (value,) = [value for name, value in given if name == DISCOVERY_RANGE]
    assert value.given == (DISCOVERY_RANGE,)
    assert value.named == {'default_value': 'LOCALHOST'}
