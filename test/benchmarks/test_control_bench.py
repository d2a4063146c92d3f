"""The control benchmark runs a robot, its camera and both nodes as processes."""

import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from mmvae_controller.benchmarks import control  # noqa: E402
from mmvae_controller.benchmarks.errors import BenchmarkError  # noqa: E402
from mmvae_controller.benchmarks.loops import Body, run_node  # noqa: E402


@pytest.fixture(autouse=True)
def early_domains(monkeypatch):
    # 1 to 9, which other tests do not take.
    monkeypatch.setattr('mmvae_controller.benchmarks.loops.DOMAINS', 9)


def test_it_measures_latency_missed_ticks_and_processor_beside_the_echo():
    found = control.benchmark(True, lambda words: None).data()
    assert [f['name'].rpartition(':')[2].split(',')[0].strip() for f in found['figures']] == [
        'latency p99', 'latency p50', 'latency p99.9', 'missed', 'CPU',
    ]  # fmt: skip
    assert {f['beside_is'] for f in found['figures']} == {'bare echo'}
    latency = found['figures'][1]
    assert latency['ours'] > 0
    assert latency['beside'] > 0
    # With pictures that it believes the arm moves, or the gate's work would not be measured.
    assert found['settings']['commands that moved the arm']['200 Hz, camera 64x64'] > 0


def test_a_node_that_never_commands_is_told_and_not_measured(monkeypatch):
    monkeypatch.setattr('mmvae_controller.benchmarks.loops.PATIENCE_S', 0.5)
    body = Body(('a',), (0.0,), 50.0)
    with pytest.raises(BenchmarkError, match=r'controller was not measured: no command'):
        run_node(['controller', '--ros-args', '-p', 'robot_file:=none'], body, None, 0.5)


def test_the_loads_are_those_of_the_specification():
    rates = {(load.rate_hz, load.camera) for load in control.LOADS}
    assert rates == {(200, (64, 64)), (200, None), (500, None), (200, (480, 640))}
    assert control.LOADS[0].seconds == 60
