"""The linear world: what its sensors read is what it says of them."""

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.linear_world import (
    LinearWorld,
    ROBOT,
    ROWS_IN_EPISODE,
    Sensor,
)
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.errors import ModalityError
import numpy as np
import pytest

MOTOR = Sensor('motor', ({'a': 1.0},), 0.5, command=True)


@pytest.fixture(scope='module')
def drawn():
    return ROBOT.draw(40000, 5).batch(np.arange(40000)).values


def test_readings_vary_as_gains_and_noise_say(drawn):
    for sensor in ROBOT.sensors:
        gain = ROBOT.readings(sensor)
        wanted = gain @ gain.T + sensor.noise_std**2 * np.eye(len(gain))
        for step in range(2):
            found = np.cov(drawn[sensor.name][:, step].T)
            np.testing.assert_allclose(found, wanted, atol=0.05)


def test_the_factors_last_from_one_step_to_the_next_and_the_noise_does_not(drawn):
    for sensor in ROBOT.sensors:
        gain = ROBOT.readings(sensor)
        both = np.cov(drawn[sensor.name][:, 0].T, drawn[sensor.name][:, 1].T)
        np.testing.assert_allclose(both[: len(gain), len(gain) :], gain @ gain.T, atol=0.05)


def test_sensors_share_what_they_read_and_nothing_else(drawn):
    for one in ROBOT.sensors:
        for other in ROBOT.sensors:
            if one is other:
                continue
            size = len(one.readings)
            both = np.cov(drawn[one.name][:, 1].T, drawn[other.name][:, 1].T)
            wanted = ROBOT.readings(one) @ ROBOT.readings(other).T
            np.testing.assert_allclose(both[:size, size:], wanted, atol=0.05)


def test_the_label_is_the_command_at_t():
    windows = ROBOT.draw(10, 0)
    batch = windows.batch(np.array([7, 2]))
    assert np.array_equal(batch.label, batch.values['motor'][:, 1])
    assert np.array_equal(batch.label, windows.column('label', np.array([7, 2])))
    assert batch.known.all()


def test_a_split_takes_every_window_once():
    train, held = ROBOT.draw(100, 0).split(0.3, seed=4)
    assert len(held) == 30
    assert sorted([*train, *held]) == list(range(100))


def test_a_sensor_without_noise_is_refused():
    with pytest.raises(DatasetError, match=r'eye: noise_std is 0.0, expected above 0'):
        LinearWorld((Sensor('eye', ({'a': 1.0},), 0.0), MOTOR))


def test_a_world_without_a_command_is_refused():
    with pytest.raises(ModalityError, match='exactly one modality has the role command'):
        LinearWorld((Sensor('eye', ({'a': 1.0},), 0.5),))


def test_a_recorded_world_reads_as_it_was_drawn_and_its_factors_last_for_an_episode(tmp_path):
    ROBOT.record(tmp_path, 20000, seed=5, in_shard=6000)
    world = Dataset(tmp_path)
    assert len(world) == 20000
    batch = world.batch(np.arange(20000))
    begins = np.arange(20000) % ROWS_IN_EPISODE == 0
    assert np.array_equal(~batch.known[:, :, 0].all(axis=1), begins)
    assert np.array_equal(batch.label, batch.values['motor'][:, 1])
    for sensor in ROBOT.sensors:
        gain = ROBOT.readings(sensor)
        both = np.cov(*np.moveaxis(batch.values[sensor.name][~begins], 1, 0)[:, :, 0])
        assert both[0, 1] == pytest.approx((gain @ gain.T)[0, 0], abs=0.2)
