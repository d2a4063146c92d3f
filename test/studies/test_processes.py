"""The worker processes of the study: what one is told to end is saved, and goes on."""

from functools import partial
import multiprocessing
import time

from mmvae_controller.modality.reader import Section
from mmvae_controller.studies.kl_schedules_config import kl_study
from mmvae_controller.studies.kl_schedules_work import (
    describe,
    read_result,
    result_path,
    train_group,
)
from mmvae_controller.studies.processes import work_in_processes
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.errors import TrainingError
import pytest
import yaml

SIZE = {'seeds': 1, 'epochs': 200, 'schedule_epochs': 2, 'record_every': 200}
STUDY = {
    'schedules': {'free': {'start': 0, 'plateau': 0}},
    'protocols': {'published': {'named': 1.0}},
    'scalings': {'plain': {}},
    'full': SIZE,
    'reduced': SIZE,
}
DEADLINE_S = 60.0
pytestmark = pytest.mark.slow


@pytest.fixture
def group(icub_windows, training_data, tmp_path):
    branch = {'encoder': [4], 'decoder': [4]}
    training_data['network']['branches'] = {m.name: branch for m in icub_windows.modalities}
    path = tmp_path / 'train.yaml'
    path.write_text(yaml.safe_dump(training_data), encoding='utf-8')
    training = load_training_config(path, icub_windows.modalities)
    (group,) = kl_study(Section(STUDY, 'study.yaml'), training, reduced=False).groups()
    return group


def test_an_interrupt_saves_what_is_done_and_the_next_call_goes_on(group, icub_windows, tmp_path):
    def interrupt(index, epoch):
        if epoch > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_in_processes([partial(train_group, group, icub_windows, tmp_path)], 1, interrupt)
    assert read_result(tmp_path, group, describe(icub_windows)) is None
    assert (tmp_path / 'states' / f'{group.name}.safetensors').exists()
    epochs = []
    work = partial(train_group, group, icub_windows, tmp_path)
    work_in_processes([work], 1, lambda index, epoch: epochs.append(epoch))
    assert epochs[0] > 0
    assert [
        r['epoch'] for r in read_result(tmp_path, group, describe(icub_windows))['records']
    ] == [1, 200]


def test_the_failure_of_a_group_is_the_failure_of_the_study(group, icub_windows, tmp_path):
    (tmp_path / 'states').mkdir()
    (tmp_path / 'states' / f'{group.name}.safetensors').write_bytes(b'broken')
    work = partial(train_group, group, icub_windows, tmp_path)
    with pytest.raises(TrainingError, match='cannot be resumed from'):
        work_in_processes([work], 1, lambda index, epoch: None)
    assert not result_path(tmp_path, group).exists()


def stand_still(tell, must_end):
    tell('begun')
    time.sleep(DEADLINE_S)


def test_a_worker_that_does_not_ask_whether_to_end_is_ended_all_the_same():
    """An epoch or a score may take minutes, and whoever sent SIGTERM waits for seconds."""

    def interrupt(index, news):
        raise KeyboardInterrupt

    began = time.monotonic()
    others = {*multiprocessing.active_children()}
    with pytest.raises(KeyboardInterrupt):
        work_in_processes([stand_still] * 2, 2, interrupt)
    assert time.monotonic() - began < DEADLINE_S / 2
    assert {*multiprocessing.active_children()} == others
