"""The control benchmark runs a robot, its camera and both nodes as processes."""

from dataclasses import replace

import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from mmvae_controller.benchmarks import control  # noqa: E402
from mmvae_controller.benchmarks.errors import BenchmarkError  # noqa: E402
from mmvae_controller.benchmarks.loops import Body, run_node  # noqa: E402


def test_it_measures_latency_missed_ticks_and_processor_beside_the_echo():
    found = control.benchmark(True, lambda words: None).data()
    assert [f['name'].rpartition(':')[2].split(',')[0].strip() for f in found['figures']] == [
        'latency p99', 'latency p50', 'latency p99.9', 'missed', 'CPU',
    ]  # fmt: skip
    assert {f['beside_is'] for f in found['figures']} == {'bare echo'}
    latency, cpu = found['figures'][1], found['figures'][-1]
    # It answers, and more work than the echo's takes longer.
    assert latency['ours'] > latency['beside'] > 0
    assert cpu['ours'] > cpu['beside'] > 0


def test_a_node_that_never_commands_is_told_and_not_measured(monkeypatch):
    monkeypatch.setattr('mmvae_controller.benchmarks.loops.PATIENCE_S', 0.5)
    body = Body(('a',), (0.0,), 50.0)
    with pytest.raises(BenchmarkError, match=r'controller was not measured: no command'):
        run_node(['controller', '--ros-args', '-p', 'robot_file:=none'], body, None, 0.5)


def test_the_loads_are_those_of_the_specification():
    rates = {(load.rate_hz, load.camera) for load in control.LOADS}
    assert rates == {(200, (64, 64)), (200, None), (500, None), (200, (480, 640))}
    assert control.LOADS[0].seconds == 60
    assert replace(control.LOADS[0], seconds=1).name == control.LOADS[0].name
