"""The study of KL schedules: what is trained, measured, put together and gone on with."""

from dataclasses import replace
import json
from pathlib import Path

from mmvae_controller.cli.main import app
from mmvae_controller.datasets.icub import IcubWindows, MODALITIES
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.studies import bidirectional, kl_schedules, kl_schedules_figures
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import Kind, prepare_folder
from mmvae_controller.studies.kl_schedules_config import kl_study
from mmvae_controller.studies.kl_schedules_measures import HeldOut
from mmvae_controller.studies.kl_schedules_summary import spread, summarise
from mmvae_controller.studies.kl_schedules_work import (
    describe,
    read_result,
    result_path,
    train_group,
)
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.ensemble import Ensemble
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.network import TwoStepVAE
import numpy as np
import pytest
import torch
from typer.testing import CliRunner
import yaml

SIZE = {'seeds': 2, 'epochs': 3, 'schedule_epochs': 2, 'record_every': 2}
STUDY = {
    'schedules': {'free': {'start': 0, 'plateau': 0}, 'down': {'start': 1, 'plateau': 0}},
    'protocols': {'published': {'named': 1.0}, 'random': {'random': 1.0}},
    'scalings': {'plain': {}, 'summed': {'weight': 2.0}},
    'full': SIZE,
    'reduced': {**SIZE, 'seeds': 1, 'learning_rate': 0.01, 'batch_size': 30},
}


@pytest.fixture
def training(icub_windows, training_data, tmp_path):
    """Return what the models of a small study have in common."""
    branch = {'encoder': [4], 'decoder': [4], 'normalise': False}
    training_data['network']['branches'] = {m.name: branch for m in icub_windows.modalities}
    training_data['muting'] = {'named': 1.0}
    path = tmp_path / 'train.yaml'
    path.write_text(yaml.safe_dump(training_data), encoding='utf-8')
    return load_training_config(path, icub_windows.modalities)


def section(**changes):
    return Section({**STUDY, **changes}, 'study.yaml')


def test_every_condition_of_a_seed_and_scaling_is_in_one_group(training):
    groups = kl_study(section(), training, reduced=False).groups()
    assert [g.name for g in groups] == ['plain_0', 'summed_0', 'plain_1', 'summed_1']
    assert [c.name for c in groups[3].configs] == [
        'summed/published/free/1', 'summed/published/down/1',
        'summed/random/free/1', 'summed/random/down/1',
    ]  # fmt: skip
    assert {c.seed for c in groups[3].configs} == {1}
    assert {b.weight for b in groups[3].configs[0].network.branches.values()} == {2.0}
    assert {b.weight for b in groups[2].configs[0].network.branches.values()} == {1.0}
    falling = groups[0].configs[1].kl
    assert (falling.start, falling.plateau, falling.epochs) == (1, 0, 2)


def test_the_reduced_study_has_its_own_size(training):
    study = kl_study(section(), training, reduced=True)
    assert len(study.groups()) == 2
    assert (study.training.learning_rate, study.training.batch_size) == (0.01, 30)
    full = kl_study(section(), training, reduced=False)
    assert full.training.learning_rate == training.learning_rate


def test_the_shipped_study_is_the_published_one():
    config = Path(__file__).resolve().parents[2] / 'config'
    sizes = {}
    for reduced in (False, True):
        study = read_yaml(config / 'study' / 'kl_schedules.yaml')
        assert study.text('kind') == 'kl_schedules'
        training = load_training_config(config / study.text('training'), MODALITIES)
        found = kl_study(study, training, reduced)
        sizes[reduced] = (found.seeds, found.training.epochs, len(found.groups()[0].configs))
    assert sizes == {False: (20, 80000, 8), True: (3, 400, 8)}
    network = TwoStepVAE(MODALITIES, training.network)
    assert network.encoder.head.out_features == 2 * 28
    assert [b.layers[0].in_features for b in network.branches_out.values()] == [20, 20, 5, 5, 20]
    assert (training.passes, training.network.fill, training.network.presence) == (4, -2, False)


def test_what_cannot_be_studied_is_refused(training):
    with pytest.raises(TrainingError, match='unknown pattern'):
        kl_study(section(protocols={'odd': {'sideways': 1}}), training, reduced=True)
    with pytest.raises(StudyError, match='held_out is 0'):
        kl_study(section(), replace(training, held_out=0.0), reduced=True)


