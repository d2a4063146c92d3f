"""The command line of the plugin; without Qt, because rqt reads it before it chooses one."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the plugin understands to a command line."""
    group = parser.add_argument_group('Options of the importance plugin')
    group.add_argument('--namespace', default='', help='of the robot to show, e.g. /robot1')


def given_namespace(argv: Sequence[str]) -> str:
    """Return the namespace on the command line, as topics have it, or nothing."""
    parser = ArgumentParser(prog='rqt_mmvae', add_help=False)
    add_arguments(parser)
    return absolute(parser.parse_known_args(argv)[0].namespace)


def absolute(namespace: str) -> str:
    """Return `/robot1` for `robot1`; nothing for nothing."""
    return f'/{namespace.strip("/")}' if namespace else ''
