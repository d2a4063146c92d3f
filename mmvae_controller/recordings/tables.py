"""What an import found as tables for a terminal of 110 columns."""

from __future__ import annotations

from collections.abc import Iterator

from mmvae_controller.recordings.report import Report
from mmvae_controller.recordings.rows import NO_LABEL
from mmvae_controller.recordings.tally import Tally
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

# All of them are in the JSON.
EPISODES_SHOWN = 12
OTHERS_SHOWN = 8
LEGEND = (
    'gaps: longer than max_age_s, and within a stretch of the recording; for their length less '
    'max_age_s the sense was masked. rejected: no sample of the sense. unsound: a sample, and '
    'masked, such as a black picture. known: share of the rows.'
)


def tables(report: Report) -> list[Table]:
    """Return a table of the topics and one of the episodes."""
    return [_topics(report), *([_episodes(report)] if report.episodes else [])]


def lines(report: Report) -> Iterator[Text]:
    """Yield what else there is to say."""
    for bag in report.bags:
        simulated = f'simulated time, {bag.clock_topic}'
        clock = {'sim': simulated, 'bag': "the recorder's time"}.get(bag.clock, '')
        length_s = bag.end_s - bag.begin_s
        yield Text(f'{bag.path}: {bag.messages} messages, {length_s:.1f} s; {clock or "unread"}')
        for missing in bag.missing:
            yield Text(f'  unused: {missing}', style='red')
        for note in bag.notes:
            yield Text(f'  {note}', style='yellow')
        others = list(bag.others)
        if others:
            more = f' and {len(others) - OTHERS_SHOWN} more' if len(others) > OTHERS_SHOWN else ''
            yield Text(f'  not asked for: {", ".join(others[:OTHERS_SHOWN])}{more}', style='dim')
    for name, tally in report.tallies.items():
        if tally.rejected:
            yield Text(
                f'{name}: {tally.rejected} messages rejected, the first: {tally.first_rejected}',
                style='yellow',
            )
        if tally.unsound:
            yield Text(
                f'{name}: {tally.unsound} samples are masked, the first: {tally.first_unsound}',
                style='yellow',
            )
    for why, count in report.dropped.items():
        yield Text(f'{count} rows dropped: {why}', style='yellow')
    lost = sum(episode.ended.startswith(NO_LABEL) for episode in report.episodes)
    if 2 * lost > len(report.episodes):
        yield Text(
            f'{lost} of {len(report.episodes)} episodes end for want of a set-point: they come '
            f'more slowly, or less evenly, than {1 / report.period_s:g} times a second; lower '
            '--record-hz',
            style='yellow',
        )
    if report.continued:
        yield Text(
            f'{len(report.continued)} episodes are more of the one before: training keeps them '
            'together'
        )
    if len(report.episodes) - len(report.continued) == 1:
        yield Text(
            'all rows are of one recorded episode: none can be held out; mark episodes, pause '
            'between them, or import more bags',
            style='yellow',
        )


def _topics(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title='Topics', title_justify='left', title_style='bold')
    table.add_column('', style='bold')
    table.add_column('topic', overflow='fold')
    for title in ('samples', 'Hz', 'gaps', 'longest\ns', 'masked\ns', 'rejec-\nted', 'un-\nsound'):
        table.add_column(title, justify='right')
    table.add_column('known', justify='right')
    for name, tally in report.tallies.items():
        known = report.known.get(name)
        share = '' if known is None or not report.rows else f'{known / report.rows:.1%}'
        table.add_row(
            escape(name),
            escape(tally.topic),
            str(tally.used),
            f'{tally.rate_hz:.1f}',
            _count(len(tally.masked_s)),
            f'{tally.largest_gap_s:.3f}',
            f'{tally.stale_s:.1f}' if tally.masked_s else '',
            _count(tally.rejected),
            _count(tally.unsound),
            share,
            style='red' if _is_silent(tally) else None,
        )
    return table


def _episodes(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title='Episodes', title_justify='left', title_style='bold')
    for title in ('', 'bag'):
        table.add_column(title)
    for title in ('from\ns', 'rows', 's'):
        table.add_column(title, justify='right')
    table.add_column('began')
    table.add_column('ended')
    for episode in report.episodes[:EPISODES_SHOWN]:
        table.add_row(
            str(episode.number),
            escape(episode.bag),
            f'{episode.begin_s:.2f}',
            str(episode.rows),
            f'{report.duration_s(episode):.2f}',
            escape(episode.began),
            escape(episode.ended),
        )
    more = len(report.episodes) - EPISODES_SHOWN
    if more > 0:
        table.add_row('…', f'{more} more', '', '', '', '', 'all are in the JSON')
    return table


def _is_silent(tally: Tally) -> bool:
    return not tally.used


def _count(number: int) -> str:
    return str(number) if number else ''