def test_measures_are_those_of_each_network_by_itself(training, icub_windows):
    group = kl_study(section(), training, reduced=True).groups()[0]
    ensemble = Ensemble(group.configs, icub_windows)
    records, importance = HeldOut(ensemble).record(), HeldOut(ensemble).importance()
    rows = ensemble.validation_rows
    batch = icub_windows.batch(rows)
    values = {n: torch.from_numpy(v) for n, v in batch.values.items()}
    network = ensemble.model(1).network
    with torch.no_grad():
        for pattern, mask in icub_windows.patterns.items():
            known = torch.from_numpy(np.repeat(mask[None], len(rows), axis=0)).float()
            latent = network.settle(values, known)
            sound = network.decode(latent.mean, ['sound'])['sound'].mean
            mse = float(((sound - values['sound']) ** 2).mean())
            assert records[1]['mse'][pattern]['sound'] == pytest.approx(mse, rel=1e-4)
        everything = torch.ones(len(rows), 5, 2)
        latent = network.settle(values, everything)
        spread_of_means = latent.mean.var(dim=0, unbiased=False)
    assert records[1]['active_units'] == int((spread_of_means > 0.01).sum())
    for model in importance:
        assert set(model) == {'alone_mse', 'alone', 'without'}
        for measure in ('alone', 'without'):
            assert all(v >= 0 for row in model[measure].values() for v in row.values())
        # The command at t is never told: to lack its value at t-1 alone is all there is to lose.
        assert model['without']['motor'].keys() == {'joint', 'vision', 'touch', 'sound', 'motor'}


def test_a_stopped_group_goes_on_and_ends_as_if_it_had_not_been_stopped(
    training, icub_windows, tmp_path
):
    group = kl_study(section(), training, reduced=True).groups()[0]
    seen = []
    assert train_group(group, icub_windows, tmp_path / 'whole', seen.append, lambda: False)
    assert seen == [0, 1, 2, 3]
    assert not train_group(group, icub_windows, tmp_path / 'cut', seen.append, lambda: True)
    assert read_result(tmp_path / 'cut', group, describe(icub_windows)) is None
    assert train_group(group, icub_windows, tmp_path / 'cut', seen.append, lambda: False)
    assert seen[4:] == [0, 1, 1, 2, 3]
    whole = read_result(tmp_path / 'whole', group, describe(icub_windows))
    cut = read_result(tmp_path / 'cut', group, describe(icub_windows))
    assert [r['epoch'] for r in cut['records']] == [1, 2, 3]
    for ours, theirs in zip(cut['records'], whole['records'], strict=True):
        for one, other in zip(ours['models'], theirs['models'], strict=True):
            assert one['kl'] == pytest.approx(other['kl'], rel=1e-4)
    assert not list((tmp_path / 'cut' / 'states').iterdir())


def test_results_of_another_configuration_are_refused(training, icub_windows, tmp_path):
    group = kl_study(section(), training, reduced=True).groups()[0]
    train_group(group, icub_windows, tmp_path, lambda epoch: None, lambda: False)
    changed = section(schedules={**STUDY['schedules'], 'free': {'start': 0.5, 'plateau': 0.5}})
    other = kl_study(changed, training, reduced=True).groups()[0]
    with pytest.raises(StudyError, match='another configuration'):
        read_result(tmp_path, other, describe(icub_windows))


def shifted(windows, **provenance):
    batch = windows.batch(np.arange(len(windows)))
    values = {n: v + np.float32(0.5) for n, v in batch.values.items()}
    return IcubWindows(replace(windows.description, provenance=provenance), values)


def test_data_is_known_by_its_file_or_else_by_its_values(icub_windows):
    other = shifted(icub_windows, file='test')
    assert describe(icub_windows) == describe(icub_windows)
    assert describe(icub_windows) != describe(other)
    assert describe(shifted(icub_windows, sha256='abc')) == '60 windows, sha256 abc'


