"""The executor of our nodes: waits for what is urgent; the rest is served in spare moments.

rclpy gathers every entity of a node anew for each wait. A lifecycle node has a dozen services for
parameters and transitions and two event handlers for each topic, which cost more than a control
tick. They may wait for a few hundredths of a second, and a picture for a few thousandths, so as
not to be in the way of the sample that a command answers; samples, timers and a stop may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
import math
import time
from typing import Any

from mmvae_controller.nodes.waiting import Waiting
from rclpy.executors import ShutdownException, SingleThreadedExecutor, TimeoutException
from rclpy.node import Node
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer

# How late services and events may be noticed, if no wait is longer.
REST_EVERY_S = 0.05
# For how long before something urgent nothing patient is begun: it might still be at it then.
QUIET_S = 0.001
# A spare moment of at least this is waited through with all but the rest; in a shorter one what is
# there already is served, for waiting twice costs more.
LONG_S = 0.006
# With no spare moment for so long, what is patient is served all the same.
PATIENCE_S = 0.02
# Looking more often for what is patient costs more than it is worth.
LOOK_EVERY_S = 0.004


@dataclass(slots=True)
class Urgency:
    """What of a node must not wait, and what may.

    Args:
        services: Served at once; the others belong to the rest.
        patient: Wait for a spare moment.
        spare_s: For how long nothing urgent is expected; inf if nothing is.
        asked_since_s: While a service of the rest is served: it was asked for after this, on a
            steady clock. None where that is not known.

    """

    services: Sequence[Service] = ()
    patient: set[Subscription | Timer] = field(default_factory=set)
    spare_s: Callable[[], float] = lambda: math.inf
    asked_since_s: float | None = None


class View:
    """A node as the executor sees it: some of what it has, none of its event handlers."""

    def __init__(
        self,
        node: Node,
        services: Sequence[Service] | None,
        shown: Callable[[Subscription | Timer], bool],
    ) -> None:
        """Show some services, None for all, and those timers and subscriptions that are to be."""
        self._node = node
        self._shown = shown
        self._services = services

    @property
    def services(self) -> Iterable[Service]:
        """Those that are shown."""
        return self._node.services if self._services is None else self._services

    @property
    def waitables(self) -> Iterable[Any]:
        """None of the event handlers."""
        return ()

    @property
    def subscriptions(self) -> Iterator[Subscription]:
        """Those that are shown."""
        return filter(self._shown, self._node.subscriptions)

    @property
    def timers(self) -> Iterator[Timer]:
        """Those that are shown."""
        return filter(self._shown, self._node.timers)

    def __getattr__(self, name: str) -> Any:
        """Return everything else as it is."""
        return getattr(self._node, name)


class Rest(View):
    """The same with all its services and event handlers."""

    @property
    def waitables(self) -> Iterable[Any]:
        """All there are."""
        waitables: Iterable[Any] = self._node.waitables
        return waitables


class UrgentFirstExecutor(SingleThreadedExecutor):
    """Serves urgent things at once, patient ones in spare moments, the rest now and then."""

    def __init__(self, node: Node, urgency: Urgency | None = None) -> None:
        """Take a node; `urgency` None: of its services none is urgent, and nothing is patient."""
        super().__init__(context=node.context)
        self.add_node(node)
        self._node = node
        self._urgency = urgency = urgency or Urgency()
        patient = urgency.patient
        self._urgent = View(node, urgency.services, lambda one: one not in patient)
        self._prompt = View(node, urgency.services, lambda _: True)
        self._rest = Rest(node, None, lambda one: one not in patient)
        self._waiting = Waiting(node.context, self._guard, self._take_subscription)
        self._rest_s = self._rest_seen_s = self._looked_s = time.monotonic()
        # Of what is patient: what it cost the last time, and when that was.
        self._costs_s: dict[Subscription | Timer, float] = {}
        self._served_s: dict[Subscription | Timer, float] = {}

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Serve what is there or comes, one callback or more; wait for `timeout_sec` at most."""
        now_s = time.monotonic()
        if self._is_due(self._rest_s, REST_EVERY_S, now_s):
            self._serve_rest(now_s)
        spare_s = self._spare_s()
        if not self._urgency.patient or math.isinf(spare_s):
            self._serve(self._prompt, timeout_sec)
        elif spare_s >= LONG_S:
            self._looked_s = now_s
            limit_s = math.inf if timeout_sec is None else timeout_sec
            self._serve(self._prompt, min(spare_s, limit_s))
        else:
            if self._is_due(self._looked_s, LOOK_EVERY_S, now_s):
                self._looked_s = now_s
                self._serve(self._prompt, 0.0)
            self._serve(self._urgent, timeout_sec)

    def _spare_s(self) -> float:
        """Return for how long something patient could be begun; below 0 if not at all."""
        patient = self._urgency.patient
        cost_s = max((self._costs_s.get(one, 0.0) for one in patient), default=0.0)
        return self._urgency.spare_s() - max(QUIET_S, cost_s)

    def _is_due(self, last_s: float, every_s: float, now_s: float) -> bool:
        """Tell whether something is to be done now: in a spare moment, or at long last."""
        since_s = now_s - last_s
        return since_s >= every_s + PATIENCE_S or (since_s >= every_s and self._spare_s() > 0)

    def _serve(self, view: View, timeout_sec: float | None) -> None:
        """Wait, and serve everything that is urgent, then one thing that is patient."""
        ready = self._waiting.wait(view, timeout_sec)
        patient = self._urgency.patient
        for subscription in ready.subscriptions:
            if subscription not in patient:
                self._waiting.call_back(subscription)
        if ready.asked or any(timer not in patient for timer in ready.timers):
            self._serve_all(self._urgent)
        if ready.asked:
            # What was asked before is served now, and known to be older; what comes later is not.
            self._serve_rest(time.monotonic())
        waiting = [one for one in (*ready.timers, *ready.subscriptions) if one in patient]
        if waiting:
            self._serve_patient(min(waiting, key=lambda one: self._served_s.get(one, 0.0)))

    def _serve_rest(self, now_s: float) -> None:
        """Serve everything, and let services know how long they may have waited."""
        self._rest_s = now_s
        self._urgency.asked_since_s = self._rest_seen_s
        try:
            self._serve_all(self._rest)
        finally:
            self._urgency.asked_since_s = None
            self._rest_seen_s = time.monotonic()

    def _serve_patient(self, one: Subscription | Timer) -> None:
        """Serve one patient thing, and note what it costs."""
        began_s = self._served_s[one] = time.monotonic()
        try:
            if isinstance(one, Subscription):
                self._waiting.call_back(one)
            else:
                self._serve_all(View(self._node, (), lambda other: other is one))
        finally:
            # Those that are still there: subscriptions come and go with the lifecycle.
            there = self._urgency.patient
            self._costs_s = {k: s for k, s in self._costs_s.items() if k in there}
            self._served_s = {k: s for k, s in self._served_s.items() if k in there}
            self._costs_s[one] = time.monotonic() - began_s

    def _serve_all(self, view: View) -> None:
        """Serve everything that is ready, as rclpy does; wait for nothing."""

        # With a condition of its own, rclpy goes on with no wait that an exception cut short.
        def never() -> bool:
            return False

        with suppress(TimeoutException, ShutdownException):
            while True:
                handler, *_ = self.wait_for_ready_callbacks(0.0, [view], never)
                handler()
                error = handler.exception()
                if error is not None:
                    raise error
