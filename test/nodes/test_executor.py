"""The executor serves what is urgent at once and forgets none of the rest."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.executor import REST_EVERY_S, UrgentFirstExecutor  # noqa: E402
import rclpy  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402


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


def test_what_is_urgent_is_in_every_wait_and_the_rest_in_some(
    node: Any, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    now_s = [0.0]
    monkeypatch.setattr('mmvae_controller.nodes.executor.time.monotonic', lambda: now_s[0])
    executor = UrgentFirstExecutor(node, [asked['stop']])
    urgent = list(executor.get_nodes()[0].services)
    assert urgent == [asked['stop']]
    assert list(executor.get_nodes()[0].timers) == list(node.timers)
    assert executor.get_nodes()[0].waitables == ()
    now_s[0] += REST_EVERY_S
    assert executor.get_nodes() == [node]
    assert list(executor.get_nodes()[0].services) == urgent


@pytest.mark.parametrize('name', ['stop', 'other'])
def test_every_service_answers_soon_while_timers_keep_it_busy(
    node: Any, asked: dict[str, Any], name: str
):
    executor = UrgentFirstExecutor(node, [asked['stop']])
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
