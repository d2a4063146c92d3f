"""The figures as a table for a terminal of 110 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

ABSENT = '-'
MET = {True: Text('reached', 'green'), False: Text('missed', 'bold red'), None: Text('')}


def table(name: str, found: Mapping[str, Any]) -> Table:
    """Return the table of one benchmark, from its plain data."""
    shown = Table(box=box.SIMPLE_HEAD, title=name, title_justify='left', title_style='bold')
    shown.add_column('figure', ratio=1)
    for heading in ('ours', 'beside', 'ratio'):
        shown.add_column(heading, justify='right', no_wrap=True)
    shown.add_column('unit', no_wrap=True)
    for heading in ('beside is', 'goal', ''):
        shown.add_column(heading)
    for figure in found['figures']:
        shown.add_row(
            figure['name'],
            _number(figure['ours']),
            _number(figure['beside']),
            _number(figure['ratio']),
            figure['unit'],
            figure['beside_is'],
            figure['goal'] or '',
            MET[figure['met']],
        )
    return shown


def _number(value: float | None) -> str:
    if value is None:
        return ABSENT
    return f'{value:,.0f}' if abs(value) >= 1000 else f'{value:.3g}'
