"""How a program of ours ended, for scripts: the node programs and `mmvae` alike."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What docs/troubleshooting.md#exit-codes lists."""

    OK = 0
    # It ran, and what it found or did falls short: see what it printed.
    FAILED = 1
    # It did not begin, or could not go on: the one line on stderr says what to change.
    REFUSED = 2
    # By Ctrl+C, SIGTERM or a closed terminal.
    INTERRUPTED = 130
