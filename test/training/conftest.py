"""Small trainings: on the small world, and on windows as they were published."""

from dataclasses import replace

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.muting import Muting, Pattern
import pytest
import yaml


@pytest.fixture
def dataset(write_world):
    return Dataset(write_world())


@pytest.fixture
def load_training(tmp_path):
    """Return what reads a training YAML from data, by way of a file."""

    def load_data(data, modalities):
        path = tmp_path / 'train.yaml'
        path.write_text(yaml.safe_dump(data), encoding='utf-8')
        return load_training_config(path, modalities)

    return load_data


@pytest.fixture
def config(dataset, training_data, load_training):
    return load_training(training_data, dataset.modalities)


@pytest.fixture
def icub_config(icub_windows, training_data, load_training):
    branch = {'encoder': [4], 'decoder': [4]}
    training_data['network']['branches'] = {m.name: branch for m in icub_windows.modalities}
    training_data['muting'] = {'named': 1.0}
    config = load_training(training_data, icub_windows.modalities)
    assert config.muting == Muting({Pattern.NAMED: 1.0})
    return replace(config, passes=4, batch_size=60)
