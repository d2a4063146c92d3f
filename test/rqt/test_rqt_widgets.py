"""Windows as pictures: the eye is drawn to what matters, and nothing old looks alive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('PyQt5')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.reporting.status import Level  # noqa: E402
from mmvae_controller.rqt.qt import QtCore, QtGui  # noqa: E402
from mmvae_controller.rqt.robot import pin  # noqa: E402
from mmvae_controller.rqt.theme import brightness as luma  # noqa: E402
from mmvae_controller.rqt.theme import LEVEL_RGB, readable_on, Theme  # noqa: E402

SIZES = [(900, 600), (1600, 900), (400, 300), (120, 60), (40, 40), (1, 1)]


def corner(rect: Any) -> Any:
    """Return a point of a cell that no text covers."""
    return rect.topLeft() + QtCore.QPoint(rect.width() // 12 + 4, rect.height() // 10 + 4)


def grey(colour: tuple[int, int, int]) -> bool:
    return max(colour) - min(colour) <= 2


def brightness(colour: tuple[int, int, int]) -> int:
    return sum(colour)


def show(panel: Any, view: Any) -> None:
    panel.show_namespaces(['/'], '/')
    panel.show_view(view)
    panel.grab()  # lays it out


def test_the_largest_number_is_the_darkest_cell(board: Any, panel: Any, pixel: Any):
    show(panel, board.view(10.1))
    heat = panel.heat_map
    colours = {(i, j): pixel(heat, corner(heat.cell(i, j))) for i in range(4) for j in range(4)}
    assert min(colours, key=lambda at: brightness(colours[at])) == (0, 0)
    assert brightness(colours[3, 2]) > brightness(colours[2, 2]) > brightness(colours[1, 0])


def test_on_a_dark_window_the_largest_number_is_the_brightest(board: Any, panel: Any, pixel: Any):
    palette = QtGui.QPalette()
    roles = QtGui.QPalette.ColorRole
    for role, colour in ((roles.Base, '#1e1e1e'), (roles.Text, '#eeeeee')):
        palette.setColor(role, QtGui.QColor(colour))
    panel.setPalette(palette)
    show(panel, board.view(10.1))
    heat = panel.heat_map
    largest, smallest = (pixel(heat, corner(heat.cell(i, j))) for i, j in ((0, 0), (3, 2)))
    assert brightness(largest) > brightness(smallest) + 200


def test_numbers_can_be_read_on_every_colour(application: Any):
    light = Theme(QtGui.QColor('white'), QtGui.QColor('black'))
    dark = Theme(QtGui.QColor('#1e1e1e'), QtGui.QColor('#eeeeee'))
    for theme in (light, dark):
        for nats in np.logspace(-3, 6, 60):
            colour = theme.heat(nats)
            assert abs(luma(readable_on(colour)) - luma(colour)) > 90


def test_only_the_column_of_the_command_has_a_frame(board: Any, panel: Any, pixel: Any):
    show(panel, board.view(10.1))
    heat = panel.heat_map
    left_edges = [heat.cell(1, j).topLeft() for j in range(4)]
    assert [brightness(pixel(heat, p)) == 0 for p in left_edges] == [False, False, False, True]


def test_a_stale_matrix_is_a_grey_sheet(board: Any, panel: Any, pixel: Any):
    show(panel, board.view(13.2))
    heat = panel.heat_map
    sheet = Theme.of(panel.palette()).stale.getRgb()[:3]
    assert sheet != (255, 255, 255)
    for row in range(4):
        assert pixel(heat, corner(heat.cell(row, 0))) == sheet
    assert panel.headline.text().startswith('STALE, last 3.2 s ago')
    assert panel.heat_map.explain(heat.cell(0, 0).center()).startswith('Row i, column j')


def test_a_row_that_could_not_be_measured_is_hatched_and_not_coloured(
    board: Any, panel: Any, pixel: Any
):
    show(panel, board.view(10.1))
    panel.choose_kind('alone')
    heat = panel.heat_map
    assert grey(pixel(heat, corner(heat.cell(2, 1))))
    assert 'touch is missing' in heat.explain(heat.cell(2, 1).center())
    assert not grey(pixel(heat, corner(heat.cell(1, 0))))


def test_a_row_that_could_not_be_measured_says_why(board: Any, panel: Any):
    show(panel, board.view(10.1))
    panel.choose_kind('alone')
    heat = panel.heat_map
    row = heat.cell(2, 0).united(heat.cell(2, 2))
    picture = heat.grab().toImage()
    middle = [picture.pixelColor(x, row.center().y()) for x in range(row.left(), row.right())]
    assert min(luma(colour) for colour in middle) < 60  # Darker than the hatching: letters.


def test_every_cell_has_a_tool_tip_with_its_number(board: Any, panel: Any):
    show(panel, board.view(10.1))
    heat = panel.heat_map
    assert heat.explain(heat.cell(0, 3).center()) == (
        'motor moves by 35.2 nats when camera is taken away.'
    )


def test_the_sense_that_steers_has_the_longest_bar(board: Any, panel: Any, pixel: Any):
    show(panel, board.view(10.1))
    lengths = [panel.bars.length_px(i) for i in range(4)]
    assert lengths[0] > lengths[1] > lengths[3] > lengths[2]
    room = panel.bars.bar(0)
    blue, empty = (
        pixel(panel.bars, QtCore.QPoint(x, room.center().y()))
        for x in (room.left() + 5, room.right() - 2)
    )
    assert not grey(blue)
    assert grey(empty)
    tip = panel.bars.explain(room.center())
    assert 'Without it the command would move by 35.2 nats' in tip


def test_a_stale_sense_has_no_bar_and_a_grey_row(
    board: Any, panel: Any, pixel: Any, messages: Any
):
    pin(board, 10.1, ('told', ''), messages.diagnostics(touch=3))
    show(panel, board.view(10.2))
    assert panel.bars.length_px(2) == 0
    assert grey(pixel(panel.bars, panel.bars.bar(2).center()))
    assert 'cannot be measured' in panel.bars.explain(panel.bars.bar(2).center())


def test_levels_have_colours_that_the_colour_blind_can_tell_apart(
    board: Any, panel: Any, pixel: Any, messages: Any
):
    pin(board, 10.1, ('told', ''), messages.diagnostics(camera=2, joints=1))
    show(panel, board.view(10.2))
    corners = [QtCore.QPoint(8, panel.bars.bar(i).top() + 2) for i in range(3)]
    badges = [pixel(panel.bars, point) for point in corners]
    assert badges == [LEVEL_RGB[level] for level in (Level.ERROR, Level.WARN, Level.OK)]


def test_pictures_are_drawn_as_they_came(board: Any, panel: Any, pixel: Any):
    show(panel, board.view(10.1))
    row = panel.pictures
    assert pixel(row, row.target(0, 0).center()) == (200, 30, 30)
    assert pixel(row, row.target(0, 1).center()) == (30, 200, 30)
    assert abs(row.target(0, 0).width() / row.target(0, 0).height() - 12 / 8) < 0.05


def test_a_covered_camera_is_black_and_a_stale_one_grey(
    board: Any, panel: Any, pixel: Any, messages: Any
):
    pin(board, 10.1, ('seen', 'camera'), messages.picture((0, 0, 0)))
    show(panel, board.view(10.2))
    row = panel.pictures
    assert pixel(row, row.target(0, 0).center()) == (0, 0, 0)
    assert 'covered or dark?' in row.explain(row.target(0, 0).center())
    show(panel, board.view(13.2))
    stale = pixel(row, corner(row.target(0, 0)))
    assert grey(stale)
    assert 0 < stale[0] < 255


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('now_s', [10.1, 13.2])
@pytest.mark.parametrize('kind', ['without', 'alone'])
def test_every_size_can_be_drawn(
    board: Any, panel: Any, size: tuple[int, int], now_s: float, kind: str
):
    show(panel, board.view(now_s))
    panel.choose_kind(kind)
    panel.resize(*size)
    for widget in (panel.heat_map, panel.bars, panel.pictures):
        widget.setMinimumSize(0, 0)
        widget.resize(*size)
        assert not widget.grab().isNull()
        assert widget.explain(QtCore.QPoint(0, 0)) is not None


@pytest.mark.parametrize(
    'spoil',
    [
        lambda m: m.layout.dim.clear(),
        lambda m: setattr(m.layout.dim[0], 'label', ''),
        lambda m: setattr(m.layout.dim[1], 'size', 7),
        lambda m: setattr(m, 'data', []),
        lambda m: setattr(m, 'data', [float('nan')] * 16),
        lambda m: setattr(m, 'data', [float('inf')] * 16),
        lambda m: setattr(m, 'data', [-1.0] * 16),
    ],
)
def test_a_broken_matrix_is_drawn_as_a_sentence_or_as_what_it_is(
    board: Any, panel: Any, messages: Any, spoil: Any
):
    matrix = messages.matrix()
    spoil(matrix)
    pin(board, 10.1, ('importance/matrix', 'without'), matrix)
    view = board.view(10.2)
    show(panel, view)
    assert view.matrices['without'].live or view.matrices['without'].note


def test_an_empty_panel_says_what_is_missing(panel: Any):
    panel.show_namespaces([], '')
    panel.show_view(None)
    panel.grab()
    assert 'Nobody publishes importance/matrix' in panel.headline.text()


def test_a_chosen_robot_stays_in_the_list_when_it_is_gone(panel: Any):
    panel.show_namespaces(['/a', '/b'], '/b')
    panel.show_namespaces(['/a'], '/b')
    assert [panel.namespaces.itemText(i) for i in range(2)] == ['/a', '/b']
    assert panel.namespaces.currentText() == '/b'


def test_choosing_a_matrix_that_does_not_exist_changes_nothing(panel: Any):
    panel.choose_kind('alone')
    panel.choose_kind('nonsense')
    assert panel.kind == 'alone'
