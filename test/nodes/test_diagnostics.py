"""The diagnostics node: live curves, and silence instead of old numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mmvae_controller.modality.observation import empty_values, everything_known, Observation
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.nodes.diagnostics import DiagnosticsNode  # noqa: E402
from mmvae_controller.nodes.pointcloud import observation_message  # noqa: E402
from mmvae_controller.nodes.qos import REPORT  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image, PointCloud2  # noqa: E402
from std_msgs.msg import Float32MultiArray, Float64, Float64MultiArray  # noqa: E402

STALE = b'\x03'


class Watch:
    """A diagnostics node and somebody who sends it observations."""

    def __init__(self, peer: Any, model: Path, **parameters: Any) -> None:
        self.peer = peer
        self.modalities = peer.robot.modalities
        self.diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
        self.out = peer.node.create_publisher(PointCloud2, 'controller/observation', REPORT)
        self.node = peer.add(
            DiagnosticsNode(
                context=peer.context,
                parameter_overrides=[
                    Parameter(n, value=v) for n, v in {'model': str(model), **parameters}.items()
                ],
            )
        )

    def observe(self) -> Any:
        """Send observations from now on; the timer that is returned can be cancelled."""
        known = everything_known(self.modalities)
        values = empty_values(self.modalities)
        values['camera'][:] = 7
        observation = Observation(5, values, known, np.zeros(known.shape, dtype=np.float32))
        message = observation_message(observation, self.modalities, 5)
        return self.peer.node.create_timer(0.02, lambda: self.out.publish(message))

    def status(self, name: str) -> Any:
        statuses = self.diagnostics[-1].status if self.diagnostics else []
        return next((s for s in statuses if s.name == f'diagnostics: {name}'), None)

    def until_level(self, name: str, level: bytes) -> Any:
        self.peer.until(
            lambda: self.status(name) is not None and self.status(name).level == level,
            f'{name} to have level {level!r}',
        )
        return self.status(name)


@pytest.fixture
def watch(peer: Any, model: Path) -> Any:
    return lambda **parameters: Watch(peer, model, **parameters)


def test_without_observations_it_is_stale_and_publishes_no_number(watch: Any):
    it = watch()
    curve = it.peer.listen(Float64, 'importance/precision_loss_own/camera')
    assert it.until_level('importance camera', STALE).message == 'no observation yet'
    assert it.until_level('model', STALE).values[0].value == 'small'
    assert curve == []


def test_every_curve_is_published_and_finite(watch: Any):
    it = watch(rate_hz=30.0)
    topics = [
        f'importance/{measure}/{modality.name}'
        for modality in it.modalities
        for measure in ('single_error_own', 'precision_loss_all', 'precision_loss_command')
    ]
    curves = {t: it.peer.listen(Float64, t) for t in topics}
    matrix = it.peer.listen(Float64MultiArray, 'importance/matrix')
    it.observe()
    it.peer.until(lambda: matrix and all(curves.values()), 'every curve')
    assert all(math.isfinite(m.data) for c in curves.values() for m in c)
    assert [d.size for d in matrix[-1].layout.dim] == [4, 4]
    assert matrix[-1].layout.dim[0].label == 'without: camera, joints, touch, motor'
    values = {v.key for v in it.until_level('importance touch', b'\x00').values}
    assert {'known at t', 'precision_loss_command nats'} <= values


def test_predictions_are_published_for_who_listens(watch: Any):
    it = watch(rate_hz=30.0)
    pictures = it.peer.listen(Image, 'diagnostics/prediction/camera')
    joints = it.peer.listen(Float32MultiArray, 'diagnostics/prediction/joints')
    it.observe()
    it.peer.until(lambda: pictures and joints, 'predictions')
    assert pictures[-1].encoding == 'rgb8'
    assert set(pictures[-1].data) == {7}
    assert [d.label for d in joints[-1].layout.dim] == [
        'statistic: mean, std',
        'time: t-dt, t',
        'channel: left, right',
    ]
    assert list(joints[-1].data) == [0.0] * 4 + [1.0] * 4


def test_when_observations_end_the_curves_end_too(watch: Any):
    it = watch(rate_hz=30.0)
    curve = it.peer.listen(Float64, 'importance/precision_loss_own/camera')
    timer = it.observe()
    it.peer.until(lambda: curve, 'the curve')
    timer.cancel()
    status = it.until_level('importance camera', STALE)
    assert status.message == 'no observation for 1 s'
    assert status.values == []
    count = len(curve)
    heard = len(it.diagnostics)
    it.peer.until(lambda: len(it.diagnostics) > heard + 1, 'more diagnostics')
    assert len(curve) == count


def test_a_measure_that_is_not_finite_is_not_published(
    watch: Any, monkeypatch: pytest.MonkeyPatch
):
    it = watch(rate_hz=30.0)
    evaluate = it.node._importance.evaluate

    def spoil(observation: Observation) -> Any:
        result = evaluate(observation)
        result.measures['precision_loss_own']['camera'] = math.nan
        result.without[0, 0] = math.nan
        return result

    monkeypatch.setattr(it.node._importance, 'evaluate', spoil)
    spoilt = it.peer.listen(Float64, 'importance/precision_loss_own/camera')
    sound = it.peer.listen(Float64, 'importance/precision_loss_own/touch')
    matrix = it.peer.listen(Float64MultiArray, 'importance/matrix')
    it.observe()
    it.peer.until(lambda: len(sound) > 3, 'the sound curve')
    assert spoilt == []
    assert matrix == []


def test_an_observation_of_another_robot_is_rejected_and_told(watch: Any):
    it = watch(rate_hz=30.0)
    known = everything_known(it.modalities[1:])
    observation = Observation(
        5, empty_values(it.modalities[1:]), known, np.zeros(known.shape, dtype=np.float32)
    )
    message = observation_message(observation, it.modalities[1:], 5)
    it.peer.node.create_timer(0.02, lambda: it.out.publish(message))
    it.peer.until(
        lambda: 'observation rejected: fields' in getattr(it.status('model'), 'message', ''),
        'the rejection',
    )
