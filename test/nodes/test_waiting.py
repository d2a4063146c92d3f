"""The wait of our nodes: samples are served, the rest is noticed."""

from __future__ import annotations

from collections.abc import Iterator
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.waiting import Waiting  # noqa: E402
import rclpy  # noqa: E402
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor  # noqa: E402
from std_msgs.msg import Bool  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

SHORT_S = 0.05


@pytest.fixture
def node(domain: int) -> Iterator[Any]:
    context = rclpy.Context()
    context.init(domain_id=domain)
    node = rclpy.create_node('waits', context=context, start_parameter_services=False)
    yield node
    node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def waiting(node: Any) -> Waiting:
    return Waiting(node.context, SingleThreadedExecutor(context=node.context)._take_subscription)


def test_every_sample_that_is_there_is_served_in_one_wait(node: Any, waiting: Waiting):
    heard: list[str] = []
    out = {topic: node.create_publisher(Bool, topic, 1) for topic in ('one', 'two')}
    node.create_subscription(Bool, 'one', lambda message: heard.append('one'), 1)
    node.create_subscription(Bool, 'two', lambda message, info: heard.append('two'), 1)
    for publisher in out.values():
        publisher.publish(Bool())
    time.sleep(SHORT_S)
    assert not waiting.serve(node, 1.0)
    assert heard == ['one', 'two']
    assert not waiting.serve(node, 0.0)
    assert heard == ['one', 'two']


def test_a_timer_and_a_service_are_noticed_and_left_to_others(node: Any, waiting: Waiting):
    called: list[str] = []
    timer = node.create_timer(SHORT_S, lambda: called.append('timer'))
    assert waiting.serve(node, None)
    node.destroy_timer(timer)
    service = node.create_service(
        Trigger, 'ask', lambda _, answer: called.append('service') or answer
    )
    client = node.create_client(Trigger, 'ask')
    assert client.wait_for_service(5.0)
    client.call_async(Trigger.Request())
    assert waiting.serve(node, 5.0)
    node.destroy_service(service)
    assert not waiting.serve(node, 0.0)
    assert called == []


def test_a_wait_ends_in_time(node: Any, waiting: Waiting):
    began_s = time.monotonic()
    assert not waiting.serve(node, SHORT_S)
    assert SHORT_S / 2 < time.monotonic() - began_s < 20 * SHORT_S


def test_an_exception_of_a_callback_reaches_whoever_waits(node: Any, waiting: Waiting):
    def fail(message: Bool) -> None:
        raise ValueError('on purpose')

    node.create_subscription(Bool, 'one', fail, 1)
    node.create_publisher(Bool, 'one', 1).publish(Bool())
    with pytest.raises(ValueError, match='on purpose'):
        waiting.serve(node, 1.0)


def test_a_callback_that_would_have_to_be_awaited_is_refused(node: Any, waiting: Waiting):
    async def hear(message: Bool) -> None:
        await rclpy.task.Future()

    node.create_subscription(Bool, 'one', hear, 1)
    node.create_publisher(Bool, 'one', 1).publish(Bool())
    with pytest.raises(TypeError, match='/one awaits something'):
        waiting.serve(node, 1.0)


def test_the_end_of_the_context_ends_the_wait(node: Any, waiting: Waiting):
    node.context.shutdown()
    with pytest.raises(ExternalShutdownException):
        waiting.serve(node, 1.0)
