"""The rqt plugin: wiring between rqt, the topics of one robot, and the panel."""

from __future__ import annotations

import time
from typing import Any

from mmvae_controller.nodes.wire.robot_topics import namespaces, RobotTopics
from mmvae_controller.rqt.arguments import absolute, given_namespace
from mmvae_controller.rqt.board import Board
from mmvae_controller.rqt.mailbox import Mailbox
from mmvae_controller.rqt.panel import Panel
from mmvae_controller.rqt.qt import QtCore
from mmvae_controller.rqt.robot import pin
from rqt_gui_py.plugin import Plugin

DRAW_MS = 200
LOOK_MS = 1000


class ImportancePlugin(Plugin):
    """Importance of the senses of one robot."""

    def __init__(self, context: Any) -> None:
        """Show the panel and look for robots."""
        super().__init__(context)
        self.setObjectName('ImportancePlugin')
        self._node = context.node
        self._panel = Panel()
        if context.serial_number() > 1:
            title = f'{self._panel.windowTitle()} ({context.serial_number()})'
            self._panel.setWindowTitle(title)
        self._mailbox = Mailbox(self._deliver)
        self._board: Board | None = None
        self._topics: RobotTopics | None = None
        self._given = given_namespace(context.argv())
        self._panel.namespace_chosen.connect(self._choose)
        self._timers = [self._every(LOOK_MS, self._look), self._every(DRAW_MS, self._draw)]
        context.add_widget(self._panel)
        if self._given:
            self._choose(self._given)
        self._look()
        self._draw()

    def shutdown_plugin(self) -> None:
        """Stop timers, then listening: nothing may come to a window that is gone."""
        for timer in self._timers:
            timer.stop()
        self._mailbox.close()
        if self._topics is not None:
            self._topics.close()
            self._topics = None

    def save_settings(self, plugin_settings: Any, instance_settings: Any) -> None:
        """Remember robot and matrix."""
        instance_settings.set_value('namespace', self._board.namespace if self._board else '')
        instance_settings.set_value('matrix', self._panel.kind)

    def restore_settings(self, plugin_settings: Any, instance_settings: Any) -> None:
        """Show the same robot and matrix again; the command line goes first."""
        saved = absolute(instance_settings.value('namespace', '') or '')
        if saved and not self._given:
            self._choose(saved)
        self._panel.choose_kind(instance_settings.value('matrix', '') or '')

    def _every(self, period_ms: int, do: Any) -> QtCore.QTimer:
        timer = QtCore.QTimer(self)
        timer.timeout.connect(do)
        timer.start(period_ms)
        return timer

    def _look(self) -> None:
        found = namespaces(self._node)
        if self._board is None and found:
            self._choose(found[0])
        if self._topics is not None:
            self._topics.look()
        self._panel.show_namespaces(found, self._board.namespace if self._board else '')

    def _choose(self, namespace: str) -> None:
        if self._board is not None and self._board.namespace == namespace:
            return
        if self._topics is not None:
            self._topics.close()
        self._board = Board(namespace)
        # The robot goes into the key: what another one still has in the mail is not for this.
        self._topics = RobotTopics(
            self._node,
            namespace,
            lambda key, message: self._mailbox.put((namespace, key), message),
        )
        self._panel.show_namespaces(namespaces(self._node), namespace)
        self._draw()

    def _deliver(self, received_s: float, key: Any, message: Any) -> None:
        namespace, inner = key
        if self._board is not None and self._board.namespace == namespace:
            pin(self._board, received_s, inner, message)

    def _draw(self) -> None:
        self._panel.show_view(self._board.view(time.monotonic()) if self._board else None)
