"""The whole of it, as data, tables, pictures and a page."""

from html.parser import HTMLParser
from io import StringIO
import json

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.selection import Split
from mmvae_controller.importance.asking import ask, Question
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.figures import figures
from mmvae_controller.importance.grouping import Phase
from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.importance.page import page
from mmvae_controller.importance.report import report_data
from mmvae_controller.importance.tables import legend, tables
from mmvae_controller.importance.words import number
from mmvae_controller.modality.gaussian import Gaussian
import numpy as np
import pytest
from rich.console import Console

NAMES = ['eye', 'skin', 'motor']
SPREAD_KEYS = {'mean', 'median', 'low', 'high', 'q25', 'q75', 'rows'}
TOP_KEYS = {
    'model', 'checksum', 'dataset', 'rows', 'split', 'trained_on', 'latent', 'samples', 'seed',
    'step', 'unit', 'muting', 'bootstrap', 'phase', 'protocols', 'notes', 'verdict',
}  # fmt: skip
DATA = {'from': 'memory'}
TRAINED = {'dataset': DATA, 'rows': 60, 'split': {'held_out': 0.5, 'seed': 0}}


@pytest.fixture
def windows(draw):
    """Return 120 windows: three stretches."""
    return draw(120, provenance=DATA)


@pytest.fixture
def network(factor, modalities, gains):
    return factor(modalities, gains, provenance=TRAINED)


def asked(network, windows, **question):
    return ask(network, windows, Question('data', **question), lambda *told: None)


def drawn(answer, median=False, width=110):
    console = Console(width=width, record=True, file=StringIO())
    for table in tables(answer, median):
        console.print(table)
    return console.export_text()


def test_the_report_holds_every_protocol_measure_and_modality(network, windows):
    data = report_data(asked(network, windows))
    assert set(data) == TOP_KEYS
    assert (data['model'], data['checksum']) == ('factor', 'of the network')
    assert (data['rows'], data['split'], data['trained_on']) == (60, 'held_out', 0)
    assert (data['latent'], data['samples'], data['unit']) == ('mean', None, 'nats')
    assert (data['step'], data['phase'], data['muting']) == ('t', None, None)
    assert list(data['protocols']) == ['complete', 'policy', 'prediction']
    for found in data['protocols'].values():
        assert set(found) == {'known', 'measures', 'without', 'alone'}
        assert list(found['measures']) == NAMES
        for measures in found['measures'].values():
            assert list(measures) == list(MEASURES)
            for spread in measures.values():
                assert set(spread) == SPREAD_KEYS
                assert spread['rows'] == 60
                assert spread['low'] <= spread['mean'] <= spread['high']
                assert spread['q25'] <= spread['median'] <= spread['q75']
        for matrix in (found['without'], found['alone']):
            assert matrix['modalities'] == NAMES
            assert np.array(matrix['mean']).shape == np.array(matrix['median']).shape == (3, 3)
    policy = data['protocols']['policy']
    assert policy['known'] == {'eye': [True, True], 'skin': [True, True], 'motor': [True, False]}
    own = policy['measures']['skin']['precision_loss_own']
    assert own['mean'] == pytest.approx(policy['without']['mean'][1][1])
    assert own['median'] == pytest.approx(policy['without']['median'][1][1])
    alone = policy['measures']['eye']['single_error_all']['mean']
    assert alone == pytest.approx(sum(policy['alone']['mean'][0]))


def test_what_a_protocol_hides_is_null_and_not_nought(factor, draw, modalities, gains):
    mask = np.array([[True, True], [False, False], [True, False]])
    answer = asked(factor(modalities, gains), draw(patterns={'blind skin': mask}))
    found = report_data(answer)['protocols']['blind skin']
    assert set(found['measures']['skin'].values()) == {None}
    assert None not in found['measures']['eye'].values()
    for matrix in (found['without'], found['alone']):
        assert matrix['mean'][1] is matrix['median'][1] is None
        assert None not in matrix['mean'][0]
    row = next(line for line in drawn(answer).splitlines() if line.strip().startswith('skin'))
    assert row.split() == ['skin', '-', *'–––––']


