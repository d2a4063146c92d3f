"""Which sense steers: what the command would lose without each, and what its sense is worth."""

from __future__ import annotations

from collections.abc import Sequence
import math

from mmvae_controller.nodes.reporting.status import Level
from mmvae_controller.rqt.drawing import Canvas, CENTRE, GAP_PX, say, write
from mmvae_controller.rqt.qt import QtCore, QtGui
from mmvae_controller.rqt.theme import BAR_RGB, level_colour, readable_on, Theme
from mmvae_controller.rqt.view import SenseView
from mmvae_controller.rqt.words import nats_text

TITLE = 'What the command loses without it (nats)'
NOTHING = 'no status of a sense on /diagnostics yet'
# A bar of this many nats is full, unless there is a longer one.
FULL_NATS = 100.0
BADGE = ' ERROR '
NUMBER = ' 1.2e5 '


class SenseBars(Canvas):
    """One row for each sense: name, level, bar with its number, state."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__('SenseBars')
        self._senses: Sequence[SenseView] = ()

    def show_senses(self, senses: Sequence[SenseView]) -> None:
        """Draw these from now on."""
        self._senses = senses
        self.update()

    def bar(self, index: int) -> QtCore.QRect:
        """Return where the bar of a sense has room; it fills this from the left."""
        row, left = self._row(index), self._left()
        width = max(0, self.width() - left - self.widest_px([NUMBER]) - GAP_PX)
        height = row.height() // 2 if self._two_lines() else row.height()
        return QtCore.QRect(left, row.top() + 2, width, max(1, height - 2))

    def length_px(self, index: int) -> int:
        """Return how much of its room a bar fills; log10(1 + nats), so that 0 is nothing."""
        nats = self._senses[index].nats
        if nats is None:
            return 0
        longest = max([FULL_NATS, *(s.nats for s in self._senses if s.nats is not None)])
        return round(self.bar(index).width() * _scaled(nats) / _scaled(longest))

    def draw(self, painter: QtGui.QPainter, theme: Theme) -> None:
        """Paint title and rows."""
        title = QtCore.QRect(GAP_PX, 0, self.width() - 2 * GAP_PX, self.line_px() + GAP_PX)
        write(painter, title, TITLE)
        if not self._senses:
            say(painter, self.rect().adjusted(0, title.height(), 0, 0), NOTHING, theme)
            return
        font = painter.font()
        font.setPixelSize(min(painter.fontInfo().pixelSize(), self._row(0).height()))
        painter.setFont(font)
        for index, sense in enumerate(self._senses):
            self._draw_row(painter, theme, index, sense)

    def explain(self, point: QtCore.QPoint) -> str:
        """Say of the sense under the mouse what its bar and its state mean."""
        for index, sense in enumerate(self._senses):
            if not self._row(index).contains(point):
                continue
            if sense.nats is None:
                return f'{sense.name}: {sense.message}. What it is worth now cannot be measured.'
            return (
                f'{sense.name}: {sense.message}. Without it the command would move by '
                f'{nats_text(sense.nats)} nats.'
            )
        return 'The longer the bar, the more the robot steers by this sense.'

    def _draw_row(
        self, painter: QtGui.QPainter, theme: Theme, index: int, sense: SenseView
    ) -> None:
        row, bar, line = self._row(index), self.bar(index), self.line_px()
        stale = sense.level is Level.STALE
        if stale:
            painter.fillRect(row, theme.stale)
        colour = level_colour(sense.level)
        badge = QtCore.QRect(GAP_PX, bar.top(), self.widest_px([BADGE]), min(line, bar.height()))
        painter.fillRect(badge, colour)
        painter.setPen(readable_on(colour))
        write(painter, badge, sense.level.name, CENTRE)
        painter.setPen(theme.text)
        name = QtCore.QRect(
            badge.right() + GAP_PX,
            badge.top(),
            bar.left() - badge.right() - 2 * GAP_PX,
            badge.height(),
        )
        write(painter, name, sense.name)
        if sense.nats is not None:
            filled = QtCore.QRect(bar.topLeft(), QtCore.QSize(self.length_px(index), bar.height()))
            painter.fillRect(bar, theme.stale)
            painter.fillRect(filled, QtGui.QColor(*BAR_RGB))
            place = QtCore.QRect(
                bar.right() + 1, bar.top(), self.width() - bar.right() - 1, bar.height()
            )
            write(painter, place, f' {nats_text(sense.nats)}')
        if not self._two_lines():
            return
        below = QtCore.QRect(name.left(), bar.bottom() + 1, self.width() - name.left(), line)
        painter.setPen(theme.text if sense.level is not Level.OK else theme.faint)
        write(painter, below, sense.message if stale else sense.state)
        painter.setPen(theme.text)

    def _row(self, index: int) -> QtCore.QRect:
        top = self.line_px() + GAP_PX
        height = max(1, self.height() - top)
        edges = [top + height * i // max(1, len(self._senses)) for i in (index, index + 1)]
        return QtCore.QRect(0, edges[0], self.width(), edges[1] - edges[0])

    def _two_lines(self) -> bool:
        return self._row(0).height() >= 2 * self.line_px()

    def _left(self) -> int:
        names = self.widest_px([s.name for s in self._senses])
        return min(self.widest_px([BADGE]) + names + 3 * GAP_PX, self.width() // 2)


def _scaled(nats: float) -> float:
    return math.log10(1 + max(0.0, nats))
