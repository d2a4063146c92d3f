"""The wait of our nodes: what is there is told, and what is no sample is left to others."""

from __future__ import annotations

from collections.abc import Iterator
import time
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.waiting import Ready, Waiting  # noqa: E402
import rclpy  # noqa: E402
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor  # noqa: E402
from std_msgs.msg import Bool  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

SHORT_S = 0.05
NOTHING = Ready((), (), False)


@pytest.fixture
def node(domain: int) -> Iterator[Any]:
    context = rclpy.Context()
    context.init(domain_id=domain)
    node = rclpy.create_node('waits', context=context, start_parameter_services=False)
    yield node
    node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def executor(node: Any) -> Iterator[SingleThreadedExecutor]:
    executor = SingleThreadedExecutor(context=node.context)
    yield executor
    executor.shutdown()


@pytest.fixture
def waiting(node: Any, executor: SingleThreadedExecutor) -> Waiting:
    return Waiting(node.context, executor._guard, executor._take_subscription)


def test_every_sample_that_is_there_is_told_and_called_back_with_once(node: Any, waiting: Waiting):
    heard: list[str] = []
    out = {topic: node.create_publisher(Bool, topic, 1) for topic in ('one', 'two')}
    told = (
        node.create_subscription(Bool, 'one', lambda message: heard.append('one'), 1),
        node.create_subscription(Bool, 'two', lambda message, info: heard.append('two'), 1),
    )
    for publisher in out.values():
        publisher.publish(Bool())
    time.sleep(SHORT_S)
    assert waiting.wait(node, 1.0) == Ready(told, (), False)
    for subscription in told * 2:
        waiting.call_back(subscription)
    assert heard == ['one', 'two']
    assert waiting.wait(node, 0.0) == NOTHING


def test_a_timer_and_a_service_are_told_and_left_to_others(node: Any, waiting: Waiting):
    called: list[str] = []
    timer = node.create_timer(SHORT_S, lambda: called.append('timer'))
    assert waiting.wait(node, None) == Ready((), (timer,), False)
    node.destroy_timer(timer)
    service = node.create_service(Trigger, 'ask', lambda _, told: called.append('asked') or told)
    client = node.create_client(Trigger, 'ask')
    assert client.wait_for_service(5.0)
    client.call_async(Trigger.Request())
    assert waiting.wait(node, 5.0) == Ready((), (), True)
    node.destroy_service(service)
    assert waiting.wait(node, 0.0) == NOTHING
    assert called == []


def test_a_wait_for_nothing_ends_in_time_or_when_it_is_woken_up(
    node: Any, waiting: Waiting, executor: SingleThreadedExecutor
):
    began_s = time.monotonic()
    assert waiting.wait(node, SHORT_S) == NOTHING
    assert SHORT_S / 2 < time.monotonic() - began_s < 20 * SHORT_S
    executor.wake()
    empty = SimpleNamespace(subscriptions=(), timers=(), services=())
    assert waiting.wait(empty, None) == NOTHING


def test_a_guard_condition_is_left_for_whoever_serves_it(node: Any, waiting: Waiting):
    called: list[str] = []
    guard = node.create_guard_condition(lambda: called.append('guard'))
    guard.trigger()
    assert waiting.wait(node, 0.0) == NOTHING
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    for _ in range(3):
        executor.spin_once(timeout_sec=0.0)
    executor.shutdown()
    assert called == ['guard']


def test_an_exception_of_a_callback_reaches_whoever_waits(node: Any, waiting: Waiting):
    def fail(message: Bool) -> None:
        raise ValueError('on purpose')

    subscription = node.create_subscription(Bool, 'one', fail, 1)
    node.create_publisher(Bool, 'one', 1).publish(Bool())
    waiting.wait(node, 1.0)
    with pytest.raises(ValueError, match='on purpose'):
        waiting.call_back(subscription)


def test_a_callback_that_would_have_to_be_awaited_is_refused(node: Any, waiting: Waiting):
    async def hear(message: Bool) -> None:
        await rclpy.task.Future()

    subscription = node.create_subscription(Bool, 'one', hear, 1)
    node.create_publisher(Bool, 'one', 1).publish(Bool())
    waiting.wait(node, 1.0)
    with pytest.raises(TypeError, match='/one awaits something'):
        waiting.call_back(subscription)


def test_the_end_of_the_context_ends_the_wait(node: Any, waiting: Waiting):
    node.context.shutdown()
    with pytest.raises(ExternalShutdownException):
        waiting.wait(node, 1.0)