def test_the_report_is_strict_json(network, windows):
    data = report_data(asked(network, windows, per_number=True, phase=Phase('skin', 0.5)))
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_every_channel_is_told_if_asked_for(network, windows):
    answer = asked(network, windows, per_number=True)
    found = report_data(answer)['protocols']['policy']
    assert found['per_dimension']['channels']['skin'] == ['skin.0', 'skin.1']
    for part in ('without', 'alone'):
        for i, row in enumerate(NAMES):
            for j, column in enumerate(NAMES):
                channels = found['per_dimension'][part][row][column]
                assert len(channels) == {'eye': 3, 'skin': 2, 'motor': 2}[column]
                assert sum(channels) == pytest.approx(found[part]['mean'][i][j])


def test_phases_are_told_apart(network, windows):
    data = report_data(asked(network, windows, phase=Phase('skin', 0.5)))
    counts = data['phase']['windows']
    assert counts['above'] + counts['below'] == 60
    assert counts['unknown'] == 0
    found = data['protocols']['complete']
    for measure in MEASURES:
        parts = [found['phases'][label]['eye'][measure] for label in ('above', 'below')]
        assert [p['rows'] for p in parts] == [counts['above'], counts['below']]
        whole = sum(p['mean'] * p['rows'] for p in parts) / 60
        assert whole == pytest.approx(found['measures']['eye'][measure]['mean'])


@pytest.mark.parametrize(
    ('question', 'rows', 'trained_on'),
    [
        ({'split': Split.TRAINED}, 60, 60),
        ({'split': Split.ALL}, 120, 60),
        ({'rows': '50:80'}, 30, 20),
    ],
)
def test_rows_are_chosen_as_for_an_evaluation(network, windows, question, rows, trained_on):
    data = report_data(asked(network, windows, **question))
    assert (data['rows'], data['trained_on']) == (rows, trained_on)
    assert any(f'trained on {trained_on} of' in n or 'every row' in n for n in data['notes'])


def test_other_data_is_told_to_be_unknown(factor, modalities, gains, windows):
    data = report_data(asked(factor(modalities, gains), windows))
    assert data['trained_on'] is None
    assert any('trained on any of these windows is unknown' in note for note in data['notes'])


@pytest.mark.parametrize(
    ('muting', 'said', 'unsaid'),
    [
        (
            None,
            'does not say with which masks',
            'out of distribution: single modality errors mean',
        ),
        ({'policy': 1.0}, 'single modality errors mean little', 'does not say'),
        ({'policy': 1.0}, 'losses of precision mean little', 'does not say'),
        ({'alone': 1.0}, 'losses of precision mean little', 'errors mean little'),
        ({'without': 1.0}, 'single modality errors mean little', 'precision mean little'),
        ({'random': 0.1, 'policy': 1}, 'unknown', 'mean little'),
        ({'mixed': 0.1}, 'unknown', 'mean little'),
        ({'mixed': 0.0}, 'single modality errors mean little', 'does not say'),
    ],
)
def test_masks_that_were_never_trained_are_told(
    factor, modalities, gains, windows, muting, said, unsaid
):
    provenance = {} if muting is None else {'muting': muting}
    answer = asked(factor(modalities, gains, provenance=provenance), windows)
    notes = ' '.join(answer.notes)
    assert said in notes
    assert unsaid not in notes
    assert report_data(answer)['muting'] == muting


def test_intervals_of_few_blocks_are_told(network, windows):
    assert any('rest on 2 blocks' in note for note in asked(network, windows).notes)


def test_what_is_decoded_as_no_gaussian_is_told(factor, modalities, gains, windows):
    from dataclasses import replace

    network = factor(modalities, gains)
    branches = {'skin': {'likelihood': 'bernoulli'}}
    network.contract = replace(network.contract, network={'branches': branches})
    notes = asked(network, windows).notes
    assert any('No Gaussian is decoded for skin' in note for note in notes)


def test_one_modality_is_refused_before_any_work(factor, modalities, windows):
    network = factor(modalities[2:], {'motor': 1.0})
    with pytest.raises(ImportanceError, match='has one modality, motor'):
        asked(network, windows)
    assert network.batches == []


def test_data_without_a_modality_is_refused_before_any_work(network, memory, modalities, windows):
    lacking = memory((modalities[0], modalities[2]), windows.values)
    with pytest.raises(EvaluationError, match='the model reads'):
        asked(network, lacking)
    assert network.batches == []


