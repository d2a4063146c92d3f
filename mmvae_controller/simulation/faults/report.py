"""The page of a fault benchmark, as Markdown: what was asked, what came out, in which cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import textwrap
from typing import Any

from mmvae_controller.simulation.faults.effects import (
    DELAY_S,
    JOINT_BIAS_RAD,
    JOINT_NOISE_RAD,
    PIXEL_NOISE,
    STUCK_ON_N,
)
from mmvae_controller.simulation.faults.schedule import OFF_S, ON_S

Data = Mapping[str, Any]
ABSENT = '–'
COLUMNS = 99
FIGURES = ('success', 'detection')
HEADER = (
    'fault', 'begins', 'model', 'peer, zeros', 'peer, last held', 'expert', 'noticed after (s)',
    'noticed in', 'false alarms', 'held', 'unsafe', 'jump (rad)',
)  # fmt: skip
FAULTS_EXPLAINED = f"""
| fault | what arrives |
|---|---|
| `camera_black` | the darkness of the simulated sensor: dark current and noise |
| `camera_frozen` | the last picture before the fault, again and again, as if new |
| `camera_delayed` | every picture {DELAY_S:g} s late; none until the first is that old |
| `camera_noise` | pictures with noise of {PIXEL_NOISE:g} grey levels on every pixel |
| `camera_occluded` | a quarter to a third of the picture is grey, its middle always |
| `joints_noise` | angles with noise of {JOINT_NOISE_RAD:g} rad on every joint |
| `joints_bias` | one joint, which one by the seed, {JOINT_BIAS_RAD:g} rad beside where it is |
| `joints_permuted` | every angle under the name of another joint |
| `touch_dead` | zeros |
| `touch_stuck_on` | {STUCK_ON_N:g} N upwards all the time, as in contact |
| `..._absent` | no message |
""".strip()

BEGINS = (
    'A fault is there from the first reading (`beginning`), from {moment:g} s on (`midway`), or '
    f'from then on for {ON_S:g} s at a time with {OFF_S:g} s between (`intermittent`). The same '
    'seed draws the same noise, joint and block.'
)
TERMS = (
    '- **model**: as on the robot, with the senses it requires and all that the controller '
    'judges, lying senses included if `mmvae calibrate` has measured the model.',
    '- **peer**: a plain network, cloned from the same demonstrations (`mmvae clone`), through '
    'the same window, gate and limits. It knows no masks. What the window calls missing (silent, '
    'too old, blank) is filled for it: with zeros in the unit of the sense, or with the last '
    'value that was there. Lying senses are found by what the model expects, so the peers have '
    'nobody who finds them. Before an episode begins, t-1 is what t is, at rest. No sense is '
    'required of it, so it is never held for one; only when the joints were not measured for '
    'long, its set-point is given up like that of all others.',
    '- **expert**: looks into the simulator and uses no sense. It goes through the same '
    'controller as the model, so it is held while a required sense is missing, and let go when '
    'the joints seem to be elsewhere than they were sent. What it lacks to 1 is what the '
    'controller costs, not the policy.',
    '- **noticed after**: from the begin of the fault to the first tick at which a sense is not '
    'taken for measured any more: masked, distrusted, or so old that it is only predicted. Of '
    'two senses the later one. The median over all episodes; – if half of them or more ended '
    'before, in success or not. **noticed in**: the share of episodes.',
    '- **false alarms**: how often another sense was given up, or the same one before the '
    'fault; in all episodes of the cell together.',
    '- **held**: the share of ticks at which the arm was held, or nothing was sent.',
    '- **unsafe**: commands that are not finite, outside the position limits, or farther from '
    'the last one than the limits of speed and of change of speed allow, counted by code that '
    'shares nothing with the gate. A command that repeats the last one is a hold and may stop at '
    'once.',
    '- **jump**: the farthest any first command was from where that joint really was; one '
    'period of acceleration is a little. It is counted from what is measured, so joints that lie '
    'from the beginning make the arm jump by as much as they lie, if the other senses do not '
    'tell.',
)


def page(data: Data, name: str, figures: Sequence[str] = FIGURES) -> str:
    """Return the page; its figures lie in `images/` beside it, and their names begin with its."""
    lines = [
        f'# Faults of the senses: {data["model"]} on {data["task"]}',
        '',
        *_wrapped(
            'What becomes of success and safety when a sense fails: silently, or with a lie. '
            f'{_episodes(data)}'
        ),
        '',
        '```bash',
        data['command'],
        '```',
        '',
        *_summary(data),
        '',
    ]
    for figure in figures:
        lines += [f'![{figure}](images/{name}_{figure}.png)', '']
    lines += ['## Every cell', '', *_table(data), '', *_explained(data)]
    return '\n'.join(lines) + '\n'


def _episodes(data: Data) -> str:
    chosen = data['settings']
    last = data['seed'] + chosen['episodes'] - 1
    return (
        f'{chosen["episodes"]} episodes for each cell and driver, seeds {data["seed"]} to {last}, '
        f'robot `{data["robot"]}`, the same scenes in every cell.'
    )


def _summary(data: Data) -> list[str]:
    """Return what all cells come to; nothing in it is judged, only counted."""
    cells = data['cells']
    beside = [c for c in cells if c['peer_success_rate'] is not None]
    lines = ['| | |', '|---|---|']
    if data['clean'] is not None:
        lines.append(f'| success without a fault | {_rate(data["clean"]["success_rate"])} |')
    if cells:
        mean = sum(c['success_rate'] for c in cells) / len(cells)
        lines.append(f'| success, mean over {len(cells)} cells | {_rate(mean)} |')
        worst = min(cells, key=lambda c: c['success_rate'])
        where = f'{worst["fault"]}, {worst["start"]}'
        lines.append(f'| the worst cell | {_rate(worst["success_rate"])}: {where} |')
    if beside:
        mean = sum(c['peer_success_rate'] for c in beside) / len(beside)
        better = sum(c['success_rate'] > c['peer_success_rate'] for c in beside)
        worse = sum(c['success_rate'] < c['peer_success_rate'] for c in beside)
        lines.append(f'| the better peer of each cell, mean | {_rate(mean)} |')
        lines.append(f'| cells in which the model is better, worse | {better}, {worse} |')
    every = [*cells, *([data['clean']] if data['clean'] else [])]
    others = sum(sum(c['others_unsafe_commands'].values()) for c in every)
    unsafe = sum(c['unsafe_commands'] for c in every)
    lines.append(f'| unsafe commands: model, all others | {unsafe}, {others} |')
    return lines


def _table(data: Data) -> list[str]:
    every = [*([data['clean']] if data['clean'] else []), *data['cells']]
    rows = [HEADER, ['---'] * len(HEADER), *(_row(cell) for cell in every)]
    return ['| ' + ' | '.join(row) + ' |' for row in rows]


def _row(cell: Data) -> list[str]:
    return [
        cell['fault'] or 'none',
        cell['start'] or ABSENT,
        _rate(cell['success_rate']),
        _rate(cell['peer_zero_success_rate']),
        _rate(cell['peer_hold_success_rate']),
        _rate(cell['expert_success_rate']),
        _rate(cell['detection_s']),
        _rate(cell['detected_share']),
        str(cell['false_alarms']),
        _rate(cell['held_share']),
        str(cell['unsafe_commands']),
        f'{cell["largest_jump_rad"]:.3f}',
    ]


def _rate(value: float | None) -> str:
    return ABSENT if value is None else f'{value:.2f}'


def _explained(data: Data) -> list[str]:
    lines = ['## What was asked', '', FAULTS_EXPLAINED, '']
    lines += _wrapped(BEGINS.format(moment=data['settings']['moment_s']))
    lines += ['', *(line for term in TERMS for line in _wrapped(term, '  ')), '']
    for name, reason in data['left_out'].items():
        lines += [*_wrapped(f'Left out: `{name}`, because {reason}.'), '']
    if data['peer'] is None:
        lines += ['No peer was given, so there is nothing beside the model but the expert.', '']
    versions = ', '.join(f'{name} {found}' for name, found in data['versions'].items())
    return [*lines, f'Network sha256 `{data["sha256"]}`.', f'{versions}.']


def _wrapped(text: str, indent: str = '') -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
