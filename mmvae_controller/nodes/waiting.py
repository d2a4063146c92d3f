"""A wait that costs little: for the samples of a node, and to notice whatever else there is.

rclpy's own makes a wait set, a task and two wake-ups of itself for each callback: of the time from
a sample to its callback that is more than half. This one keeps its wait set, and calls back at
once. What is no sample it leaves to rclpy.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from rclpy.context import Context
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer

NS = 1_000_000_000
FOR_EVER = -1
# What a sample calls back with, once it is taken; None if there is none after all.
Take = Callable[[Subscription], Callable[[], Coroutine[None, None, None]] | None]


class Waited(Protocol):
    """What is waited for; see `rclpy.node.Node`."""

    @property
    def subscriptions(self) -> Iterable[Subscription]:
        """Whose samples are served."""

    @property
    def timers(self) -> Iterable[Timer]:
        """Which are noticed."""

    @property
    def services(self) -> Iterable[Service]:
        """Which are noticed."""

    @property
    def guards(self) -> Iterable[Any]:
        """Which are noticed."""


class Waiting:
    """Waits in one thread, the one in which all callbacks run."""

    def __init__(self, context: Context, take: Take) -> None:
        """Prepare.

        Args:
            context: Whose end ends the wait.
            take: Takes a sample: that of an rclpy executor.

        """
        self._context = context
        self._take = take
        # Made once for each size there is: few, and dear.
        self._sets: dict[tuple[int, ...], Any] = {}

    def serve(self, waited: Waited, timeout_sec: float | None) -> bool:
        """Wait, call back with every sample that is there, tell whether there is anything else.

        Args:
            waited: For what.
            timeout_sec: How long, at most; None for ever.

        Raises:
            ExternalShutdownException: The context has ended.

        """
        self._check()
        subscriptions = list(waited.subscriptions)
        others: dict[str, list[Any]] = {
            'guard_condition': list(waited.guards),
            'timer': list(waited.timers),
            'service': list(waited.services),
        }
        waited_for = self._wait(subscriptions, others, timeout_sec)
        self._check()
        found = any(waited_for.get_ready_entities(kind) for kind in others)
        ready = waited_for.get_ready_entities('subscription')
        for subscription in subscriptions if ready else ():
            if subscription.handle.pointer in ready:
                self._call_back(subscription)
        return found

    def _check(self) -> None:
        if not self._context.ok():
            raise ExternalShutdownException

    def _wait(
        self,
        subscriptions: list[Subscription],
        others: dict[str, list[Any]],
        timeout_sec: float | None,
    ) -> Any:
        guards, timers, services = others.values()
        sizes = (len(subscriptions), len(guards), len(timers), 0, len(services), 0)
        if sizes not in self._sets:
            self._sets[sizes] = rclpy_implementation.WaitSet(*sizes, self._context.handle)
        wait_set = self._sets[sizes]
        wait_set.clear_entities()
        for subscription in subscriptions:
            wait_set.add_subscription(subscription.handle)
        for guard in guards:
            wait_set.add_guard_condition(guard.handle)
        for timer in timers:
            wait_set.add_timer(timer.handle)
        for service in services:
            wait_set.add_service(service.handle)
        wait_set.wait(FOR_EVER if timeout_sec is None else max(0, round(timeout_sec * NS)))
        return wait_set

    def _call_back(self, subscription: Subscription) -> None:
        execute = self._take(subscription)
        if execute is None:
            return
        try:
            execute().send(None)
        except StopIteration:
            return
        raise TypeError(f'the callback of {subscription.topic_name} awaits something: it must not')
