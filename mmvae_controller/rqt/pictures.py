"""Each camera as the model sees it, beside what it imagines."""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.rqt.drawing import Canvas, GAP_PX, say, write
from mmvae_controller.rqt.qt import Qt, QtCore, QtGui
from mmvae_controller.rqt.theme import Theme
from mmvae_controller.rqt.view import PictureView

NOTHING = 'no picture: this model has no camera, or nobody publishes diagnostics/seen'
CAPTIONS = ('{}: the model sees', '{}: it imagines')
MEANINGS = (
    'The picture that went into the network; black where it was masked, or where it is black.',
    'The picture that the network expects, decoded from everything it knows.',
)
Shown = tuple[PictureView, PictureView]


class PictureRow(Canvas):
    """Two pictures for each camera, row by row."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__('PictureRow')
        self._pictures: Mapping[str, Shown] = {}

    def show_pictures(self, pictures: Mapping[str, Shown]) -> None:
        """Draw these from now on."""
        self._pictures = pictures
        self.update()

    def place(self, row: int, side: int) -> QtCore.QRect:
        """Return the room of a picture, with its caption; side 0 is seen, 1 imagined."""
        count = max(1, len(self._pictures))
        tops = [self.height() * i // count for i in (row, row + 1)]
        lefts = [self.width() * i // 2 for i in (side, side + 1)]
        return QtCore.QRect(lefts[0], tops[0], lefts[1] - lefts[0], tops[1] - tops[0])

    def target(self, row: int, side: int) -> QtCore.QRect:
        """Return where the picture itself is drawn: in its proportions, above one line of text."""
        line = self.line_px()
        room = self.place(row, side).adjusted(GAP_PX, line + GAP_PX, -GAP_PX, -line - GAP_PX)
        view = list(self._pictures.values())[row][side] if self._pictures else None
        if view is None or view.picture is None or room.isEmpty():
            return room
        height, width = view.picture.rgb.shape[:2]
        size = QtCore.QSize(width, height)
        size.scale(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QtCore.QRect(QtCore.QPoint(0, 0), size)
        target.moveCenter(room.center())
        return target

    def draw(self, painter: QtGui.QPainter, theme: Theme) -> None:
        """Paint pictures, captions and notes."""
        if not self._pictures:
            say(painter, self.rect(), NOTHING, theme)
        for row, (name, both) in enumerate(self._pictures.items()):
            for side, view in enumerate(both):
                self._draw_one(painter, theme, (row, side), name, view)

    def explain(self, point: QtCore.QPoint) -> str:
        """Say what the picture under the mouse is."""
        for row, both in enumerate(self._pictures.values()):
            for side, view in enumerate(both):
                if self.place(row, side).contains(point):
                    return f'{MEANINGS[side]} {view.note}'.strip()
        return NOTHING

    def _draw_one(
        self,
        painter: QtGui.QPainter,
        theme: Theme,
        place: tuple[int, int],
        name: str,
        view: PictureView,
    ) -> None:
        room, target, line = self.place(*place), self.target(*place), self.line_px()
        above = QtCore.QRect(room.left() + GAP_PX, room.top(), room.width() - 2 * GAP_PX, line)
        write(painter, above, CAPTIONS[place[1]].format(name))
        if view.picture is None:
            say(painter, target, view.note, theme)
            return
        rgb = view.picture.rgb
        height, width = rgb.shape[:2]
        kind = QtGui.QImage.Format.Format_RGB888
        image = QtGui.QImage(rgb.tobytes(), width, height, 3 * width, kind)
        painter.drawImage(target, image)
        painter.setPen(theme.faint)
        painter.drawRect(target)
        painter.setPen(theme.text)
        below = QtCore.QRect(above.left(), room.bottom() - line, above.width(), line)
        write(painter, below, view.note)
