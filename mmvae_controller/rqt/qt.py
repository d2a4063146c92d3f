"""The one place that imports Qt: as rqt chose it, else PyQt5 by itself."""

from __future__ import annotations

from mmvae_controller.rqt.errors import RqtError

try:
    try:
        from python_qt_binding import QtCore, QtGui, QtWidgets
    except ModuleNotFoundError as error:
        if error.name != 'python_qt_binding':
            raise
        from PyQt5 import QtCore, QtGui, QtWidgets
except ImportError as error:
    raise RqtError(
        f'Qt cannot be imported ({error}): install rqt with '
        '`sudo apt install ros-$ROS_DISTRO-rqt`, or PyQt5 with `pip install PyQt5`'
    ) from error

# PySide and rqt say Signal, PyQt5 alone pyqtSignal.
Signal = QtCore.Signal if hasattr(QtCore, 'Signal') else QtCore.pyqtSignal
Slot = QtCore.Slot if hasattr(QtCore, 'Slot') else QtCore.pyqtSlot
Qt = QtCore.Qt

__all__ = ['Qt', 'QtCore', 'QtGui', 'QtWidgets', 'Signal', 'Slot']