def test_other_data_is_refused_before_anything_is_trained(
    training, icub_windows, tmp_path, monkeypatch
):
    group = kl_study(section(), training, reduced=True).groups()[0]
    train_group(group, icub_windows, tmp_path, lambda epoch: None, lambda: False)
    other = shifted(icub_windows, file='test')
    monkeypatch.setattr(kl_schedules, 'train_group', None)
    with pytest.raises(StudyError, match=r'was made of 60 windows.* another folder with --out'):
        kl_schedules.run(
            section(), tmp_path, other, training, True, 0, lambda done, total, figures: None
        )
    with pytest.raises(StudyError, match='with --dataset the data'):
        kl_schedules.report(section(), tmp_path, other, training, True)


def test_results_that_do_not_name_their_data_are_refused(training, icub_windows, tmp_path):
    group = kl_study(section(), training, reduced=True).groups()[0]
    train_group(group, icub_windows, tmp_path, lambda epoch: None, lambda: False)
    path = result_path(tmp_path, group)
    found = json.loads(path.read_text())
    del found['data']
    path.write_text(json.dumps(found))
    with pytest.raises(StudyError, match='data that it does not name'):
        read_result(tmp_path, group, describe(icub_windows))


def test_results_recorded_every_so_many_other_epochs_are_refused(training, icub_windows, tmp_path):
    group = kl_study(section(), training, reduced=True).groups()[0]
    train_group(group, icub_windows, tmp_path, lambda epoch: None, lambda: False)
    other = replace(group, record_every=1)
    with pytest.raises(StudyError, match=r'record_every.* another folder with --out'):
        read_result(tmp_path, other, describe(icub_windows))


def test_a_state_recorded_every_so_many_other_epochs_is_refused_before_it_goes_on(
    training, icub_windows, tmp_path
):
    group = kl_study(section(), training, reduced=True).groups()[0]
    ends = iter([False, True])
    assert not train_group(group, icub_windows, tmp_path, lambda epoch: None, lambda: next(ends))
    other, epochs = replace(group, record_every=3), []
    with pytest.raises(StudyError, match=r'record_every.* in \[1, 2\].* folder with --out'):
        train_group(other, icub_windows, tmp_path, epochs.append, lambda: False)
    assert epochs == []


def test_a_study_writes_tables_figures_and_numbers_and_is_then_done(
    training, icub_windows, tmp_path
):
    told = []

    def run():
        study = section(kind='kl_schedules', scalings={'summed': {'weight': 2.0}})
        study.text('kind')  # As the command line does.
        return kl_schedules.run(
            study, tmp_path, icub_windows, training, True, 0,
            lambda done, total, figures: told.append((done, total)),
        )  # fmt: skip

    run()
    assert told[-1] == (3, 3)
    count = len(told)
    assert str(run()) == 'all 4 models'
    # Of the finished one it is told at once how much of it there is.
    assert told[count:] == [(3, 3)]
    text = (tmp_path / 'tables.md').read_text()
    assert '### summed, random masks: 1 seed, 3 epochs' in text
    assert text.startswith('Trained on ')
    assert 'One seed.' in text
    assert 'quartile' not in text
    assert '| complete | *published, other rows* | 0.0185' in text
    data = json.loads((tmp_path / 'results.json').read_text())
    assert len(data['conditions']) == 4
    assert [r['epoch'] for r in data['conditions'][0]['curve']] == [1, 2, 3]
    pictures = {p.name for p in tmp_path.glob('*.png')}
    assert pictures == {'curves_summed.png', 'errors_summed.png', 'alone_summed.png'}


def test_of_an_unfinished_study_it_is_said_how_much_is_there(training, icub_windows, tmp_path):
    group = kl_study(section(), training, reduced=False).groups()[0]
    train_group(group, icub_windows, tmp_path, lambda epoch: None, lambda: False)
    finished = kl_schedules.report(section(), tmp_path, icub_windows, training, False)
    assert str(finished).startswith('4 of 16 models')
    text = (tmp_path / 'tables.md').read_text()
    assert text.startswith('**Not finished: 4 of 16 models are here.**')


def test_the_folder_of_another_study_is_refused(training, icub_windows, tmp_path):
    prepare_folder(tmp_path / 'out', Kind.BIDIRECTIONAL)
    asked = (section(), tmp_path / 'out', icub_windows, training, True)
    with pytest.raises(StudyError, match='kind bidirectional, this one is kl_schedules'):
        kl_schedules.run(*asked, 0, lambda *told: None)
    with pytest.raises(StudyError, match='kind bidirectional, this one is kl_schedules'):
        kl_schedules.report(*asked)


