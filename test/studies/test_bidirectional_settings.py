from pathlib import Path

from mmvae_controller.datasets.image_label import ImageLabel, Part
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.studies.bidirectional_settings import (
    Asking,
    describe,
    merged,
    read_settings,
)
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.training.optimising import RateSchedule
from mmvae_controller.vae.config import Fusion
import numpy as np
import pytest

SHIPPED = Path(__file__).parents[2] / 'config' / 'study' / 'jmvae.yaml'

DATA = 'some images'


def changed(**less):
    return Section(merged(read_yaml(SHIPPED).data, less), 'jmvae.yaml')


def test_the_shipped_study_trains_as_published():
    settings = read_settings(read_yaml(SHIPPED), reduced=False)

    assert settings.training.epochs == 500
    assert settings.training.batch_size == 100
    assert settings.training.rate_schedule is RateSchedule.CONSTANT
    assert all(model.seeds == (1, 2, 3) for model in settings.models)


def test_the_reduced_study_changes_only_what_its_section_says():
    whole = read_settings(read_yaml(SHIPPED), reduced=False)
    less = read_settings(read_yaml(SHIPPED), reduced=True)

    assert less.training.epochs == 30
    assert less.training.learning_rate == whole.training.learning_rate
    assert [m.network for m in less.models] == [m.network for m in whole.models]
    assert [m.objective for m in less.models] == [m.objective for m in whole.models]


def test_jobs_begin_with_every_model_of_the_first_seed_and_end_with_single_ones():
    names = [job.name for job in read_settings(read_yaml(SHIPPED), reduced=True).jobs(DATA)]

    several = ['jmvae', 'jmvae_kl', 'jmvae_h', 'jmvae_h_sampled']
    assert names[:5] == [*(f'{name}-seed1' for name in several), 'jmvae-seed2']
    assert names[12:] == ['jmvae_kl_1-seed1', 'mvae-seed1', 'mvtcae-seed1']


def test_models_replace_keys_of_the_common_network():
    models = {m.name: m for m in read_settings(read_yaml(SHIPPED), reduced=True).models}

    assert models['jmvae_kl'].network.fusion is Fusion.SUBSETS
    assert models['jmvae_kl'].knows_subsets
    assert not models['jmvae'].knows_subsets
    assert models['jmvae_h'].network.hierarchy is not None
    assert len({m.network.latent for m in models.values()}) == 1


def test_only_a_hierarchy_is_asked_by_its_top():
    models = {m.name: m for m in read_settings(read_yaml(SHIPPED), reduced=True).models}

    assert models['jmvae_kl'].askings == (Asking(0, False),)
    assert not any(a.top for a in models['jmvae'].askings)
    assert Asking(1, True) in models['jmvae_h'].askings
    assert Asking(0, True) not in models['jmvae_h'].askings


def test_identity_forgets_how_often_a_state_is_saved_but_not_the_rest():
    first = read_settings(changed(), reduced=False).jobs(DATA)[0]
    same = read_settings(changed(training={'save_every_s': 5}), reduced=False).jobs(DATA)[0]
    other = read_settings(changed(training={'epochs': 5}), reduced=False).jobs(DATA)[0]
    wider = read_settings(changed(network={'latent': 8}), reduced=False).jobs(DATA)[0]

    assert same.identity == first.identity
    assert len({first.identity, other.identity, wider.identity}) == 3


def test_other_data_is_another_identity():
    settings = read_settings(changed(), reduced=False)

    assert settings.jobs(DATA)[0].identity != settings.jobs('others')[0].identity


def test_data_is_known_by_each_of_its_bytes_and_by_where_its_parts_end():
    pixels = np.arange(4 * 784, dtype=np.uint64).astype(np.uint8).reshape(4, 784)
    classes = np.arange(4, dtype=np.uint8)

    def described(split=2, **changes):
        rows = {'pixels': pixels, 'classes': classes} | changes
        one, other = ({n: v[s] for n, v in rows.items()} for s in (slice(split), slice(split, 4)))
        return describe(ImageLabel(Part(**one), Part(**other)))

    found = {
        described(),
        described(split=1),
        described(pixels=pixels + np.uint8(1)),
        described(classes=classes[::-1]),
    }
    assert described().startswith('2 images to train and 2 to test on, sha256 ')
    assert len(found) == 4


def test_seeds_have_identities_of_their_own():
    jobs = read_settings(read_yaml(SHIPPED), reduced=False).jobs(DATA)

    assert len({job.identity for job in jobs}) == len(jobs)


@pytest.mark.parametrize(
    ('less', 'message'),
    [
        ({'kind': 'kl_schedules'}, 'kind is'),
        ({'models': {'jmvae': {'rounds': []}}}, 'rounds is'),
        ({'models': {'jmvae': {'rounds': [-1]}}}, 'rounds is'),
        ({'models': {'jmvae': {'rounds': [0.5]}}}, 'rounds is'),
        ({'network': {'steps': 2}}, 'steps is 2'),
        (
            {'network': {'branches': {'label': {'likelihood': 'bernoulli'}}}},
            'label: likelihood is bern',
        ),
        ({'scores': {'tight_samples': 2}}, 'tight_samples is 2'),
    ],
)
def test_settings_that_contradict_the_study_are_refused(less, message):
    with pytest.raises(StudyError, match=message):
        read_settings(changed(**less), reduced=False)


def test_a_misspelled_key_is_refused():
    with pytest.raises(ModalityError, match='unknown key epoch'):
        read_settings(changed(training={'epoch': 3}), reduced=False)


def test_a_study_without_models_is_refused():
    section = Section({**read_yaml(SHIPPED).data, 'models': {}}, 'jmvae.yaml')

    with pytest.raises(StudyError, match='models is empty'):
        read_settings(section, reduced=False)
