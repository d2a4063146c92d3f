"""report.html: one page that needs nothing beside it, for those who were not there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
import html

from mmvae_controller.evaluation.patterns import known_words
from mmvae_controller.importance.asking import Answer, Spreads
from mmvae_controller.importance.measuring import Measured
from mmvae_controller.importance.summary import averaged
from mmvae_controller.importance.verdict import verdict
from mmvae_controller.importance.words import (
    average_words,
    MEANINGS,
    number,
    options_words,
    spread_words,
    step_name,
    TITLES,
)
import numpy as np
from numpy.typing import NDArray

# How each kind of figure is to be read, by the first word of its name.
READING: Mapping[str, tuple[str, str]] = {
    'bars': (
        'Every measure of every sense',
        'One row of panels for each protocol, one column for each measure, one bar for each '
        'modality. The black line is the interval in which the mean lies with 95 % confidence '
        '(for medians: the quartiles). In the two columns on the left, a <em>short</em> bar is a '
        'sense from which as much is decoded as from everything; its own noise counts too. In '
        'the three on the right, a <em>long</em> bar is a '
        'sense that is missed when it fails; a sense that others can stand in for has a short '
        'one, however good it is. The last column answers: by which sense does the robot steer? '
        'Axes are shared within a column only.',
    ),
    'heatmap': (
        'Who needs whom',
        'Left: take away the sense of a row; the cell says how much less well the sense of a '
        'column is then known. The diagonal is what a sense loses itself, the framed column what '
        'the command loses. Right: only the sense of a row is left; the cell says how far that is '
        'from telling the column as well as everything together does. Dark is much, and colours '
        'are logarithmic: the same step of shade is always the same factor.',
    ),
    'violins': (
        'When the command needs which sense',
        'One panel for each sense: how much the command loses without it, as a distribution over '
        'the windows of each group. Wide is where many windows are, the dot is the median. Panels '
        'share one axis, on which each line is ten times the one below. A sense whose violins '
        'rise is needed more at that point.',
    ),
    'map': (
        'Where in the picture',
        'The nats of each pixel, its colours summed. Above: which pixels the model imagines worse '
        'when a modality is missing. Below: which pixels a modality alone fails to explain.',
    ),
}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-size: .9rem }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child { text-align: left }
td.command, th.command { background: #fbe9dc }
img { max-width: 100%; height: auto; border: 1px solid #ddd }
.note { background: #fff6d6; padding: .3rem .8rem; margin: .3rem 0 }
.wide { overflow-x: auto }
"""


def page(answer: Answer, pictures: Mapping[str, bytes], median: bool) -> str:
    """Return the page, its pictures within it; it has no scripts and asks nobody for anything."""
    parts = [
        f'<h1>Which sense matters how much: {html.escape(answer.contract.name)}</h1>',
        f'<p>{html.escape(options_words(answer))}.</p>',
        *[f'<p><b>{html.escape(said)}</b></p>' for said in [verdict(answer, median)] if said],
        *[f'<p class="note">{html.escape(note)}</p>' for note in answer.notes],
        _how_asked(answer, median),
    ]
    told: set[str] = set()
    for name, picture in pictures.items():
        kind = name.split('_')[0]
        if kind not in told:
            title, text = READING[kind]
            parts.append(f'<h2>{title}</h2><p>{text}</p>')
            told.add(kind)
        data = base64.b64encode(picture).decode()
        parts.append(f'<p><img src="data:image/png;base64,{data}" alt="{html.escape(name)}"></p>')
    parts.append('<h2>All numbers</h2>')
    for name, found in answer.protocols.items():
        parts.append(f'<h3>{html.escape(name)}</h3>')
        parts.append(_measures_table(answer, found.spreads, found.measured, median))
        for phase, spreads in found.phases.items():
            parts.append(f'<p>{html.escape(phase)} ({html.escape(answer.groups.what)}):</p>')
            parts.append(_measures_table(answer, spreads, found.measured, median))
        parts += _matrix_tables(answer, found.measured, median)
    body = '\n'.join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<title>Importance: {html.escape(answer.contract.name)}</title>'
        f'<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n'
    )


def _how_asked(answer: Answer, median: bool) -> str:
    question, blocks = answer.question, answer.blocks
    latent = (
        'the mean of its latent, as on the robot'
        if question.samples is None
        else f'{question.samples} samples of its latent, whose decoded Gaussians are matched by '
        'one of the same mean and variance'
    )
    measures = ''.join(f'<li><b>{TITLES[n]}</b>: {text}.</li>' for n, text in MEANINGS.items())
    muting = (
        'model.yaml does not say'
        if answer.muting is None
        else ', '.join(f'{family} {share:g}' for family, share in answer.muting.items())
    )
    return (
        '<h2>What was asked</h2><p>The model decodes every modality, each as a mean and a '
        'standard deviation, from whatever it is shown. It was asked with everything that a '
        'protocol shows, with each modality alone, and with each one taken away; what it then '
        'decodes is compared with what it decodes from everything, by the Kullback-Leibler '
        'divergence in nats. 0 is no difference. Half a nat is a mean that has moved by one '
        'standard deviation, in one number. Modalities of many numbers (pictures) have many '
        'nats.</p><p>A protocol is what counts as everything: which of the two time steps of each '
        'modality are shown. The tables below say which. Under one that shows the command at t, '
        'the command explains itself; by what a robot steers is asked under one that hides it.</p>'
        f'<ul>{measures}</ul>'
        f'<p>Compared is time step {step_name(question.step)}. Decoded is {latent}. Tables and '
        f'figures: {average_words(median)}. The intervals come from drawing {blocks.count} blocks '
        f'of windows again, each {html.escape(blocks.what)}; the seed is {question.seed}. The '
        f'model was trained with these masks: {html.escape(muting)}.</p>'
        '<p>These numbers tell what the <em>model</em> does without a sense, not what is true of '
        'the world: a bad model can ignore a good sense.</p>'
    )


def _measures_table(answer: Answer, spreads: Spreads, measured: Measured, median: bool) -> str:
    head = ''.join(f'<th>{TITLES[name]}</th>' for name in spreads)
    rows = []
    for row, modality in enumerate(answer.names):
        cells = ''.join(f'<td>{spread_words(s[row], median)}</td>' for s in spreads.values())
        known = known_words(measured.known[row].tolist())
        rows.append(f'<tr><td>{html.escape(modality)}</td><td>{known}</td>{cells}</tr>')
    return _table(f'<th>nats</th><th>known</th>{head}', rows)


def _matrix_tables(answer: Answer, measured: Measured, median: bool) -> list[str]:
    found = []
    for corner, values in (('without', measured.without), ('alone', measured.alone)):
        matrix = averaged(values, median)
        head = ''.join(
            f'<th{_marked(answer, column)}>{html.escape(name)}</th>'
            for column, name in enumerate(answer.names)
        )
        rows = [
            f'<tr><td>{corner} {html.escape(name)}</td>{_cells(answer, matrix[row])}</tr>'
            for row, name in enumerate(answer.names)
        ]
        found.append(_table(f'<th>nats of</th>{head}', rows))
    return found


def _cells(answer: Answer, row: NDArray[np.float64]) -> str:
    return ''.join(
        f'<td{_marked(answer, column)}>{number(float(value))}</td>'
        for column, value in enumerate(row)
    )


def _marked(answer: Answer, column: int) -> str:
    return ' class="command"' if column == answer.command else ''


def _table(head: str, rows: list[str]) -> str:
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
