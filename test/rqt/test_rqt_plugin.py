"""The plugin among real topics, in a context as rqt gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import sys
import threading
import time
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('PyQt5')
pytestmark = pytest.mark.ros

from mmvae_controller.rqt.qt import QtCore  # noqa: E402

DEADLINE_S = 20.0
BUSY_S = 0.01


class Context(QtCore.QObject):
    """What rqt hands to a plugin, whose parent it becomes."""

    def __init__(self, node: Any, argv: list[str]) -> None:
        super().__init__()
        self.node = node
        self.widgets: list[Any] = []
        self._argv = argv

    def argv(self) -> list[str]:
        return self._argv

    def serial_number(self) -> int:
        return 1

    def add_widget(self, widget: Any) -> None:
        self.widgets.append(widget)


class Settings(dict[str, Any]):
    """Like qt_gui's settings."""

    def set_value(self, key: str, value: Any) -> None:
        self[key] = value

    def value(self, key: str, default: Any = None) -> Any:
        return self.get(key, default)


class Rqt:
    """An event loop here, and a node that spins on another thread, as in rqt."""

    def __init__(self, application: Any, plugin_class: Any, domain: int) -> None:
        import rclpy
        from rclpy.executors import MultiThreadedExecutor

        self.application = application
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('rqt', context=self.context)
        self.executor = MultiThreadedExecutor(2, context=self.context)
        self.executor.add_node(self.node)
        self.robot = rclpy.create_node('robot', context=self.context)
        self._plugin_class = plugin_class
        self._plugins: list[Any] = []
        self._running = True
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def load(self, *argv: str) -> Any:
        context = Context(self.node, list(argv))
        plugin = self._plugin_class(context)
        self._plugins.append((plugin, context))
        return plugin

    def publish(self, topic: str, message: Any) -> Callable[[], None]:
        """Announce a topic and return what publishes the message."""
        from mmvae_controller.nodes.wire.qos import REPORT

        publisher = self.robot.create_publisher(type(message), topic, REPORT)
        return lambda: publisher.publish(message)

    def until(self, condition: Callable[[], Any], what: str, *do: Callable[[], None]) -> Any:
        end = time.monotonic() + DEADLINE_S
        while not (found := condition()):
            if time.monotonic() > end:
                pytest.fail(f'waited {DEADLINE_S} s in vain for: {what}')
            for each in do:
                each()
            self.application.processEvents()
            time.sleep(BUSY_S)
        return found

    def close(self) -> None:
        for plugin, _ in self._plugins:
            plugin.shutdown_plugin()
        self._running = False
        self._thread.join()
        self.executor.shutdown()
        self.robot.destroy_node()
        self.node.destroy_node()
        self.context.try_shutdown()
        self.application.processEvents()

    def _spin(self) -> None:
        while self._running:
            try:
                self.executor.spin_once(timeout_sec=0.05)
            except Exception:
                if self.context.ok():
                    raise
                return


@pytest.fixture
def plugin_class(application: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the plugin; where there is no rqt, on a base as simple as rqt's own."""
    try:
        import rqt_gui_py.plugin  # noqa: F401
    except ImportError:

        class Plugin(QtCore.QObject):
            def __init__(self, context: Any) -> None:
                super().__init__(context)

        package, module = ModuleType('rqt_gui_py'), ModuleType('rqt_gui_py.plugin')
        module.Plugin = Plugin  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, 'rqt_gui_py', package)
        monkeypatch.setitem(sys.modules, 'rqt_gui_py.plugin', module)
    from mmvae_controller.rqt.plugin import ImportancePlugin

    return ImportancePlugin


@pytest.fixture
def rqt(application: Any, plugin_class: Any, domain: int) -> Iterator[Rqt]:
    rqt = Rqt(application, plugin_class, domain)
    yield rqt
    rqt.close()


