"""The tables of the study of bidirectional generation, as Markdown and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from mmvae_controller.studies.bidirectional_settings import Model, Settings
from mmvae_controller.studies.files import write_text
from mmvae_controller.studies.finished import Finished
from rich.console import Console
from rich.table import Table

TABLES_FILE = 'tables.md'
NONE = ''
# What the tables show: key of the scores, heading, decimals.
COLUMNS = (
    ('log_p_x', 'log p(x)', 2),
    ('log_p_xy', 'log p(x, y)', 2),
    ('log_p_x_given_y', 'log p(x given y)', 2),
    ('generation_x_given_y', 'generation of x from y', 2),
    ('generation_y_given_x', 'generation of y from x', 3),
    ('accuracy', 'accuracy of y from x', 4),
)
# And the terminal, with room for less.
PRINTED = {
    'log_p_x': 'x',
    'log_p_xy': 'x, y',
    'log_p_x_given_y': 'x given y',
    'generation_x_given_y': 'x from y',
    'accuracy': 'y right',
}
GENERATION = 'generation_x_given_y'
BY_ASKING = 'generation_by_asking'

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Line:
    """All seeds of a model that are there."""

    model: Model
    seeds: Mapping[int, Mapping[str, Any]]

    def values(self, key: str) -> list[float]:
        """Return a score of each seed."""
        return [float(r['scores'][key]['mean']) for r in self.seeds.values()]

    @property
    def epochs(self) -> int:
        """How many each was trained for."""
        return int(next(iter(self.seeds.values()))['epochs'])

    def asked(self, what: str) -> str:
        """Return how it was asked for an image or a label, of all seeds."""
        found = dict.fromkeys(str(r['scores']['asking'][what]) for r in self.seeds.values())
        return ', '.join(found)


def lines_of(settings: Settings, results: Results) -> list[Line]:
    """Return the models of which at least one seed is there."""
    found = []
    for model in settings.models:
        names = {seed: model.job_name(seed) for seed in model.seeds}
        seeds = {seed: results[name] for seed, name in names.items() if name in results}
        if seeds:
            found.append(Line(model, seeds))
    return found


def write_tables(settings: Settings, results: Results, finished: Finished, out: Path) -> None:
    """Write tables.md of what is there."""
    lines = lines_of(settings, results)
    several = any(len(line.seeds) > 1 for line in lines)
    over = 'Mean (standard deviation) over the seeds' if several else 'One seed'
    parts = [
        *finished.caveat,
        f'{over}, test images, nats.',
        *markdown(*scores_table(lines)),
        'Generation of x from y, by the rounds of q -> p -> q; validation rows chose among them.',
        *markdown(*asking_table(lines)),
    ]
    if len(lines) > 1:
        parts += [
            f'Generation of x from y, less that of {lines[0].model.title}, seed by seed.',
            *markdown(*difference_table(lines)),
        ]
    write_text(out / TABLES_FILE, '\n'.join(parts))


def print_table(settings: Settings, results: Results) -> None:
    """Print the scores that fit a terminal of 80 columns."""
    table = Table('model', *PRINTED.values(), title='log-likelihoods (nats) and accuracy')
    decimals = {key: digits for key, _, digits in COLUMNS}
    for line in lines_of(settings, results):
        shown = [spread(line.values(key), decimals[key]) for key in PRINTED]
        table.add_row(line.model.title, *shown)
    Console().print(table)


def scores_table(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of the scores, what was published below each model."""
    header = ['model', 'seeds', 'epochs', *(title for _, title, _ in COLUMNS), 'rounds: x, y']
    rows = []
    for line in lines:
        shown = [spread(line.values(key), digits) for key, _, digits in COLUMNS]
        asked = f'{line.asked("image")}; {line.asked("label")}'
        rows.append([line.model.title, str(len(line.seeds)), str(line.epochs), *shown, asked])
        told = line.model.published
        if told:
            shown = [f'{told[k]:.{d}f}' if k in told else NONE for k, _, d in COLUMNS]
            rows.append([f'{line.model.title}, published', NONE, NONE, *shown, NONE])
    return header, rows


def asking_table(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of the images from a label, by the way of asking."""
    ways = list(
        dict.fromkeys(
            way for line in lines for r in line.seeds.values() for way in r['scores'][BY_ASKING]
        )
    )
    rows = []
    for line in lines:
        shown = []
        for way in ways:
            each = [r['scores'][BY_ASKING] for r in line.seeds.values()]
            shown.append(spread([e[way]['mean'] for e in each if way in e], 2))
        rows.append([line.model.title, *shown])
    return ['model', *ways], rows


def difference_table(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of what each model is better by than the first, by seed."""
    first = lines[0]
    rows = []
    for line in lines[1:]:
        shown = []
        for seed in first.seeds:
            both = [one.seeds[seed] for one in (line, first) if seed in one.seeds]
            values = [float(r['scores'][GENERATION]['mean']) for r in both]
            shown.append(f'{values[0] - values[1]:+.2f}' if len(values) > 1 else NONE)
        rows.append([line.model.title, *shown])
    return ['model', *(f'seed {seed}' for seed in first.seeds)], rows


def spread(values: Sequence[float], digits: int) -> str:
    """Return mean and standard deviation, which one value does not have."""
    if not values:
        return NONE
    mean = f'{fmean(values):.{digits}f}'
    return f'{mean} ({stdev(values):.{digits}f})' if len(values) > 1 else mean


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table, with empty ones around it."""
    lines = [header, ['---'] * len(header), *rows]
    return ['', *('| ' + ' | '.join(line) + ' |' for line in lines), '']
