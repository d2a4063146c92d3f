"""Asks a Trigger service until it agrees, without ever waiting for it."""

from __future__ import annotations

from mmvae_controller.control.window import NS
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

# A node that is being restarted answers no more; one that refuses is asked again this soon.
ANSWER_NS = 2 * NS
RETRY_NS = NS // 4


class Asking:
    """One service of another node, which may be absent, slow, restarted or unwilling."""

    def __init__(self, node: Node, service: str) -> None:
        """Make a client; nothing is asked yet."""
        self._client = node.create_client(Trigger, service)
        self._service = service
        self._future: Future | None = None
        self._asked_ns = 0
        self._retry_ns = 0
        self.trouble = ''
        self.refused = False

    def agreed(self, now_ns: int) -> bool:
        """Ask if nothing is under way, and tell whether the answer has come and is yes.

        An answer that has come and is no sets `refused` until the next call.

        Args:
            now_ns: On a steady clock.

        """
        self.refused = False
        if self._future is None:
            self._ask(now_ns)
            return False
        if not self._future.done():
            if now_ns - self._asked_ns > ANSWER_NS or not self._client.service_is_ready():
                self._client.remove_pending_request(self._future)
                self._future = None
                self.trouble = f'{self._service} does not answer'
            return False
        answer, self._future = self._future.result(), None
        if answer is None or not answer.success:
            self._retry_ns = now_ns + RETRY_NS
            self.refused = True
            self.trouble = f'{self._service} refuses: {answer.message if answer else "no answer"}'
            return False
        self.trouble = ''
        return True

    def _ask(self, now_ns: int) -> None:
        if now_ns < self._retry_ns:
            return
        if not self._client.service_is_ready():
            self.trouble = f'{self._service} is not there'
            return
        self._future = self._client.call_async(Trigger.Request())
        self._asked_ns = now_ns
