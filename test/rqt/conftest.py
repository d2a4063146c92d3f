"""Qt without a screen, real messages, and windows as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest

# Before anything imports Qt.
os.environ['QT_QPA_PLATFORM'] = 'offscreen'

MODALITIES = ('camera', 'joints', 'touch', 'motor')
NATS = np.array(
    [[400.0, 1.2, 0.02, 35.2], [120.0, 88.0, 0.003, 12.1], [0.5, 0.2, 12.0, 0.04], [30, 0.7, 0, 9]]
)


@pytest.fixture(scope='session')
def application() -> Any:
    """Return the one application that Qt allows."""
    widgets = pytest.importorskip('PyQt5.QtWidgets')
    return widgets.QApplication.instance() or widgets.QApplication([])


@pytest.fixture
def messages() -> type[Messages]:
    pytest.importorskip('rclpy')
    return Messages


class Messages:
    """Real messages, made as the nodes make them."""

    @staticmethod
    def matrix(nats: NDArray[Any] = NATS, act: str = 'without', suffer: str = 'loses') -> Any:
        from mmvae_controller.nodes.wire.arrays import labelled_array
        from std_msgs.msg import Float64MultiArray

        labels = ((act, MODALITIES), (suffer, MODALITIES))
        return labelled_array(Float64MultiArray, nats, labels)

    @staticmethod
    def picture(rgb: Sequence[int] = (200, 30, 30), encoding: str = 'rgb8') -> Any:
        from mmvae_controller.nodes.wire.messages import image_message

        pixels = np.empty((8, 12, len(rgb)), dtype=np.uint8)
        pixels[:] = rgb
        return image_message(pixels, encoding, 5, 'camera')

    @staticmethod
    def diagnostics(prefix: str = '', **levels: int) -> Any:
        """Return what the diagnostics node tells; `camera=2` is an error of the camera."""
        from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

        array = DiagnosticArray()
        array.status.append(DiagnosticStatus(name=f'{prefix}diagnostics: model', level=b'\0'))
        for row, name in enumerate(MODALITIES):
            level = levels.get(name, 0)
            values = {'health': 'no input' if name == 'motor' else 'OK: fine'}
            if level != 3:
                state = 'masked' if level else 'known'
                values |= {'state': state, 'age_s': '0.02'}
                values['precision_loss_command nats'] = f'{NATS[row, 3]:.4g}'
            array.status.append(
                DiagnosticStatus(
                    name=f'{prefix}diagnostics: sense {name}',
                    level=bytes([level]),
                    message='known' if not level else 'missing at t for 1.2 s, masked',
                    values=[KeyValue(key=k, value=v) for k, v in values.items()],
                )
            )
        return array


@pytest.fixture
def board(messages: type[Messages]) -> Any:
    """Return a board on which everything came at 10 s."""
    from mmvae_controller.rqt.board import Board
    from mmvae_controller.rqt.robot import pin

    board = Board('/')
    alone = NATS.copy()
    alone[2] = np.nan
    pin(board, 10.0, ('importance/matrix', 'without'), messages.matrix())
    pin(board, 10.0, ('importance/matrix', 'alone'), messages.matrix(alone, 'alone', 'explains'))
    pin(board, 10.0, ('told', ''), messages.diagnostics())
    pin(board, 10.0, ('seen', 'camera'), messages.picture())
    pin(board, 10.0, ('imagined', 'camera'), messages.picture((30, 200, 30)))
    return board


@pytest.fixture
def panel(application: Any) -> Iterator[Any]:
    from mmvae_controller.rqt.panel import Panel

    panel = Panel()
    panel.resize(900, 600)
    yield panel
    panel.deleteLater()
    application.processEvents()


@pytest.fixture
def pixel(application: Any) -> Any:
    """Return what tells the colour `(r, g, b)` of a widget at a point of it."""

    def look(widget: Any, point: Any) -> tuple[int, int, int]:
        return widget.grab().toImage().pixelColor(point).getRgb()[:3]

    return look
