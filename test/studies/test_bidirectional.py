import json
import math
from pathlib import Path
import struct

from mmvae_controller.datasets.image_label import IMAGE, LABEL, MODALITIES, read_image_label
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.studies import bidirectional, bidirectional_figures, bidirectional_work
from mmvae_controller.studies.bidirectional_report import lines_of, scores_table
from mmvae_controller.studies.bidirectional_scoring import (
    bound,
    choose_image_asking,
    Estimate,
    generate_images,
    label_chances,
    likelihoods,
    only,
    with_image_bound,
)
from mmvae_controller.studies.bidirectional_settings import (
    Asking,
    describe,
    merged,
    read_settings,
    Scores,
)
from mmvae_controller.studies.bidirectional_training import find_trained, train
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import Kind, prepare_folder
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.vae.bounds import generation
from mmvae_controller.vae.network import TwoStepVAE
import numpy as np
import pytest
import torch

SHIPPED = Path(__file__).parents[2] / 'config' / 'study' / 'jmvae.yaml'
TRAIN_ROWS, TEST_ROWS = 60, 20
SMALL = {'encoder': [8], 'decoder': [8]}
ONCE = Asking(0, False)


def write_part(folder, part, count, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    classes = (np.arange(count) % 10).astype(np.uint8)
    header = struct.pack('>IIII', 2051, count, 28, 28)
    (folder / f'{part}-images-idx3-ubyte').write_bytes(header + pixels.tobytes())
    header = struct.pack('>II', 2049, count)
    (folder / f'{part}-labels-idx1-ubyte').write_bytes(header + classes.tobytes())


@pytest.fixture
def section(tmp_path):
    data = tmp_path / 'data'
    data.mkdir()
    write_part(data, 'train', TRAIN_ROWS, 1)
    write_part(data, 't10k', TEST_ROWS, 2)
    small = {
        'data': str(data),
        'seeds': [1],
        'training': {'epochs': 2, 'batch_size': 16, 'validation_rows': 12, 'save_every_s': 0},
        'network': {
            'latent': 3,
            'shared_encoder': [8],
            'branches': {IMAGE: SMALL, LABEL: SMALL},
        },
        'scores': {
            'generation_samples': 6, 'label_samples': 2, 'importance_samples': 4,
            'tight_samples': 8, 'tight_rows': 6, 'prior_samples': 30,
        },
    }  # fmt: skip
    whole = merged(read_yaml(SHIPPED).data, small)
    models = {name: whole['models'][name] for name in ('jmvae', 'jmvae_kl', 'jmvae_h')}
    for name in ('jmvae', 'jmvae_h'):
        models[name] = {**models[name], 'rounds': [0, 2]}
    models['jmvae_h'] = merged(
        models['jmvae_h'], {'network': {'hierarchy': {'latents': [2], 'hidden': [4]}}}
    )
    del whole['reduced']
    return Section({**whole, 'models': models}, 'study.yaml')


def jobs_of(section):
    settings = read_settings(section, reduced=False)
    data = describe(read_image_label(settings.data))
    return {job.model.name: job for job in settings.jobs(data)}


def network_of(section, name):
    torch.manual_seed(0)
    return TwoStepVAE(MODALITIES, jobs_of(section)[name].model.network).eval()


def rows(count, seed=0):
    draw = torch.Generator().manual_seed(seed)
    labels = torch.eye(10)[torch.arange(count) % 10]
    return {IMAGE: torch.rand(count, 1, 784, generator=draw), LABEL: labels[:, None]}


def train_here(section, name, folder, must_end=lambda: False):
    folder.mkdir(exist_ok=True)
    settings = read_settings(section, reduced=False)
    values = rows(40)
    job = jobs_of(section)[name]
    return train(job, settings.training, values, values, folder, lambda _: None, must_end)


def test_a_study_leaves_scores_tables_and_figures_and_trains_nothing_twice(
    section, tmp_path, monkeypatch
):
    out = tmp_path / 'out'
    bidirectional.run(section, out, workers=0)

    made = {path.name for path in out.iterdir()}
    figures = {'curves', 'rounds', 'generated', 'reconstructed', 'latents'}
    assert {f'{name}.png' for name in figures} < made
    assert {'jmvae-seed1', 'jmvae_kl-seed1', 'jmvae_h-seed1', 'tables.md'} < made
    found = json.loads((out / 'jmvae_h-seed1' / 'scores.json').read_text())
    assert found['epochs'] == 2
    assert found['scores']['asking']['image'] in ('0', '2', '2 by the top')

    text = (out / 'tables.md').read_text()
    assert text.startswith('One seed, test images, nats.')
    assert 'deviation' not in text

    told = []
    monkeypatch.setattr(bidirectional, 'work', None)
    finished = bidirectional.run(section, out, workers=0, on_progress=lambda *n: told.append(n))
    assert str(finished) == 'all 3 models'
    assert told == [(6, 6, '')]


def test_the_folder_of_another_study_is_refused_before_anything_is_written(section, tmp_path):
    prepare_folder(tmp_path, Kind.KL_SCHEDULES)
    for ask in (bidirectional.run, bidirectional.report):
        with pytest.raises(StudyError, match='holds a study of the kind kl_schedules'):
            ask(section, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {'data', 'study.json'}


def test_a_likelihood_that_is_refused_is_named_plainly_and_leaves_no_folder(section, tmp_path):
    odd = {'network': {'branches': {LABEL: {'likelihood': 'bernoulli'}}}}
    other = Section(merged(section.data, odd), 'study.yaml')
    with pytest.raises(StudyError, match=r'label: likelihood is bernoulli, expected categorical$'):
        bidirectional.run(other, tmp_path / 'out', workers=0)
    assert not (tmp_path / 'out').exists()


def test_figures_name_their_axes_and_show_what_has_one_epoch(section, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        bidirectional_figures,
        'write_figure',
        lambda path, *made: drawn.update({path.stem: made[0]}),
    )
    once = Section(merged(section.data, {'training': {'epochs': 1}}), 'study.yaml')
    bidirectional.run(once, tmp_path / 'out', workers=0)

    lines = drawn['curves'].axes[0].get_lines()
    assert {line.get_marker() for line in lines} == {'.'}
    assert [a.get_ylabel() for a in drawn['curves'].axes] == ['ELBO (nats)', 'KL (nats)']
    assert drawn['rounds'].axes[0].get_ylabel() == 'log-likelihood (nats)'
    panels = drawn['latents'].axes
    assert panels[0].get_ylabel() == 'JMVAE\nsecond component'
    assert panels[6].get_xlabel() == 'first component'
    assert [p.get_title() for p in panels[3:9]] == [''] * 6


def test_a_report_shows_what_is_there_and_trains_nothing(section, tmp_path, capsys):
    out = tmp_path / 'out'
    job = jobs_of(section)['jmvae_kl']
    settings = read_settings(section, reduced=False)
    bidirectional_work.work(settings, job, out, lambda *_: None)

    finished = bidirectional.report(section, out)

    assert str(finished).startswith('1 of 3 models')
    assert (out / 'latents.png').exists()
    assert [path.name for path in out.iterdir() if path.is_dir()] == ['jmvae_kl-seed1']
    text = (out / 'tables.md').read_text()
    assert 'JMVAE-kl' in text
    assert text.startswith('**Not finished: 1 of 3 models are here.**')


def test_other_rounds_score_again_what_is_trained_and_do_not_train_it_again(section, tmp_path):
    only = {'jmvae': section.data['models']['jmvae']}
    section = Section({**section.data, 'models': only}, 'study.yaml')
    bidirectional.run(section, tmp_path, workers=0)
    weights = (tmp_path / 'jmvae-seed1' / 'weights.safetensors').stat()

    other = Section(merged(section.data, {'models': {'jmvae': {'rounds': [1]}}}), 'study.yaml')
    bidirectional.run(other, tmp_path, workers=0)

    found = json.loads((tmp_path / 'jmvae-seed1' / 'scores.json').read_text())
    assert found['scores']['asking'] == {'image': '1', 'label': '1'}
    assert (tmp_path / 'jmvae-seed1' / 'weights.safetensors').stat() == weights


def test_scores_that_were_taken_from_fewer_bounds_are_reported_with_all(section, tmp_path):
    settings = read_settings(section, reduced=False)
    job = jobs_of(section)['jmvae']
    bidirectional_work.work(settings, job, tmp_path, lambda *_: None)
    path = tmp_path / job.name / 'scores.json'
    found = json.loads(path.read_text())
    joint = found['scores']['log_p_xy']['mean']
    for key in ('log_p_x', 'log_p_x_by_label'):
        found['scores'][key]['mean'] = joint - 5
    path.write_text(json.dumps(found))

    there = bidirectional.results([job], settings.scores, tmp_path)

    assert there[job.name]['scores']['log_p_x']['mean'] == joint


def test_other_data_of_the_same_size_is_refused_before_anything_is_trained(
    section, tmp_path, monkeypatch
):
    out = tmp_path / 'out'
    job = jobs_of(section)['jmvae']
    bidirectional_work.work(read_settings(section, False), job, out, lambda *_: None)
    write_part(tmp_path / 'data', 't10k', TEST_ROWS, 3)
    monkeypatch.setattr(bidirectional, 'work', None)

    with pytest.raises(StudyError, match=r'(?s)was made of .*sha256.* another folder with --out'):
        bidirectional.run(section, out, workers=0)
    with pytest.raises(StudyError, match='restore the data'):
        bidirectional.report(section, out)


def test_a_model_of_other_data_that_is_not_scored_yet_is_refused_first(
    section, tmp_path, monkeypatch
):
    out = tmp_path / 'out'
    out.mkdir()
    train_here(section, 'jmvae_h', out / 'jmvae_h-seed1')
    write_part(tmp_path / 'data', 't10k', TEST_ROWS, 3)
    monkeypatch.setattr(bidirectional, 'work', None)

    with pytest.raises(StudyError, match=r'jmvae_h-seed1/curve.json: was made of '):
        bidirectional.run(section, out, workers=0)


def test_a_state_of_other_data_is_not_gone_on_with(section, tmp_path):
    assert train_here(section, 'jmvae', tmp_path / 'out', lambda: True) is None
    write_part(tmp_path / 'data', 't10k', TEST_ROWS, 3)

    with pytest.raises(TrainingError, match='another configuration or data set'):
        train_here(section, 'jmvae', tmp_path / 'out')


def test_data_that_changes_while_the_study_runs_is_refused(section, tmp_path):
    job = jobs_of(section)['jmvae']
    write_part(tmp_path / 'data', 't10k', TEST_ROWS, 3)

    with pytest.raises(StudyError, match='changed while the study ran'):
        bidirectional_work.work(
            read_settings(section, False), job, tmp_path / 'out', lambda *_: None
        )


def test_a_report_of_nothing_is_refused(section, tmp_path):
    with pytest.raises(StudyError, match='holds no finished model'):
        bidirectional.report(section, tmp_path)


@pytest.mark.slow
def test_processes_train_what_one_process_trains(section, tmp_path):
    here, there = tmp_path / 'here', tmp_path / 'there'
    bidirectional.run(section, here, workers=0)
    bidirectional.run(section, there, workers=2)

    for name in ('jmvae-seed1', 'jmvae_kl-seed1'):
        one, other = (
            json.loads((out / name / 'scores.json').read_text())['scores']['log_p_xy']['mean']
            for out in (here, there)
        )
        # Threads add in another order.
        assert one == pytest.approx(other, rel=1e-4)


@pytest.mark.parametrize('name', ['jmvae', 'jmvae_kl', 'jmvae_h'])
def test_a_run_that_goes_on_ends_where_the_uninterrupted_one_does(section, tmp_path, name):
    whole, _ = train_here(section, name, tmp_path / 'whole')
    assert train_here(section, name, tmp_path / 'parts', lambda: True) is None
    assert (tmp_path / 'parts' / 'training.safetensors').exists()
    rest, curve = train_here(section, name, tmp_path / 'parts')

    assert [e['epoch'] for e in curve] == [1, 2]
    for key, weights in whole.state_dict().items():
        assert torch.equal(weights, rest.state_dict()[key]), key


def test_what_was_trained_is_found_again_and_its_state_is_gone(section, tmp_path):
    job = jobs_of(section)['jmvae']
    assert find_trained(job, tmp_path) is None
    network, curve = train_here(section, 'jmvae', tmp_path)

    again, same_curve = find_trained(job, tmp_path)
    assert same_curve == curve
    assert not (tmp_path / 'training.safetensors').exists()
    for key, weights in network.state_dict().items():
        assert torch.equal(weights, again.state_dict()[key])


def test_what_other_settings_trained_is_refused(section, tmp_path):
    train_here(section, 'jmvae', tmp_path)
    other = Section(merged(section.data, {'training': {'epochs': 9}}), 'study.yaml')

    with pytest.raises(StudyError, match='made with other settings'):
        find_trained(jobs_of(other)['jmvae'], tmp_path)


@pytest.mark.parametrize('file', ['weights.safetensors', 'curve.json'])
def test_a_damaged_file_is_named(section, tmp_path, file):
    train_here(section, 'jmvae', tmp_path)
    (tmp_path / file).write_bytes(b'{')

    with pytest.raises(StudyError, match=file):
        find_trained(jobs_of(section)['jmvae'], tmp_path)


def test_a_loss_that_is_not_finite_ends_training(section, tmp_path):
    other = Section(merged(section.data, {'training': {'learning_rate': 1e30}}), 'study.yaml')

    with pytest.raises(StudyError, match='the loss became'):
        train_here(other, 'jmvae', tmp_path)


@torch.no_grad()
@pytest.mark.parametrize('name', ['jmvae', 'jmvae_kl', 'jmvae_h'])
def test_images_of_a_class_are_scored_as_each_by_itself(section, name):
    network, values = network_of(section, name), rows(21)
    found = generate_images(network, values, 5, ONCE, torch.Generator().manual_seed(3))

    # The latents of class 0 are drawn first; all its images share them.
    for row in (0, 10, 20):
        image = {n: v[row : row + 1] for n, v in values.items()}
        draw = torch.Generator().manual_seed(3)
        alone = generation(network, image, only(LABEL, 1), [IMAGE], 5, 0, draw)
        assert float(found[row]) == pytest.approx(float(alone), rel=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('name', ['jmvae', 'jmvae_kl', 'jmvae_h'])
def test_an_image_is_never_less_likely_than_with_its_label(section, name):
    network, values = network_of(section, name), rows(20)
    scores = Scores(1, 1, 4, 8, 6, 30)
    # What finds the wrong label proposes badly: the bound of image and label must then count.
    chances = values[LABEL][:, 0].roll(1, dims=1)
    model = jobs_of(section)[name].model
    found = likelihoods(network, model, scores, values, chances, torch.Generator().manual_seed(0))

    assert found['log_p_x']['mean'] >= found['log_p_xy']['mean']
    assert found['log_p_x']['mean'] >= found['log_p_x_by_label']['mean']
    assert ('log_p_x_alone' in found) is model.knows_subsets


def test_a_bound_of_image_and_label_is_one_of_the_image():
    found = {'log_p_xy': {'mean': -2.0}, 'log_p_x_by_label': {'mean': -3.0}}

    assert with_image_bound(found)['log_p_x'] == {'mean': -2.0}
    assert with_image_bound(found | {'log_p_x': {'mean': -3.0}})['log_p_x'] == {'mean': -2.0}
    alone = {'log_p_x_alone': {'mean': -1.0}}
    assert with_image_bound(found | alone)['log_p_x'] == {'mean': -1.0}


@torch.no_grad()
@pytest.mark.parametrize('asking', [ONCE, Asking(2, False), Asking(2, True)])
def test_the_chances_of_the_labels_add_up_to_one(section, asking):
    images = rows(7)[IMAGE]
    found = label_chances(network_of(section, 'jmvae_h'), images, 3, asking, torch.Generator())

    assert torch.allclose(found.sum(1), torch.ones(7), atol=1e-5)


@torch.no_grad()
def test_the_best_way_of_asking_is_the_one_with_the_highest_score(section):
    network, draw = network_of(section, 'jmvae'), torch.Generator().manual_seed(0)
    ways = [Asking(n, False) for n in (0, 1, 3)]
    best, found = choose_image_asking(network, ways, rows(20), draw)

    assert found[str(best)] == max(found.values())
    assert set(found) == {'0', '1', '3'}


@torch.no_grad()
def test_more_samples_tighten_the_bound(section):
    network, values, known = network_of(section, 'jmvae'), rows(30), torch.ones(30, 2, 1)
    scores = Scores(1, 1, 4, 400, 30, 1)
    tight, elbo = bound(network, values, known, [IMAGE, LABEL], scores, torch.Generator())

    assert tight.mean > elbo.mean
    assert math.isfinite(tight.error)


def test_an_estimate_is_a_mean_with_its_standard_error():
    found = Estimate.of(torch.tensor([1.0, 3.0, 5.0, 7.0]))

    assert found.mean == 4
    assert found.error == pytest.approx(math.sqrt(20 / 3) / 2)


def test_published_scores_stand_below_ours(section):
    settings = read_settings(section, reduced=False)
    keys = ('log_p_x', 'log_p_xy', 'log_p_x_given_y', 'generation_x_given_y')
    scores = {key: {'mean': -1.0} for key in (*keys, 'generation_y_given_x', 'accuracy')}
    scores['asking'] = {'image': '0', 'label': '2'}
    result = {'epochs': 2, 'scores': scores}

    header, table = scores_table(lines_of(settings, {'jmvae-seed1': result}))

    assert [row[0] for row in table] == ['JMVAE', 'JMVAE, published']
    assert table[1][header.index('log p(x)')] == '-232.63'
