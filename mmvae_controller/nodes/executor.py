"""The executor of our nodes: waits for what is urgent; the rest is served in spare moments.

rclpy gathers every entity of a node anew for each wait. A lifecycle node has a dozen services for
parameters and transitions and two event handlers for each topic, which cost more than a control
tick. They may wait for a few hundredths of a second, and a picture for a few thousandths, so as
not to be in the way of the sample that a command answers; samples, timers and a stop may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

    """

    services: Sequence[Service] = ()
    patient: set[Subscription | Timer] = field(default_factory=set)
    spare_s: Callable[[], float] = lambda: math.inf


class View:
    """A node as the executor sees it: some of what it has, none of its event handlers."""

    waitables: Sequence[Any] = ()

    def __init__(
        self,
        node: Node,
        services: Sequence[Service],
        shown: Callable[[Subscription | Timer], bool],
    ) -> None:
        """Show some services, and of the timers and subscriptions those that are to be."""
        self._node = node
        self._shown = shown
        self.services = services

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
        self._waiting = Waiting(node.context, self._take_subscription)
        self._rest_s = self._looked_s = time.monotonic()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Serve what is there or comes, one callback or more; wait for `timeout_sec` at most."""
        now_s = time.monotonic()
        if self._is_due(self._rest_s, REST_EVERY_S, now_s):
            self._rest_s = self._looked_s = now_s
            self._serve_all(self._node)
        spare_s = self._spare_s()
        if not self._urgency.patient or math.isinf(spare_s):
            self._serve(self._prompt, timeout_sec)
        elif spare_s >= LONG_S:
            limit_s = math.inf if timeout_sec is None else timeout_sec
            self._serve(self._prompt, min(spare_s, limit_s))
        else:
            if self._is_due(self._looked_s, LOOK_EVERY_S, now_s):
                self._looked_s = now_s
                self._serve(self._prompt, 0.0)
            self._serve(self._urgent, timeout_sec)

    def _spare_s(self) -> float:
        return self._urgency.spare_s() - QUIET_S

    def _is_due(self, last_s: float, every_s: float, now_s: float) -> bool:
        """Tell whether something is to be done now: in a spare moment, or at long last."""
        since_s = now_s - last_s
        return since_s >= every_s + PATIENCE_S or (since_s >= every_s and self._spare_s() > 0)

    def _serve(self, view: View, timeout_sec: float | None) -> None:
        """Wait, and serve everything that is ready."""
        if self._waiting.serve(view, timeout_sec):
            self._serve_all(view)

    def _serve_all(self, view: Node | View) -> None:
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