def test_real_messages_of_a_robot_that_appears_are_drawn(rqt: Rqt, messages: Any, pixel: Any):
    plugin = rqt.load()
    panel = plugin._panel
    panel.resize(900, 600)
    assert 'Nobody publishes' in panel.headline.text()
    sent = [
        rqt.publish('/importance/matrix', messages.matrix()),
        rqt.publish('/diagnostics', messages.diagnostics()),
        rqt.publish('/diagnostics/seen/camera', messages.picture()),
        rqt.publish('/diagnostics/prediction/camera', messages.picture((30, 200, 30))),
    ]
    rqt.until(lambda: 'leans on camera' in panel.headline.text(), 'the headline', *sent)
    assert panel.namespaces.currentText() == '/'
    row = panel.pictures
    rqt.until(
        lambda: pixel(row, row.target(0, 0).center()) == (200, 30, 30) and row._pictures,
        'the picture',
        *sent,
    )
    heat = panel.heat_map
    largest, smallest = (pixel(heat, heat.cell(i, j).topLeft()) for i, j in ((0, 0), (3, 2)))
    assert sum(largest) < sum(smallest)
    rqt.until(lambda: panel.headline.text().startswith('STALE'), 'it to be stale in silence')


def test_what_several_nodes_tell_at_once_is_all_kept(rqt: Rqt, messages: Any):
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

    plugin = rqt.load('--namespace', 'robot1')
    plugin._topics._hear(messages.diagnostics('robot1/'))
    plugin._topics._hear(
        DiagnosticArray(status=[DiagnosticStatus(name='robot1/controller: loop')])
    )
    plugin._topics._hear(DiagnosticArray())
    rqt.application.processEvents()
    assert {'controller: loop', 'diagnostics: sense camera'} <= plugin._board._told.keys()


def test_robot_and_matrix_are_remembered(rqt: Rqt):
    first = rqt.load('--namespace', '/robot1')
    first._panel.choose_kind('alone')
    settings = Settings()
    first.save_settings(Settings(), settings)
    assert settings == {'namespace': '/robot1', 'matrix': 'alone'}
    second = rqt.load()
    second.restore_settings(Settings(), settings)
    assert second._panel.namespaces.currentText() == '/robot1'
    assert second._panel.kind == 'alone'
    third = rqt.load('--namespace', 'robot3')
    third.restore_settings(Settings(), settings)
    assert third._panel.namespaces.currentText() == '/robot3'


def test_empty_settings_change_nothing(rqt: Rqt):
    plugin = rqt.load()
    plugin.restore_settings(Settings(), Settings())
    assert (plugin._board, plugin._panel.kind) == (None, 'without')


def test_choosing_another_robot_leaves_the_first_alone(rqt: Rqt, messages: Any):
    plugin = rqt.load('--namespace', '/a')
    assert rqt.node.count_subscribers('/a/importance/matrix') == 1
    plugin._mailbox.put(('/a', ('importance/matrix', 'without')), messages.matrix())
    plugin._panel.namespace_chosen.emit('/b')
    rqt.application.processEvents()
    rqt.until(lambda: rqt.node.count_subscribers('/a/importance/matrix') == 0, 'it to let go')
    assert rqt.node.count_subscribers('/b/importance/matrix_alone') == 1
    assert plugin._board._matrices == {}


def test_shutting_down_stops_timers_and_listening(rqt: Rqt, messages: Any):
    plugin = rqt.load('--namespace', '/a')
    plugin.shutdown_plugin()
    assert not any(timer.isActive() for timer in plugin._timers)
    rqt.until(lambda: rqt.node.count_subscribers('/a/importance/matrix') == 0, 'it to let go')
    plugin._mailbox.put(('/a', ('importance/matrix', 'without')), messages.matrix())
    rqt.application.processEvents()
    assert plugin._board._matrices == {}


def test_it_survives_the_end_of_the_context(rqt: Rqt):
    plugin = rqt.load('--namespace', '/a')
    rqt.context.try_shutdown()
    plugin._look()
    plugin._draw()


def test_messages_are_handed_to_the_thread_that_draws_and_do_not_pile_up(application: Any):
    from mmvae_controller.rqt.mailbox import Mailbox

    came: list[Any] = []
    mailbox = Mailbox(lambda s, key, message: came.append((threading.get_ident(), key, message)))

    def send() -> None:
        for number in range(1000):
            mailbox.put('a', number)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
    assert came == []
    application.processEvents()
    assert came == [(threading.get_ident(), 'a', 999)]


def test_what_waits_when_it_is_closed_is_not_delivered(application: Any):
    from mmvae_controller.rqt.mailbox import Mailbox

    came: list[Any] = []
    mailbox = Mailbox(lambda *arguments: came.append(arguments))
    mailbox.put('a', 1)
    mailbox.close()
    application.processEvents()
    assert came == []
