"""Messages of one robot onto its board."""

from __future__ import annotations

from typing import Any

from mmvae_controller.nodes.wire.topic_names import MATRIX, TOLD
from mmvae_controller.rqt.board import Board
from mmvae_controller.rqt.contents import read_status, Told


def pin(board: Board, received_s: float, key: Any, message: Any) -> None:
    """Put a message on the board."""
    kind, name = key
    if kind == TOLD:
        board.told(received_s, (_told(status) for status in message.status))
    elif kind == MATRIX:
        dims = message.layout.dim
        board.matrix_came(
            name,
            received_s,
            [d.label for d in dims],
            [d.size for d in dims],
            message.data,
            message.layout.data_offset,
        )
    else:
        size = (message.height, message.width, message.step)
        board.picture_came(kind, name, received_s, message.encoding, *size, message.data)


def _told(status: Any) -> Told:
    return read_status(
        status.name, status.level, status.message, ((v.key, v.value) for v in status.values)
    )