def test_a_spread_of_nought_is_refused_by_name(factor, modalities, gains, windows):
    class Sure(factor):
        def decode(self, values, known, wanted):
            decoded = super().decode(values, known, wanted)
            return decoded | {'skin': Gaussian(decoded['skin'].mean, decoded['skin'].std * 0)}

    with pytest.raises(ImportanceError, match=r'skin: standard deviation 0\.0'):
        asked(Sure(modalities, gains), windows)


@pytest.mark.parametrize('median', [False, True])
def test_tables_show_the_average_that_is_asked_for(network, windows, median):
    answer = asked(network, windows)
    text = drawn(answer, median)
    spread = answer.protocols['policy'].spreads['precision_loss_command'][0]
    assert number(spread.median if median else spread.mean) in text
    assert number(spread.q25 if median else spread.low) in text
    assert max(map(len, text.splitlines())) <= 110
    assert ('median' if median else '95 %') in legend(median)


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (0, '0'), (0.0001, '1e-04'), (0.0324, '0.032'), (1.236, '1.24'), (38.44, '38.4'),
        (384.4, '384'), (12_345, '1e+04'), (None, '–'), (float('nan'), '–'),
    ],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_every_protocol_has_its_matrices_and_each_picture_its_maps(model_folder, write_world):
    from mmvae_controller.control.network import Network

    windows = Dataset(write_world())
    answer = asked(Network(model_folder), windows, rows='0:12', per_number=True)
    found = figures(answer, median=False)
    protocols = ('complete', 'policy', 'prediction')
    heatmaps = [f'heatmap_{name}' for name in protocols]
    assert list(found) == ['bars', *heatmaps, 'violins', *(f'map_camera_{p}' for p in protocols)]
    assert all(figure.axes for figure in found.values())


def test_a_picture_is_told_colour_by_colour(model_folder, write_world):
    from mmvae_controller.control.network import Network

    windows = Dataset(write_world())
    answer = asked(Network(model_folder), windows, rows='0:12', per_number=True)
    found = report_data(answer)['protocols']['policy']
    for part in ('without', 'alone'):
        for row, name in enumerate(('camera', 'joints', 'touch', 'motor')):
            colours = found['per_dimension'][part][name]['camera']
            assert len(colours) == 3
            assert sum(colours) == pytest.approx(found[part]['mean'][row][0])


def shown_cells(panel):
    return [text.get_text() for text in panel.texts]


@pytest.mark.parametrize('median', [False, True])
def test_a_heatmap_says_the_numbers_of_the_report(network, windows, median):
    answer = asked(network, windows)
    found = report_data(answer)['protocols']['policy']
    without, alone, *_ = figures(answer, median)['heatmap_policy'].axes
    for panel, name in ((without, 'without'), (alone, 'alone')):
        matrix = found[name]['median' if median else 'mean']
        assert shown_cells(panel) == [number(value) for row in matrix for value in row]
        assert [t.get_text() for t in panel.get_yticklabels()] == [
            'eye (both)', 'skin (both)', 'motor (t-1)',
        ]  # fmt: skip
        assert panel.get_xticklabels()[2].get_text() == 'motor\n(command)'


def test_figures_can_be_drawn_of_what_is_nowhere_needed(factor, modalities, windows):
    answer = asked(factor(modalities, dict.fromkeys(NAMES, 0.0)), windows, phase=Phase('skin', 1))
    for figure in figures(answer, median=False).values():
        figure.savefig(StringIO(), format='svg')


class Reader(HTMLParser):
    """Notes what a page would fetch or run, and whether its tags are closed."""

    def __init__(self):
        super().__init__()
        self.open, self.sources, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.sources += [v for k, v in attrs if k in ('src', 'href')]
        if tag not in ('meta', 'img'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_beside_it(network, windows):
    answer = asked(network, windows, phase=Phase('skin', 0.5))
    answer = type(answer)(
        **{f: getattr(answer, f) for f in answer.__slots__ if f != 'notes'}, notes=('a <b> & c',)
    )
    text = page(answer, {'bars': b'png', 'heatmap_policy': b'png', 'violins': b'png'}, False)
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert len(reader.sources) == 3
    assert all(source.startswith('data:image/png;base64,') for source in reader.sources)
    assert not {'script', 'link', 'iframe'} & reader.tags
    assert 'http' not in text
    assert 'a &lt;b&gt; &amp; c' in text
    spread = answer.protocols['policy'].spreads['single_error_own'][0]
    assert number(spread.mean) in text
