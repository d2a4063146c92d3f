"""The live table of the demo."""

from __future__ import annotations

from mmvae_controller.cli.top_view import STYLE
from mmvae_controller.nodes.watch.monitor import Monitor
from rich.console import Group
from rich.panel import Panel
from rich.table import Table

BAR_WIDTH = 24
EPISODES_SHOWN = 8


def view(monitor: Monitor, episodes: int) -> Group:
    """Return what to show now."""
    return Group(_episodes(monitor, episodes), _importance(monitor), _statuses(monitor))


def _episodes(monitor: Monitor, episodes: int) -> Panel:
    done = monitor.record.episodes
    successes = sum(e.success for e in done)
    table = Table('episode', 'seed', 'camera', 'outcome', 'after', 'from its goal', box=None)
    for episode in done[-EPISODES_SHOWN:]:
        table.add_row(
            str(episode.number),
            str(episode.seed),
            episode.camera_told(),
            f'[{"green" if episode.success else "red"}]{episode.ending}[/]',
            f'{episode.elapsed_s:.2f} s',
            f'{episode.distance_m * 100:.1f} cm',
        )
    return Panel(table, title=f'{successes} of {len(done)} succeeded, {episodes} in all')


def _importance(monitor: Monitor) -> Panel:
    record = monitor.record
    newest = {n: record.steering[n] for n in record.importance if n in record.steering}
    table = Table(box=None, show_header=False)
    total = sum(newest.values())
    for name, nats in newest.items():
        share = nats / total if total > 0 else 0.0
        table.add_row(name, '█' * round(share * BAR_WIDTH), f'{share:4.0%}', f'{nats:9.1f} nats')
    return Panel(table, title='what the command would lose without each sense, now')


def _statuses(monitor: Monitor) -> Panel:
    table = Table('part', 'state', 'figures', box=None)
    for name, status in sorted(monitor.record.statuses.items()):
        figures = ', '.join(f'{k} {status.values[k]}' for k in _FIGURES if k in status.values)
        style = STYLE[status.level.name]
        table.add_row(name.split('/')[-1], f'[{style}]{status.message}[/]', figures)
    return Panel(table, title='/diagnostics')


_FIGURES = (
    'rate_hz',
    'tick p50 ms',
    'tick p99 ms',
    'missed ticks',
    'age_s',
    'latent_kl nats',
    'active units',
    'camera',
    'real_time_factor achieved',
    'sent',
    'held',
)
