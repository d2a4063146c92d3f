"""Colours that a colour-blind eye can tell apart, on light and on dark windows."""

from __future__ import annotations

from dataclasses import dataclass
import math

from mmvae_controller.nodes.reporting.status import Level
from mmvae_controller.rqt.qt import QtGui

# Below the first nobody needs to look, above the last all is lost; fixed, so that a colour means
# the same today and tomorrow.
SCALE_NATS = (0.01, 1e5)
# ColorBrewer's Blues, and the same way up on a dark window: what matters stands out.
ON_LIGHT = ((247, 251, 255), (158, 202, 225), (49, 130, 189), (8, 48, 107))
ON_DARK = ((24, 30, 40), (33, 80, 130), (107, 174, 214), (239, 247, 255))
# Okabe and Ito; the word stands beside the colour wherever it is used.
LEVEL_RGB = {
    Level.OK: (0, 158, 115),
    Level.WARN: (230, 159, 0),
    Level.ERROR: (213, 94, 0),
    Level.STALE: (128, 128, 128),
}
BAR_RGB = (49, 130, 189)
FAINT = 0.45
STALE_GREY = 0.25
BRIGHT = 140


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a window."""

    base: QtGui.QColor
    text: QtGui.QColor

    @classmethod
    def of(cls, palette: QtGui.QPalette) -> Theme:
        """Read them from the window's palette."""
        roles = QtGui.QPalette.ColorRole
        return cls(palette.color(roles.Base), palette.color(roles.Text))

    @property
    def dark(self) -> bool:
        """Tell whether the text is brighter than what is behind it."""
        return bool(brightness(self.text) > brightness(self.base))

    @property
    def faint(self) -> QtGui.QColor:
        """Return the colour of lines and small print."""
        return mixed(self.base, self.text, 1 - FAINT)

    @property
    def stale(self) -> QtGui.QColor:
        """Return the grey behind what is not known now."""
        return mixed(self.base, self.text, STALE_GREY)

    def heat(self, nats: float) -> QtGui.QColor:
        """Return the colour of a divergence, on a logarithmic scale."""
        stops = ON_DARK if self.dark else ON_LIGHT
        low, high = (math.log10(n) for n in SCALE_NATS)
        shown = min(max(nats, SCALE_NATS[0]), SCALE_NATS[1])
        place = (math.log10(shown) - low) / (high - low) * (len(stops) - 1)
        index = min(int(place), len(stops) - 2)
        first, second = (QtGui.QColor(*stops[index + step]) for step in (0, 1))
        return mixed(first, second, place - index)


def level_colour(level: Level) -> QtGui.QColor:
    """Return the colour of a level."""
    return QtGui.QColor(*LEVEL_RGB[level])


def brightness(colour: QtGui.QColor) -> int:
    """Return how bright a colour looks, 0 to 255 (the luma of Rec. 601)."""
    return (299 * colour.red() + 587 * colour.green() + 114 * colour.blue()) // 1000


def readable_on(colour: QtGui.QColor) -> QtGui.QColor:
    """Return black or white, whichever can be read on a colour."""
    return QtGui.QColor('black' if brightness(colour) > BRIGHT else 'white')


def mixed(first: QtGui.QColor, second: QtGui.QColor, share: float) -> QtGui.QColor:
    """Return a colour between two; share 0 is the first."""
    parts = zip(first.getRgb()[:3], second.getRgb()[:3], strict=True)
    return QtGui.QColor(*(round(a + (b - a) * share) for a, b in parts))
