"""The diagnostics node: live curves, and silence instead of old numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import empty_values, everything_known, Observation
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue  # noqa: E402
from mmvae_controller.nodes.diagnostics import DiagnosticsNode  # noqa: E402
from mmvae_controller.nodes.wire.pointcloud import observation_message  # noqa: E402
from mmvae_controller.nodes.wire.qos import REPORT  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image, PointCloud2  # noqa: E402
from std_msgs.msg import Float32MultiArray, Float64, Float64MultiArray  # noqa: E402

OK, WARN, ERROR, STALE = b'\x00', b'\x01', b'\x02', b'\x03'


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

    def observe(self, missing: str = '') -> Any:
        """Send observations from now on; the timer that is returned can be cancelled."""
        known = everything_known(self.modalities)
        known[[m.name == missing for m in self.modalities]] = False
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
    assert it.until_level('sense camera', STALE).message == 'no observation yet'
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
    values = {v.key for v in it.until_level('sense touch', OK).values}
    assert {'state', 'precision_loss_command nats'} <= values


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
    status = it.until_level('sense camera', STALE)
    assert status.message == 'no observation for 1 s'
    assert [v.key for v in status.values] == ['rate_hz', 'health']
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
    status = it.until_level('model', ERROR)
    assert status.message == (
        'what the network answers cannot be measured: camera is not finite; '
        'mmvae explain model-is-damaged'
    )


def test_a_broken_answer_of_one_sense_alone_is_told_and_not_shown_as_a_missing_sense(
    watch: Any, monkeypatch: pytest.MonkeyPatch
):
    it = watch(rate_hz=30.0)
    evaluate = it.node._importance.evaluate

    def spoil(observation: Observation) -> Any:
        result = evaluate(observation)
        result.alone[0] = math.nan
        result.measures['single_error_all']['camera'] = math.nan
        return result

    monkeypatch.setattr(it.node._importance, 'evaluate', spoil)
    alone = it.peer.listen(Float64MultiArray, 'importance/matrix_alone')
    without = it.peer.listen(Float64MultiArray, 'importance/matrix')
    it.observe()
    it.peer.until(lambda: len(without) > 3, 'the sound matrix')
    assert alone == []
    assert 'camera' in it.until_level('model', ERROR).message


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


def test_raw_curves_and_the_other_matrix_are_published_too(watch: Any):
    it = watch(rate_hz=30.0)
    raw = it.peer.listen(Float64, 'importance_raw/precision_loss_command/camera')
    error = it.peer.listen(Float64, 'importance_raw/single_error_own/touch')
    other = it.peer.listen(Float64, 'importance/precision_loss_command/touch')
    alone = it.peer.listen(Float64MultiArray, 'importance/matrix_alone')
    it.observe(missing='touch')
    it.peer.until(lambda: len(raw) > 3 and other and alone, 'curves and matrix')
    # Of a sense that is missing there is nothing to be measured alone, and nothing to lose.
    assert error == []
    assert other[-1].data == 0
    assert alone[-1].layout.dim[0].label == 'alone: camera, joints, touch, motor'
    assert alone[-1].layout.dim[1].label == 'explains: camera, joints, touch, motor'
    rows = np.array(alone[-1].data).reshape(4, 4)
    assert np.isnan(rows).tolist() == [[False] * 4, [False] * 4, [True] * 4, [False] * 4]


def test_the_picture_is_shown_as_the_model_sees_it_black_where_masked(watch: Any):
    it = watch(rate_hz=30.0)
    seen = it.peer.listen(Image, 'diagnostics/seen/camera')
    timer = it.observe()
    it.peer.until(lambda: seen, 'the picture')
    assert set(seen[-1].data) == {7}
    timer.cancel()
    it.observe(missing='camera')
    it.peer.until(lambda: set(seen[-1].data) == {0}, 'a black picture')


def test_a_sense_that_is_missing_warns_and_then_is_an_error(watch: Any):
    it = watch(rate_hz=30.0, error_after_s=0.5)
    it.observe(missing='touch')
    status = it.until_level('sense touch', WARN)
    assert 'masked' in status.message
    assert status.values[0].value == 'masked'
    it.until_level('sense touch', ERROR)
    assert it.status('sense camera').level == OK


def test_the_controllers_word_about_an_input_is_heard_under_the_name_of_its_topic(watch: Any):
    it = watch(rate_hz=30.0, observation_topic='/left/brain/observation')
    it.out = it.peer.node.create_publisher(PointCloud2, '/left/brain/observation', REPORT)
    words = it.peer.node.create_publisher(DiagnosticArray, '/diagnostics', REPORT)
    word = DiagnosticStatus(
        name='left/brain: input camera',
        level=WARN,
        message='no contrast: masked',
        values=[KeyValue(key='rate_hz', value='20')],
    )
    other = DiagnosticStatus(name='controller: input touch', level=WARN, message='another robot')
    it.observe()
    it.peer.node.create_timer(0.1, lambda: words.publish(DiagnosticArray(status=[word, other])))
    # The status of the peer itself is no message of the node.
    it.peer.until(
        lambda: any(
            s.name == 'diagnostics: sense camera' and s.level == WARN
            for m in it.diagnostics
            for s in m.status
        ),
        'the warning',
    )
    told = [s for m in it.diagnostics for s in m.status if s.name.startswith('diagnostics: sense')]
    camera = next(s for s in told[::-1] if s.name.endswith('camera'))
    assert camera.message == 'known; controller: no contrast: masked'
    values = {v.key: v.value for v in camera.values}
    assert (values['rate_hz'], values['health']) == ('20', 'WARN: no contrast: masked')
    assert all(s.level != WARN for s in told if s.name.endswith('touch'))


def test_an_answer_that_cannot_be_measured_is_an_error_and_no_number_is_shown(
    watch: Any, monkeypatch: pytest.MonkeyPatch
):
    it = watch(rate_hz=30.0)

    def refuse(observation: Observation) -> Any:
        raise ImportanceError('camera: standard deviation nan, expected above 0')

    curve = it.peer.listen(Float64, 'importance/precision_loss_own/touch')
    it.observe()
    it.peer.until(lambda: curve, 'the curve')
    monkeypatch.setattr(it.node._importance, 'evaluate', refuse)
    status = it.until_level('model', ERROR)
    assert 'camera: standard deviation nan' in status.message
    count = len(curve)
    heard = len(it.diagnostics)
    it.peer.until(lambda: len(it.diagnostics) > heard + 1, 'more diagnostics')
    assert len(curve) == count
    assert all('nats' not in v.key for v in it.status('sense touch').values)


def test_a_model_of_one_modality_is_refused(peer: Any, lonely_model: Path):
    with pytest.raises(ModalityError, match="model 'small' has one modality, motor"):
        Watch(peer, lonely_model)


@pytest.mark.parametrize('bad', [0.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize('name', ['rate_hz', 'stale_s', 'error_after_s'])
def test_a_duration_of_nothing_or_for_ever_is_refused(watch: Any, name: str, bad: float):
    with pytest.raises(ModalityError, match=f'parameter {name} is {bad}, expected above 0'):
        watch(**{name: bad})


@pytest.mark.parametrize('bad', [-0.1, math.inf, math.nan])
def test_a_smoothing_that_smooths_for_ever_or_backwards_is_refused(watch: Any, bad: float):
    with pytest.raises(ModalityError, match=f'parameter smoothing_s is {bad}, expected 0 or'):
        watch(smoothing_s=bad)


@pytest.mark.parametrize(
    ('rate_hz', 'stale_s', 'expected'), [(0.2, 1.0, '1 '), (1.0, 0.1, '10 '), (2000.0, 1.0, '1 ')]
)
def test_a_rate_at_which_all_would_be_stale_or_nothing_would_rest_is_refused(
    watch: Any, rate_hz: float, stale_s: float, expected: str
):
    text = rf'parameter rate_hz is {rate_hz}, expected {expected}\(1 / stale_s\) to 1000$'
    with pytest.raises(ModalityError, match=text):
        watch(rate_hz=rate_hz, stale_s=stale_s)


def test_nothing_is_hidden_unless_it_is_asked_for(watch: Any):
    it = watch()
    assert it.node.get_parameter('raise_after_s').value == 0


def test_a_level_of_another_controller_that_does_not_exist_is_an_error_of_its_sender(watch: Any):
    it = watch(rate_hz=30.0)
    words = it.peer.node.create_publisher(DiagnosticArray, '/diagnostics', REPORT)
    word = DiagnosticStatus(name='controller: input camera', level=b'\x07', message='odd')
    it.observe()
    it.peer.node.create_timer(0.1, lambda: words.publish(DiagnosticArray(status=[word])))

    def health() -> str:
        status = it.status('sense camera')
        return '' if status is None else {v.key: v.value for v in status.values}['health']

    it.peer.until(lambda: health() == 'ERROR: odd', 'the word')


@pytest.mark.parametrize('missing', ['touch', 'camera'])
def test_a_curve_is_at_once_what_it_is_when_its_sense_is_lost_and_when_it_is_back(
    watch: Any, monkeypatch: pytest.MonkeyPatch, missing: str
):
    it = watch(rate_hz=50.0, smoothing_s=60.0)
    evaluate = it.node._importance.evaluate
    nats = iter(range(1000, 10_000))

    def measure(observation: Observation) -> Any:
        result = evaluate(observation)
        present = result.known[[n == missing for n in result.modalities]].any()
        for measure in MEASURES:
            result.measures[measure][missing] = float(next(nats)) if present else 0.0
        return result

    monkeypatch.setattr(it.node._importance, 'evaluate', measure)
    topic = f'precision_loss_command/{missing}'
    raw, smooth = (
        it.peer.listen(Float64, f'{f}/{topic}') for f in ('importance_raw', 'importance')
    )
    seen: list[int] = []
    for gone in ('', missing, ''):
        seen.append(len(smooth))
        timer = it.observe(missing=gone)
        it.peer.until(lambda: len(smooth) > seen[-1] + 9 and len(raw) == len(smooth), 'a curve')
        timer.cancel()
    pairs = [(r.data, s.data) for r, s in zip(raw, smooth, strict=True)]
    lost = next(i for i, (r, _) in enumerate(pairs) if r == 0)
    back = next(i for i, (r, _) in enumerate(pairs) if r > 0 and i > lost)
    assert all(pair == (0, 0) for pair in pairs[lost:back])
    assert pairs[back][0] == pairs[back][1]
    # In between it is smooth.
    assert pairs[lost - 1][1] < pairs[lost - 1][0]


def test_a_hysteresis_of_less_than_nothing_is_refused(watch: Any):
    with pytest.raises(ModalityError, match=r'parameter clear_after_s is -1\.0'):
        watch(clear_after_s=-1.0)
