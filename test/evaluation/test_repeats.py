"""Windows that stand in two sets of data."""

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.evaluation import bank as bank_module
from mmvae_controller.evaluation.bank import fill_bank
from mmvae_controller.evaluation.repeats import count_repeats
import numpy as np


def every(windows):
    return np.arange(len(windows))


def copied(icub, windows):
    copy = icub(sha256='of a copy')
    for name, values in windows._values.items():
        copy._values[name] = values.copy()
    return copy


def test_every_row_of_a_copy_is_found_however_many_rows_the_bank_keeps(icub, monkeypatch):
    monkeypatch.setattr(bank_module, 'BANK_ROWS', 10)
    windows = icub()
    assert len(fill_bank(windows, every(windows)).rows) < len(windows)
    copy = copied(icub, windows)
    copy._values['sound'][7, 1] += 0.5
    assert count_repeats(windows, every(windows), copy, every(copy)) == 79
    assert count_repeats(windows, np.arange(1, 80, 2), copy, every(copy)) == 39


def test_other_widths_and_signs_of_zero_are_the_same_numbers(icub):
    windows = icub()
    windows._values['joint'][:] = 0.0
    copy = copied(icub, windows)
    copy._values['joint'] = np.full(copy._values['joint'].shape, -0.0)
    assert count_repeats(windows, every(windows), copy, every(copy)) == 80


def test_other_data_repeats_nothing(icub):
    assert count_repeats(icub(), np.arange(80), icub(), np.arange(80)) == 0


class Changed:
    """A recording in which some pictures are others."""

    def __init__(self, windows, rows):
        self._windows, self._rows = windows, rows

    def __getattr__(self, name):
        return getattr(self._windows, name)

    def batch(self, rows):
        batch = self._windows.batch(rows)
        camera = batch.values['camera'].copy()
        camera[np.isin(rows, self._rows), 1, 0, 0, 0] ^= 1
        values = {**batch.values, 'camera': camera}
        return type(batch)(values, batch.known, batch.label)


def test_a_recording_is_found_with_its_pictures_and_without_an_earlier_step(world):
    assert isinstance(world, Dataset)
    rows = every(world)
    assert not world.batch(rows).known.all()
    assert count_repeats(world, rows, world, rows) == 72
    assert count_repeats(world, rows, Changed(world, [3, 30]), rows) == 70
