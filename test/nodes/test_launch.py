"""The launch files, where ROS 2's launch is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

LAUNCH = Path(__file__).parents[2] / 'launch'


@pytest.mark.ros
@pytest.mark.parametrize('name', ['controller', 'simulation'])
def test_a_launch_file_describes_what_to_launch(name: str):
    pytest.importorskip('launch_ros')
    spec = importlib.util.spec_from_file_location(name, LAUNCH / f'{name}.launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    entities = module.generate_launch_description().entities
    arguments = {e.name for e in entities if hasattr(e, 'default_value')}
    assert 'use_sim_time' in arguments
