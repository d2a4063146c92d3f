"""Importance as tables for a terminal of 110 columns."""

from __future__ import annotations

from collections.abc import Iterator

from mmvae_controller.evaluation.patterns import known_words
from mmvae_controller.importance.asking import Answer, Spreads
from mmvae_controller.importance.words import average_words, MEANINGS, spread_words, TITLES
from rich import box
from rich.table import Table


def legend(median: bool) -> str:
    """Return what the columns mean."""
    meanings = '. '.join(f'{TITLES[name]}: {meaning}' for name, meaning in MEANINGS.items())
    return (
        f'In nats, {average_words(median)}. {meanings}. known: the steps that are known when '
        'everything is known. –: nothing of it is known, so nothing can be taken away.'
    )


def tables(answer: Answer, median: bool) -> Iterator[Table]:
    """Return one table for each protocol, and one for each phase of it."""
    for name, found in answer.protocols.items():
        known = [known_words(row) for row in found.measured.known.tolist()]
        yield _table(answer, name, known, found.spreads, median)
        for phase, spreads in found.phases.items():
            title = f'{name}, {phase} ({answer.groups.what})'
            yield _table(answer, title, known, spreads, median)


def _table(answer: Answer, title: str, known: list[str], spreads: Spreads, median: bool) -> Table:
    table = Table(title=title, title_justify='left', box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column('nats', style='bold')
    table.add_column('known')
    for name in spreads:
        table.add_column(TITLES[name].replace(', ', ',\n'), justify='right')
    for row, modality in enumerate(answer.names):
        cells = [spread_words(found[row], median) for found in spreads.values()]
        table.add_row(modality, known[row], *cells)
    return table
