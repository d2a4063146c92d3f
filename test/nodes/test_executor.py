"""The executor serves what is urgent at once and forgets none of the rest."""

from __future__ import annotations

from collections.abc import Iterator
import math
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.executor import (  # noqa: E402
    LONG_S,
    LOOK_EVERY_S,
    PATIENCE_S,
    QUIET_S,
    REST_EVERY_S,
    Urgency,
    UrgentFirstExecutor,
)
import rclpy  # noqa: E402
from std_msgs.msg import Bool  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

CAMERAS = ('left', 'right', 'wrist')
SLOW_S = 0.01
TICK_S = 0.02
# For a message within one process.
ARRIVED_S = 0.05


@pytest.fixture
def node(domain: int):
    context = rclpy.Context()
    context.init(domain_id=domain)
    node = rclpy.create_node('served', context=context)
    yield node
    node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def asked(node: Any) -> dict[str, Any]:
    """Return the services `stop` and `other` of the node, with what each answered."""

    def answer(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        return response

    return {name: node.create_service(Trigger, name, answer) for name in ('stop', 'other')}


class Heard:
    """Two topics of the node, one of which is patient, and what came on them."""

    def __init__(self, node: Any) -> None:
        self.spare_s = 0.0
        self.now: list[str] = []
        self._out = {t: node.create_publisher(Bool, t, 1) for t in ('urgent', 'patient')}
        heard = {
            t: node.create_subscription(Bool, t, lambda _, t=t: self.now.append(t), 1)
            for t in self._out
        }
        self.urgency = Urgency((), {heard['patient']}, lambda: self.spare_s)

    def tell(self) -> None:
        """Say something on both, and wait until it can be heard."""
        for out in self._out.values():
            out.publish(Bool())
        time.sleep(ARRIVED_S)

    def after(self, executor: UrgentFirstExecutor, callbacks: int) -> list[str]:
        self.now.clear()
        self.tell()
        for _ in range(callbacks):
            executor.spin_once(timeout_sec=0.0)
        return self.now


@pytest.fixture
def heard(node: Any) -> Heard:
    return Heard(node)


@pytest.fixture
def executor(node: Any, heard: Heard) -> Iterator[UrgentFirstExecutor]:
    executor = UrgentFirstExecutor(node, heard.urgency)
    for _ in range(3):  # What a new node has to see to.
        executor.spin_once(timeout_sec=0.0)
    yield executor
    executor.shutdown()


def test_what_is_patient_waits_while_something_urgent_is_expected(
    executor: UrgentFirstExecutor, heard: Heard, monkeypatch: pytest.MonkeyPatch
):
    clock_s = [time.monotonic()]
    monkeypatch.setattr('mmvae_controller.nodes.executor.time.monotonic', lambda: clock_s[0])
    executor.spin_once(timeout_sec=0.0)
    assert heard.after(executor, 3) == ['urgent']
    clock_s[0] += LOOK_EVERY_S + PATIENCE_S
    executor.spin_once(timeout_sec=0.0)
    assert heard.now == ['urgent', 'patient']


@pytest.mark.parametrize('spare_s', [2 * QUIET_S, 2 * LONG_S, math.inf])
def test_what_is_patient_is_served_in_a_spare_moment_long_or_short(
    executor: UrgentFirstExecutor, heard: Heard, spare_s: float
):
    heard.spare_s = spare_s
    assert heard.after(executor, 1) == ['urgent', 'patient']


class Busy:
    """Three slow cameras, a joint sample, a tick and a stop that are all there at once."""

    def __init__(self, node: Any) -> None:
        self.did: list[str] = []
        self.spare_s = 2 * LONG_S
        self._out = {t: node.create_publisher(Bool, t, 1) for t in (*CAMERAS, 'joints')}
        heard = {t: node.create_subscription(Bool, t, self._hear(t), 1) for t in self._out}
        self._timer = node.create_timer(TICK_S, lambda: self._do('tick'))
        stop = node.create_service(Trigger, 'halt', lambda _, told: self._do('stop') or told)
        self._client = node.create_client(Trigger, 'halt')
        assert self._client.wait_for_service(timeout_sec=10)
        self.urgency = Urgency((stop,), {heard[t] for t in CAMERAS}, lambda: self.spare_s)

    def _hear(self, topic: str) -> Any:
        return lambda _: self._do(topic)

    def _do(self, what: str) -> None:
        if what in CAMERAS:
            time.sleep(SLOW_S)
        self.did.append(what)

    def all_at_once(self) -> None:
        for out in self._out.values():
            out.publish(Bool())
        self._client.call_async(Trigger.Request())
        time.sleep(TICK_S + ARRIVED_S)


def test_a_sample_a_tick_and_a_stop_come_before_every_picture(node: Any):
    busy = Busy(node)
    executor = UrgentFirstExecutor(node, busy.urgency)
    busy.all_at_once()
    while not {'joints', 'tick', 'stop', *CAMERAS} <= set(busy.did):
        executor.spin_once(timeout_sec=0.0)
    executor.shutdown()
    pictures = [busy.did.index(camera) for camera in CAMERAS]
    assert max(busy.did.index(what) for what in ('joints', 'tick', 'stop')) < min(pictures)


def test_between_two_pictures_a_stop_is_looked_for(node: Any):
    busy = Busy(node)
    executor = UrgentFirstExecutor(node, busy.urgency)
    busy.all_at_once()
    while not {'stop', *CAMERAS} <= set(busy.did):
        before = sum(what in CAMERAS for what in busy.did)
        executor.spin_once(timeout_sec=0.0)
        assert sum(what in CAMERAS for what in busy.did) <= before + 1
    executor.shutdown()


def test_what_takes_longer_than_the_spare_moment_waits_until_its_patience_is_over(node: Any):
    busy = Busy(node)
    executor = UrgentFirstExecutor(node, busy.urgency)
    busy.all_at_once()
    while not set(CAMERAS) <= set(busy.did):
        executor.spin_once(timeout_sec=0.0)
    busy.spare_s = SLOW_S / 2
    assert executor._spare_s() < 0
    busy.did.clear()
    busy.all_at_once()
    began_s = time.monotonic()
    while not set(CAMERAS) <= set(busy.did):
        executor.spin_once(timeout_sec=0.0)
        assert time.monotonic() - began_s < 20 * len(CAMERAS) * (PATIENCE_S + SLOW_S)
    executor.shutdown()


def test_a_spare_moment_is_not_outlasted(executor: UrgentFirstExecutor, heard: Heard):
    heard.spare_s = LONG_S + 2 * QUIET_S
    began_s = time.monotonic()
    executor.spin_once()
    assert time.monotonic() - began_s < REST_EVERY_S


@pytest.mark.parametrize('name', ['stop', 'other'])
def test_every_service_answers_soon_while_timers_keep_it_busy(
    node: Any, asked: dict[str, Any], name: str
):
    executor = UrgentFirstExecutor(node, Urgency([asked['stop']]))
    node.create_timer(0.002, lambda: None)
    client = node.create_client(Trigger, name)
    assert client.wait_for_service(timeout_sec=10)
    done = client.call_async(Trigger.Request())
    for _ in range(2000):
        executor.spin_once(timeout_sec=0.05)
        if done.done():
            break
    assert done.result().success
    executor.shutdown()


def test_what_is_asked_for_is_told_how_long_it_may_have_waited(node: Any, asked: dict[str, Any]):
    urgency = Urgency([asked['stop']])
    executor = UrgentFirstExecutor(node, urgency)
    waited_s: list[float] = []

    def answer(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        assert urgency.asked_since_s is not None
        waited_s.append(time.monotonic() - urgency.asked_since_s)
        return response

    node.create_service(Trigger, 'age', answer)
    client = node.create_client(Trigger, 'age')
    assert client.wait_for_service(timeout_sec=10)
    for stood_s in (0.0, 0.5):
        executor.spin_once(timeout_sec=0.0)
        done = client.call_async(Trigger.Request())
        time.sleep(stood_s)
        while not done.done():
            executor.spin_once(timeout_sec=0.05)
    assert waited_s[0] < 0.5 < waited_s[1]
    assert urgency.asked_since_s is None
    executor.shutdown()


def test_an_exception_of_a_callback_reaches_whoever_spins(node: Any):
    executor = UrgentFirstExecutor(node)

    def fail() -> None:
        raise ValueError('on purpose')

    node.create_timer(0.001, fail)

    def spin() -> None:
        for _ in range(100):
            executor.spin_once(timeout_sec=0.05)

    with pytest.raises(ValueError, match='on purpose'):
        spin()
    executor.shutdown()
