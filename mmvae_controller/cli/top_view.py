"""The screen of `mmvae top`, line by line, for a terminal of any size."""

from __future__ import annotations

from collections.abc import Iterator
import math
import textwrap
import time

from mmvae_controller.cli.findings import clean
from mmvae_controller.cli.top_judging import OTHERS_STALE_S
from mmvae_controller.cli.top_snapshot import LastCommand, Part, Sense, Snapshot
from mmvae_controller.nodes.reporting.staleness import TOLD_STALE_S
from rich.cells import cell_len, set_cell_size
from rich.text import Text

STYLE = {'OK': 'green', 'WARN': 'yellow', 'ERROR': 'bold red', 'STALE': 'magenta'}
LEVEL_WIDTH = max(map(len, STYLE))
NAME_WIDTH, STATE_WIDTH, AGE_WIDTH, RATE_WIDTH, SHARE_WIDTH, NATS_WIDTH = 20, 9, 7, 7, 5, 8
BAR_WIDTH = 40
# The columns stay where they are, whatever the state.
SHORT = {'known at t-1 only': 'only t-1'}
GAP = '  '
MISSING = '-'
LOSES = 'command loses without it'
PART_WIDTH = 7
# Of the values of a part, those that an operator reads, and how.
FIGURES = {
    'gate': (('sent', 'sent {}'), ('held', 'held {}')),
    'loop': (
        ('tick p50 ms', 'tick p50 {} ms'),
        ('tick p99 ms', 'p99 {} ms'),
        ('missed ticks', 'missed {}'),
    ),
    'model': (('latent_kl nats', 'latent KL {} nats'), ('active units', '{} active units')),
}


def draw(
    snapshot: Snapshot,
    width: int,
    height: int | None = None,
    bar: str = '█',
    whole: bool = False,
) -> list[Text]:
    """Return the lines to show, cut to a terminal's size.

    Args:
        snapshot: What is known now.
        width: In columns.
        height: In lines; None is as many as there are.
        bar: What bars are made of.
        whole: Let what is said be wider: for a pipe or a file, from which nobody can ask for more.

    """
    lines = [_title(snapshot, width)]
    if snapshot.silent:
        lines += _advice(snapshot, width)
    if snapshot.senses:
        lines += _senses(snapshot.senses, width, bar)
    lines.append(Text())
    for part in snapshot.parts:
        lines += _part(part, width)
    lines += _command(snapshot.command, width)
    if snapshot.others:
        lines += [Text(), Text('also on /diagnostics', style='bold')]
        lines += [_other_line(part) for part in snapshot.others]
    if height is not None and len(lines) > height:
        left = len(lines) - height + 1
        lines = [*lines[: height - 1], Text(f'... {left} more lines than fit', style='dim')]
    for line in lines:
        line.no_wrap = True
        if whole:
            continue
        line.truncate(width, overflow='crop' if bar.isascii() else 'ellipsis')
    return lines


def advice(snapshot: Snapshot) -> list[str]:
    """Return what to check when nothing is heard; the first is what is wrong."""
    place = snapshot.place
    variables = ' and '.join(f'{k}={v}' for k, v in place.variables.items())
    lines = [
        f'nothing heard for {snapshot.silent_s:.0f} s in namespace {place.namespace}; check:',
        'do controller and diagnostics run?',
        f'do they have {variables}?',
    ]
    others = [n for n in snapshot.namespaces if n != place.namespace]
    if place.namespace in snapshot.namespaces:
        lines.append('topics are here but no message: do they run as the same user?')
    elif others:
        lines.append(f'another --namespace? importance is published in {", ".join(others)}')
    else:
        lines.append('another --namespace? importance is published in none that is seen from here')
    return [clean(line) for line in lines]


def _advice(snapshot: Snapshot, width: int) -> Iterator[Text]:
    for number, line in enumerate(advice(snapshot)):
        for piece in textwrap.wrap(line, max(1, width - len(GAP))):
            yield Text(f'{GAP}{piece}') if number else Text(piece, style='bold red')
    yield Text()


def _title(snapshot: Snapshot, width: int) -> Text:
    left = f'mmvae top{GAP}{clean(snapshot.place.namespace)}'
    domain = snapshot.place.variables.get('ROS_DOMAIN_ID', '')
    clock = time.strftime('%H:%M:%S', time.localtime(snapshot.unix_s))
    right = f'domain {clean(domain)}{GAP}{clock}'
    space = max(len(GAP), width - cell_len(left) - cell_len(right))
    return Text(f'{left}{" " * space}{right}', style='reverse')


