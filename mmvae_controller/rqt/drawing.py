"""What every drawn widget shares: a canvas that explains itself, and text that fits."""

from __future__ import annotations

from mmvae_controller.rqt.qt import Qt, QtCore, QtGui, QtWidgets
from mmvae_controller.rqt.theme import Theme

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter
WRAPPED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
SMALLEST_PX = 40
GAP_PX = 6


class Canvas(QtWidgets.QWidget):
    """A widget that is painted by `draw` and explains by `explain` what lies under the mouse."""

    def __init__(self, name: str) -> None:
        """Start empty; the name is that of the object."""
        super().__init__()
        self.setObjectName(name)
        self.setMinimumSize(SMALLEST_PX, SMALLEST_PX)
        policy = QtWidgets.QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)

    def draw(self, painter: QtGui.QPainter, theme: Theme) -> None:
        """Paint everything."""
        raise NotImplementedError

    def explain(self, point: QtCore.QPoint) -> str:
        """Return a sentence about what is drawn there, or nothing."""
        raise NotImplementedError

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:  # noqa: N802
        """Paint on the colours of the window."""
        theme = Theme.of(self.palette())
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), theme.base)
        painter.setPen(theme.text)
        self.draw(painter, theme)
        painter.end()

    def event(self, event: QtCore.QEvent) -> bool:
        """Show the explanation as a tool tip."""
        if event.type() == QtCore.QEvent.Type.ToolTip:
            QtWidgets.QToolTip.showText(event.globalPos(), self.explain(event.pos()), self)
            return True
        return bool(super().event(event))

    def line_px(self) -> int:
        """Return the height of a line of text."""
        return int(self.fontMetrics().height())

    def widest_px(self, texts: list[str]) -> int:
        """Return the width of the widest text."""
        return max((self.fontMetrics().horizontalAdvance(t) for t in texts), default=0)


def write(painter: QtGui.QPainter, rect: QtCore.QRect, text: str, flags: int = LEFT) -> None:
    """Write one line that is cut, never spilt, where the room is too small."""
    mode = Qt.TextElideMode.ElideRight
    painter.drawText(rect, flags, painter.fontMetrics().elidedText(text, mode, rect.width()))


def say(painter: QtGui.QPainter, rect: QtCore.QRect, text: str, theme: Theme) -> None:
    """Write a sentence on the grey that means: this is not known now."""
    painter.fillRect(rect, theme.stale)
    painter.setPen(theme.text)
    inside = rect.adjusted(GAP_PX, GAP_PX, -GAP_PX, -GAP_PX)
    painter.drawText(inside, WRAPPED, text)
