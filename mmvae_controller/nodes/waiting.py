"""A wait that costs little: it tells which samples are there, and whether there is anything else.

rclpy's own makes a wait set, a task and two wake-ups of itself for each callback: of the time from
a sample to its callback that is more than half. This one keeps its wait sets, and calls back at
once. What is no sample it leaves to rclpy.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
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
    """What is waited for; see `rclpy.node.Node`. Guard conditions are not: a wait ends them."""

    @property
    def subscriptions(self) -> Iterable[Subscription]:
        """Told one by one."""

    @property
    def timers(self) -> Iterable[Timer]:
        """Told one by one."""

    @property
    def services(self) -> Iterable[Service]:
        """Whether any was asked."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is: samples, timers that are due, and whether a service was asked."""

    subscriptions: tuple[Subscription, ...]
    timers: tuple[Timer, ...]
    asked: bool


class Waiting:
    """Waits in one thread, the one in which all callbacks run."""

    def __init__(self, context: Context, wake: Any, take: Take) -> None:
        """Prepare.

        Args:
            context: Whose end ends the wait.
            wake: A guard condition, for when there is nothing else to wait for. Else it is left
                alone: rclpy triggers it twice for each callback of its own.
            take: Takes a sample: that of an rclpy executor.

        """
        self._context = context
        self._wake = wake
        self._take = take
        # Made once for each size there is: few, and dear.
        self._sets: dict[tuple[int, ...], Any] = {}

    def wait(self, waited: Waited, timeout_sec: float | None) -> Ready:
        """Wait until there is something.

        Args:
            waited: For what.
            timeout_sec: How long, at most; None for ever.

        Raises:
            ExternalShutdownException: The context has ended.

        """
        self._check()
        subscriptions, timers = list(waited.subscriptions), list(waited.timers)
        services = list(waited.services)
        ready = self._wait(subscriptions, timers, services, timeout_sec)
        self._check()
        return Ready(
            _among(subscriptions, ready.get_ready_entities('subscription')),
            _among(timers, ready.get_ready_entities('timer')),
            bool(ready.get_ready_entities('service')),
        )

    def call_back(self, subscription: Subscription) -> None:
        """Take a sample and call back with it, if it is still there."""
        execute = self._take(subscription)
        if execute is None:
            return
        try:
            execute().send(None)
        except StopIteration:
            return
        raise TypeError(f'the callback of {subscription.topic_name} awaits something: it must not')

    def _check(self) -> None:
        if not self._context.ok():
            raise ExternalShutdownException

    def _wait(
        self,
        subscriptions: Sequence[Subscription],
        timers: Sequence[Timer],
        services: Sequence[Service],
        timeout_sec: float | None,
    ) -> Any:
        alone = not (subscriptions or timers or services)
        sizes = (len(subscriptions), int(alone), len(timers), 0, len(services), 0)
        if sizes not in self._sets:
            self._sets[sizes] = rclpy_implementation.WaitSet(*sizes, self._context.handle)
        wait_set = self._sets[sizes]
        wait_set.clear_entities()
        if alone:
            wait_set.add_guard_condition(self._wake.handle)
        for subscription in subscriptions:
            wait_set.add_subscription(subscription.handle)
        for timer in timers:
            wait_set.add_timer(timer.handle)
        for service in services:
            wait_set.add_service(service.handle)
        wait_set.wait(FOR_EVER if timeout_sec is None else max(0, round(timeout_sec * NS)))
        return wait_set


def _among(entities: Sequence[Any], pointers: Sequence[int]) -> tuple[Any, ...]:
    """Return those of some entities that are ready."""
    return tuple(e for e in entities if e.handle.pointer in pointers) if pointers else ()