def test_a_schedule_that_grows_names_the_file_and_leaves_no_folder(
    training, icub_windows, tmp_path
):
    odd = section(schedules={'up': {'start': 0, 'plateau': 1}})
    with pytest.raises(VaeError, match=r'study\.yaml: schedules\.up: start is 0 and plateau 1'):
        kl_schedules.run(odd, tmp_path / 'out', icub_windows, training, True, 0, print)
    assert not (tmp_path / 'out').exists()


def test_figures_of_the_study_name_axes_units_and_seeds(training, icub_windows, tmp_path):
    group = kl_study(section(), training, reduced=True).groups()[0]
    train_group(group, icub_windows, tmp_path, lambda epoch: None, lambda: False)
    summary = summarise([read_result(tmp_path, group, describe(icub_windows))])
    curves = kl_schedules_figures._curves(summary, 'plain', ['published', 'random'])
    assert 'one seed' in curves.get_suptitle()
    units = [panel.get_ylabel() for panel in curves.axes[::2]]
    assert units == ['loss (weighted nats)', 'KL (nats)', 'units', 'MSE / variance']
    assert len({line.get_linestyle() for line in curves.axes[0].get_lines()}) == 2
    alone = kl_schedules_figures._alone(summary, 'plain', ['published', 'random'])
    assert (alone.axes[0].get_ylabel(), alone.axes[2].get_xlabel()) == ('known', 'decoded')
    assert alone.axes[-1].get_ylabel().startswith('MSE / variance')


def test_quartiles_are_taken_number_by_number():
    found = spread([{'a': {'b': v}} for v in (1, 2, 3, 4, 9)])
    assert found == {'a': {'b': {'median': 3, 'low': 2, 'high': 4}}}


def test_nothing_finished_gives_no_table():
    with pytest.raises(StudyError, match='no group'):
        summarise([])


@pytest.mark.parametrize(
    ('kind', 'words', 'expected'),
    [
        ('kl_schedules', [], '--dataset icub:FILE'),
        ('bidirectional', ['--dataset', 'icub:FILE'], 'names its own data'),
        ('sideways', [], "expected one of ['kl_schedules', 'bidirectional']"),
    ],
)
def test_the_command_says_in_one_line_what_is_missing(
    tmp_path, monkeypatch, kind, words, expected
):
    monkeypatch.setattr('signal.signal', lambda *given: None)
    path = tmp_path / 'study.yaml'
    path.write_text(yaml.safe_dump({**STUDY, 'kind': kind, 'training': 'none'}))
    result = CliRunner().invoke(app, ['study', str(path), '--out', str(tmp_path), *words])
    assert result.exit_code == 2
    assert expected in result.output
    assert result.output.count('\n') == 1


@pytest.mark.parametrize('blocked', ['a file', '/proc/x'])
@pytest.mark.parametrize('kind', ['kl_schedules', 'bidirectional'])
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(
    training, icub_windows, tmp_path, monkeypatch, kind, blocked
):
    out = Path(blocked)
    if blocked == 'a file':
        out = tmp_path / 'file'
        out.write_text('mine')
    monkeypatch.setattr(kl_schedules, 'train_group', None)
    monkeypatch.setattr(bidirectional, 'read_image_label', None)
    shipped = Path(__file__).resolve().parents[2] / 'config' / 'study' / 'jmvae.yaml'
    runs = {
        'kl_schedules': lambda: kl_schedules.run(
            section(), out, icub_windows, training, True, 0, lambda *told: None
        ),
        'bidirectional': lambda: bidirectional.run(read_yaml(shipped), out, True, 0),
    }
    with pytest.raises(StudyError, match=r'cannot be written.* --out'):
        runs[kind]()


@pytest.mark.parametrize(
    ('name', 'words'), [('jmvae', []), ('kl_schedules', ['--dataset', 'icub:none.mat'])]
)
def test_the_command_says_in_one_line_that_its_folder_cannot_be_written(
    tmp_path, monkeypatch, name, words
):
    monkeypatch.setattr('signal.signal', lambda *given: None)
    blocked = tmp_path / 'file'
    blocked.write_text('mine')
    words = ['study', f'study/{name}.yaml', '--reduced', '--out', str(blocked), *words]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert f'{blocked}: cannot be written' in result.output
    assert result.output.count('\n') == 1
    assert blocked.read_text() == 'mine'
