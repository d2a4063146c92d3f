"""The importance matrix as a heat map with its numbers."""

from __future__ import annotations

import math

from mmvae_controller.nodes.wire.topic_names import WITHOUT
from mmvae_controller.rqt.drawing import Canvas, CENTRE, GAP_PX, RIGHT, say, write
from mmvae_controller.rqt.qt import Qt, QtCore, QtGui
from mmvae_controller.rqt.theme import readable_on, Theme
from mmvae_controller.rqt.view import MatrixView
from mmvae_controller.rqt.words import explain_cell, MEANINGS, nats_text, TITLES

FRAME_PX = 3
EMPTY = MatrixView(None, False, 'nothing came yet', '')
COMMAND = 'command'
MISSING = 'missing'


class HeatMap(Canvas):
    """Rows act, columns are acted on; the column of the command has a frame."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__('HeatMap')
        self._kind = WITHOUT
        self._view = EMPTY

    def show_view(self, kind: str, view: MatrixView) -> None:
        """Draw this from now on."""
        self._kind, self._view = kind, view
        self.update()

    def cell(self, row: int, column: int) -> QtCore.QRect:
        """Return where a cell is drawn."""
        matrix = self._view.matrix
        table = self._table()
        if matrix is None:
            return table
        x = [table.left() + table.width() * j // len(matrix.columns) for j in (column, column + 1)]
        y = [table.top() + table.height() * i // len(matrix.rows) for i in (row, row + 1)]
        return QtCore.QRect(x[0], y[0], x[1] - x[0], y[1] - y[0])

    def draw(self, painter: QtGui.QPainter, theme: Theme) -> None:
        """Paint title, labels and cells; without live numbers a grey sheet and a sentence."""
        view, matrix = self._view, self._view.matrix
        title = QtCore.QRect(GAP_PX, 0, self.width() - 2 * GAP_PX, self.line_px() + GAP_PX)
        write(painter, title, TITLES[self._kind])
        if matrix is None:
            say(painter, self.rect().adjusted(0, title.height(), 0, 0), view.note, theme)
            return
        corner = self.cell(0, 0).translated(0, -self.line_px())
        acts = QtCore.QRect(GAP_PX, corner.top(), corner.left() - 2 * GAP_PX, self.line_px())
        painter.setPen(theme.faint)
        write(painter, acts, self._kind, RIGHT)
        painter.setPen(theme.text)
        for i, name in enumerate(matrix.rows):
            cell = self.cell(i, 0)
            place = QtCore.QRect(GAP_PX, cell.top(), cell.left() - 2 * GAP_PX, cell.height())
            write(painter, place, name, RIGHT)
        for j, name in enumerate(matrix.columns):
            self._label(painter, theme, j, name)
        if not view.live:
            say(painter, self._table(), view.note, theme)
            return
        for i, row in enumerate(matrix.nats):
            for j, nats in enumerate(row):
                self._cell(painter, theme, self.cell(i, j), nats)
            if all(math.isnan(nats) for nats in row):
                self._say_missing(painter, theme, i, len(row))
        self._frame(painter, theme)

    def explain(self, point: QtCore.QPoint) -> str:
        """Say what the cell under the mouse means, else what the whole does."""
        matrix = self._view.matrix
        for i, row in enumerate(matrix.nats if matrix is not None else ()):
            for j, nats in enumerate(row):
                if matrix is not None and self.cell(i, j).contains(point):
                    return explain_cell(self._kind, matrix.rows[i], matrix.columns[j], nats)
        return MEANINGS[self._kind]

    def _table(self) -> QtCore.QRect:
        """Return where the cells are: below the labels of columns, right of those of rows."""
        matrix, line = self._view.matrix, self.line_px()
        names = list(matrix.rows) if matrix is not None else []
        left = min(self.widest_px([self._kind, *names]) + 3 * GAP_PX, self.width() // 2)
        top = min(3 * line + 2 * GAP_PX, self.height() // 2)
        return QtCore.QRect(left, top, self.width() - left - GAP_PX, self.height() - top - GAP_PX)

    def _label(self, painter: QtGui.QPainter, theme: Theme, column: int, name: str) -> None:
        cell, line = self.cell(0, column), self.line_px()
        above = QtCore.QRect(cell.left(), cell.top() - 2 * line - GAP_PX, cell.width(), line)
        if name == self._view.command:
            write(painter, above, COMMAND, CENTRE)
        font = painter.font()
        font.setBold(name == self._view.command)
        painter.setFont(font)
        write(painter, above.translated(0, line), name, CENTRE)
        font.setBold(False)
        painter.setFont(font)

    def _cell(
        self, painter: QtGui.QPainter, theme: Theme, rect: QtCore.QRect, nats: float
    ) -> None:
        if math.isnan(nats):
            painter.fillRect(rect, theme.base)
            painter.fillRect(rect, QtGui.QBrush(theme.faint, Qt.BrushStyle.BDiagPattern))
            return
        colour = theme.heat(nats)
        painter.fillRect(rect, colour)
        painter.setPen(readable_on(colour))
        write(painter, rect, nats_text(nats), CENTRE)
        painter.setPen(theme.text)

    def _say_missing(self, painter: QtGui.QPainter, theme: Theme, row: int, columns: int) -> None:
        whole = self.cell(row, 0).united(self.cell(row, columns - 1))
        place = QtCore.QRect(0, 0, self.widest_px([MISSING]) + 2 * GAP_PX, self.line_px())
        place.moveCenter(whole.center())
        place = place.intersected(whole)
        painter.fillRect(place, theme.base)
        write(painter, place, MISSING, CENTRE)

    def _frame(self, painter: QtGui.QPainter, theme: Theme) -> None:
        matrix = self._view.matrix
        if matrix is None or self._view.command not in matrix.columns:
            return
        column = matrix.columns.index(self._view.command)
        frame = self.cell(0, column).united(self.cell(len(matrix.rows) - 1, column))
        painter.setPen(QtGui.QPen(theme.text, FRAME_PX))
        painter.drawRect(frame)
        painter.setPen(theme.text)
