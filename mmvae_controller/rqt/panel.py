"""The whole window: which robot, one sentence, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from mmvae_controller.nodes.wire.topic_names import ALONE, WITHOUT
from mmvae_controller.rqt.bars import SenseBars
from mmvae_controller.rqt.drawing import SMALLEST_PX
from mmvae_controller.rqt.heatmap import HeatMap
from mmvae_controller.rqt.pictures import PictureRow
from mmvae_controller.rqt.qt import Qt, QtCore, QtGui, QtWidgets, Signal
from mmvae_controller.rqt.theme import level_colour, readable_on
from mmvae_controller.rqt.view import View
from mmvae_controller.rqt.words import MEANINGS

NO_ROBOT = 'no robot yet'
WHY = 'Nobody publishes importance/matrix: is the diagnostics node running, in this ROS domain?'
WIDTH_PX, HEIGHT_PX = 900, 600
LEAST_WIDTH_PX, LEAST_HEIGHT_PX = 420, 280
NAME_LENGTH = 8


class Panel(QtWidgets.QWidget):
    """Shows a `View`; says which namespace and which matrix were chosen."""

    namespace_chosen = Signal(str)
    kind_chosen = Signal(str)

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.setObjectName('MmvaePanel')
        self.setWindowTitle('Importance of the senses')
        # rqt sizes its window before there is a plugin in it.
        self.setMinimumSize(LEAST_WIDTH_PX, LEAST_HEIGHT_PX)
        self._view: View | None = None
        self.namespaces = QtWidgets.QComboBox()
        self.namespaces.setToolTip('The namespace of the robot that is shown.')
        self.namespaces.setPlaceholderText(NO_ROBOT)
        self.namespaces.setMinimumContentsLength(NAME_LENGTH)
        self.namespaces.setMinimumWidth(SMALLEST_PX)
        self.namespaces.setSizeAdjustPolicy(
            QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.namespaces.activated.connect(self._choose)
        self.headline = QtWidgets.QLabel('')
        self.headline.setWordWrap(True)
        self.headline.setMargin(4)
        self.headline.setMinimumWidth(SMALLEST_PX)
        self.headline.setAutoFillBackground(True)
        self.headline.setToolTip('Which sense the command leans on now, and what is wrong.')
        self.heat_map, self.bars, self.pictures = HeatMap(), SenseBars(), PictureRow()
        self._kinds = {kind: QtWidgets.QRadioButton(kind) for kind in (WITHOUT, ALONE)}
        for kind, button in self._kinds.items():
            button.setToolTip(MEANINGS[kind])
            button.toggled.connect(self._toggled)
        self._kinds[WITHOUT].setChecked(True)
        self._lay_out()

    @property
    def kind(self) -> str:
        """Return which matrix is shown."""
        return ALONE if self._kinds[ALONE].isChecked() else WITHOUT

    def choose_kind(self, kind: str) -> None:
        """Show the matrix `without` or `alone`; another name changes nothing."""
        if kind in self._kinds:
            self._kinds[kind].setChecked(True)

    def show_namespaces(self, names: Sequence[str], chosen: str) -> None:
        """Offer these; the chosen one stays even when its robot is gone."""
        offered = sorted({*names, *([chosen] if chosen else [])})
        if offered != [self.namespaces.itemText(i) for i in range(self.namespaces.count())]:
            self.namespaces.clear()
            self.namespaces.addItems(offered)
        self.namespaces.setCurrentIndex(offered.index(chosen) if chosen else -1)

    def show_view(self, view: View | None) -> None:
        """Draw this from now on; None is: no robot."""
        self._view = view
        self._say(view)
        if view is not None:
            self.heat_map.show_view(self.kind, view.matrices[self.kind])
            self.bars.show_senses(view.senses)
            self.pictures.show_pictures(view.pictures)

    def sizeHint(self) -> QtCore.QSize:  # noqa: N802
        """Ask for a size at which everything can be read."""
        return QtCore.QSize(WIDTH_PX, HEIGHT_PX)

    def _say(self, view: View | None) -> None:
        self.headline.setText(WHY if view is None else view.headline)
        palette = QtGui.QPalette(self.palette())
        if view is not None:
            colour = level_colour(view.level)
            palette.setColor(QtGui.QPalette.ColorRole.Window, colour)
            palette.setColor(QtGui.QPalette.ColorRole.WindowText, readable_on(colour))
        self.headline.setPalette(palette)

    def _choose(self, index: int) -> None:
        self.namespace_chosen.emit(self.namespaces.itemText(index))

    def _toggled(self, on: bool) -> None:
        if on and self._view is not None:
            self.show_view(self._view)
            self.kind_chosen.emit(self.kind)

    def _lay_out(self) -> None:
        choice = QtWidgets.QHBoxLayout()
        choice.addWidget(self.namespaces, 1)
        for button in self._kinds.values():
            choice.addWidget(button)
        right = _splitter(Qt.Orientation.Vertical, self.bars, self.pictures)
        whole = QtWidgets.QVBoxLayout(self)
        whole.setContentsMargins(4, 4, 4, 4)
        whole.addLayout(choice)
        whole.addWidget(self.headline)
        whole.addWidget(_splitter(Qt.Orientation.Horizontal, self.heat_map, right), 1)


def _splitter(way: Qt.Orientation, *widgets: QtWidgets.QWidget) -> QtWidgets.QSplitter:
    splitter = QtWidgets.QSplitter(way)
    for widget in widgets:
        splitter.addWidget(widget)
    splitter.setSizes([HEIGHT_PX] * len(widgets))
    return splitter
