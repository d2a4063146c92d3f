"""`mmvae top`: what a running robot senses, steers by and commands, in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from io import TextIOWrapper
import os
import shutil
import sys
import time
from typing import NoReturn

from mmvae_controller.cli.top_judging import take
from mmvae_controller.cli.top_snapshot import Place, Snapshot
from mmvae_controller.cli.top_view import advice, draw
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.nodes.signals import Leaving
from mmvae_controller.nodes.watch.watching import Watcher
from rich.console import Console, Group
from rich.live import Live

REFRESH_S = 0.25
PLAIN_S = 1.0
ONCE_S = 5.0
PLAIN_WIDTH = 100
BAR, ASCII_BAR = '█', '#'
# What decides which nodes are heard, and what holds where it is not set.
VARIABLES = {'ROS_DOMAIN_ID': '0', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}
# Listens for so long, and tells what is known then.
Wait = Callable[[float], Snapshot]


def run(namespace: str, once: bool, json: bool) -> int:
    """Show a robot until told to leave.

    Args:
        namespace: Of the robot.
        once: Show one snapshot, as soon as there is one.
        json: As one line of JSON for each snapshot.

    Returns:
        The exit code: 1 if nothing was heard for a snapshot, else 0.

    Raises:
        NamespaceError: The namespace cannot be one.
        KeyboardInterrupt: Told to leave.

    """
    if isinstance(sys.stdout, TextIOWrapper):
        # What others are called must not end us in a terminal that lacks their letters.
        sys.stdout.reconfigure(errors='replace')
    place = Place(
        f'/{namespace.strip("/")}', {k: os.environ.get(k, v) for k, v in VARIABLES.items()}
    )
    console = Console()
    with Leaving() as leaving, closing(Watcher(namespace)) as watcher:

        def wait(duration_s: float) -> Snapshot:
            until_s = time.monotonic() + duration_s
            while not leaving.asked and (left_s := until_s - time.monotonic()) > 0:
                watcher.spin(min(left_s, REFRESH_S))
            if leaving.asked:
                raise KeyboardInterrupt
            return take(watcher.watched, place, time.monotonic(), time.time())

        if once:
            return _show_once(wait, console, json)
        if json or _plain(console):
            _show_lines(wait, console, json)
        _show_live(wait, console)


def _show_once(wait: Wait, console: Console, json: bool) -> int:
    until_s = time.monotonic() + ONCE_S
    snapshot = wait(0.0)
    while not snapshot.complete and time.monotonic() < until_s:
        snapshot = wait(REFRESH_S)
    if snapshot.silent:
        print(' '.join(advice(snapshot)), file=sys.stderr)
        return ExitCode.FAILED
    _print(snapshot, console, json)
    return ExitCode.OK


def _show_lines(wait: Wait, console: Console, json: bool) -> NoReturn:
    while True:
        _print(wait(PLAIN_S), console, json)


def _show_live(wait: Wait, console: Console) -> NoReturn:
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            lines = draw(wait(REFRESH_S), *console.size, _bar(console))
            live.update(Group(*lines), refresh=True)


def _print(snapshot: Snapshot, console: Console, json: bool) -> None:
    if json:
        print(snapshot.as_json(), flush=True)
        return
    if not _plain(console):
        for line in draw(snapshot, console.width, bar=_bar(console)):
            console.print(line)
        return
    width = shutil.get_terminal_size((PLAIN_WIDTH, 0)).columns
    lines = [line.plain.rstrip() for line in draw(snapshot, width, bar=_bar(console), whole=True)]
    print('\n'.join([*lines, '']), flush=True)


def _plain(console: Console) -> bool:
    """Tell whether escape codes have no place here, even if FORCE_COLOR asks for them."""
    return not sys.stdout.isatty() or console.is_dumb_terminal


def _bar(console: Console) -> str:
    return ASCII_BAR if console.options.ascii_only else BAR
