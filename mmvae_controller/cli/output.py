"""How results look in a terminal, in a pipe and as pictures."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from rich.console import Console

FIGURE_DPI = 130


def console_for(columns: int) -> Console:
    """Return where tables go; in a file or a pipe they are so many columns wide."""
    console = Console(highlight=False)
    if not console.is_terminal:
        # Nobody knows the width there, and 80 columns would cut the numbers.
        console.width = columns
    return console


def png(figure: Any, dpi: int = FIGURE_DPI) -> bytes:
    """Return a matplotlib figure as a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format='png', dpi=dpi)
    return buffer.getvalue()