def _senses(senses: tuple[Sense, ...], width: int, bar: str) -> Iterator[Text]:
    name_width = min(NAME_WIDTH, max(cell_len(clean(s.name)) for s in senses))
    name_width = max(name_width, PART_WIDTH)
    fixed = (name_width, LEVEL_WIDTH, STATE_WIDTH, AGE_WIDTH, RATE_WIDTH, SHARE_WIDTH, NATS_WIDTH)
    bar_width = max(0, min(BAR_WIDTH, width - sum(fixed) - len(GAP) * len(fixed)))
    head = [
        _cell('sense', name_width),
        _cell('level', LEVEL_WIDTH),
        _cell('state', STATE_WIDTH),
        'age'.rjust(AGE_WIDTH),
        'rate'.rjust(RATE_WIDTH),
        _cell(LOSES, bar_width + len(GAP) + SHARE_WIDTH),
        'nats'.rjust(NATS_WIDTH),
    ]
    yield Text(GAP.join(head), style='bold')
    for sense in senses:
        filled = round((sense.share or 0.0) * bar_width)
        share = MISSING if sense.share is None else f'{sense.share:.0%}'
        yield Text.assemble(
            _cell(clean(sense.name), name_width) + GAP,
            (_cell(sense.level, LEVEL_WIDTH) + GAP, STYLE[sense.level]),
            _cell(clean(SHORT.get(sense.state, sense.state)) or MISSING, STATE_WIDTH) + GAP,
            _seconds(sense.age_s).rjust(AGE_WIDTH) + GAP,
            _hertz(sense.rate_hz).rjust(RATE_WIDTH) + GAP,
            ((bar * filled).ljust(bar_width) + GAP, 'cyan'),
            share.rjust(SHARE_WIDTH) + GAP,
            _nats(sense.nats).rjust(NATS_WIDTH),
        )
        if sense.trouble:
            yield Text(' ' * name_width + GAP + clean(sense.trouble), style=STYLE[sense.level])


def _part(part: Part, width: int) -> Iterator[Text]:
    figures = ', '.join(
        text.format(clean(part.values[key]))
        for key, text in FIGURES[part.name]
        if key in part.values
    )
    line = Text.assemble(
        _cell(part.name, PART_WIDTH) + GAP,
        (_cell(part.level, LEVEL_WIDTH) + GAP, STYLE[part.level]),
        (clean(part.message), '' if part.level == 'OK' else STYLE[part.level]),
    )
    # A message that says what is wrong is not cut short for the sake of figures.
    if figures and line.cell_len + len(GAP) + cell_len(figures) > width:
        yield line
        line = Text(' ' * (PART_WIDTH + LEVEL_WIDTH + len(GAP)))
    if figures:
        line.append(GAP + figures)
    yield line


def _other_line(part: Part) -> Text:
    old = part.heard_s is not None and TOLD_STALE_S < part.heard_s <= OTHERS_STALE_S
    heard = f', {part.heard_s:.0f} s ago' if old else ''
    return Text.assemble(
        (_cell(part.level, LEVEL_WIDTH) + GAP, STYLE[part.level]),
        f'{clean(part.name)}: {clean(part.message)}{heard}',
    )


def _command(command: LastCommand | None, width: int) -> Iterator[Text]:
    start = _cell('command', PART_WIDTH) + GAP
    if command is None:
        yield Text.assemble(start, (_cell('STALE', LEVEL_WIDTH), STYLE['STALE']), GAP + 'none yet')
        return
    text = clean(command.topic)
    if command.level != 'OK':
        text += f'; none for {command.heard_s:.0f} s'
    elif command.rate_hz is not None:
        text += f', {_hertz(command.rate_hz)}, in {command.unit}'
    yield Text.assemble(
        start, (_cell(command.level, LEVEL_WIDTH) + GAP, STYLE[command.level]), text
    )
    yield from _joints(command, width - len(start), ' ' * len(start))


def _joints(command: LastCommand, width: int, indent: str) -> Iterator[Text]:
    names = [clean(n) for n in command.names]
    name_width = max(map(cell_len, names), default=0)
    cells = [
        (f'{_cell(n, name_width)} {v:+8.3f}', '' if math.isfinite(v) else STYLE['ERROR'])
        for n, v in zip(names, command.values, strict=True)
    ]
    columns = max(1, width // (name_width + 1 + 8 + len(GAP)))
    for first in range(0, len(cells), columns):
        line = Text(indent)
        for text, style in cells[first : first + columns]:
            line.append(text + GAP, style=style)
        yield line


def _cell(text: str, width: int) -> str:
    return set_cell_size(text, width)


def _seconds(value: float | None) -> str:
    if value is None:
        return MISSING
    return f'{value:.2f} s' if value < 10 else f'{value:.0f} s'


def _hertz(value: float | None) -> str:
    return MISSING if value is None else f'{value:.0f} Hz' if value >= 10 else f'{value:.1f} Hz'


def _nats(value: float | None) -> str:
    if value is None:
        return MISSING
    return f'{value:.0f}' if value >= 100 else f'{value:.2f}'
