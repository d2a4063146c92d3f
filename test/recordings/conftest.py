"""Bags of the small robot, written message by message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.robot import Robot
from mmvae_controller.recordings.importing import import_bags, ImportSettings
from mmvae_controller.recordings.making import Maker
from mmvae_controller.recordings.report import Report
from mmvae_controller.recordings.writer import BagWriter
import numpy as np
from numpy.typing import NDArray
import pytest

MS = NS // 1000
Skip = Callable[[str, int], bool]


def skip_nothing(what: str, ms: int) -> bool:
    return False


class Tape:
    """Writes what the small robot senses and is told, at times in ms.

    Args:
        path: Of the bag.
        epoch_ns: Where 0 ms is on the recorder's clock.
        namespace: Of the robot, with its slash.

    """

    def __init__(
        self, path: Path, epoch_ns: int = 1_700_000_000 * NS, namespace: str = '', **options: Any
    ) -> None:
        self.path, self.epoch_ns, self.namespace = path, epoch_ns, namespace
        self.writer = BagWriter(path, **options)
        self.maker = Maker()

    def close(self) -> Path:
        self.writer.close()
        return self.path

    def put(self, topic: str, made: tuple[str, Any], at_ms: float) -> None:
        stamp_ns = self.epoch_ns + round(at_ms * MS)
        place = topic if topic.startswith('/') else f'{self.namespace}/{topic}'
        self.writer.write(place, made[0], stamp_ns, made[1])

    def clock(self, now_ms: float, at_ms: float, topic: str = '/clock') -> None:
        self.put(topic, self.maker.clock(round(now_ms * MS)), at_ms)

    def camera(self, grey: int, at_ms: float) -> None:
        picture = np.full((8, 8, 3), grey, dtype=np.uint8)
        self.put('camera/image_raw', self.maker.image(picture, 'rgb8', 0, 'camera'), at_ms)

    def joints(self, left: float, at_ms: float) -> None:
        made = self.maker.joints(
            ['left', 'right', 'spare'], np.array([left, -left, 9.0]), np.zeros(3), 0, ''
        )
        self.put('joint_states', made, at_ms)

    def touch(self, force: float, at_ms: float) -> None:
        self.put('touch', self.maker.force(np.array([force, 0.0, 0.0]), 0, ''), at_ms)

    def command(self, left: float, at_ms: float, topic: str = 'joint_command') -> None:
        self.put(topic, self.maker.numbers(np.array([left, -left])), at_ms)

    def flag(self, value: bool, at_ms: float, topic: str = 'episode') -> None:
        self.put(topic, self.maker.flag(value), at_ms)

    def run(self, begin_ms: int, end_ms: int, skip: Skip = skip_nothing) -> Tape:
        """Go at 1 rad/s: joints each 10 ms, all else each 20 ms.

        A number that is sensed says when, in s; a picture is as bright as the second is old, in
        steps of 5 ms. What is skipped is asked for by name and time.
        """
        for ms in range(begin_ms, end_ms, 10):
            if not skip('joints', ms):
                self.joints(ms / 1000, ms)
            if ms % 20:
                continue
            if not skip('camera', ms):
                self.camera(ms % 1000 // 5, ms + 1)
            if not skip('touch', ms):
                self.touch(ms / 1000, ms + 2)
            if not skip('command', ms):
                self.command(ms / 1000 + 0.02, ms + 5)
        return self


@pytest.fixture
def tapes(tmp_path: Path) -> Callable[..., Tape]:
    """Return what begins a bag of some name."""
    return lambda name='bag', **options: Tape(tmp_path / name, **options)


@pytest.fixture
def tape(tapes: Callable[..., Tape]) -> Iterator[Tape]:
    """Return a bag to be written; close it before it is read."""
    return tapes()


@pytest.fixture
def imported(robot: Robot, tmp_path: Path) -> Callable[..., Report]:
    """Return what imports bags of the small robot into the folder `data`."""

    def run(*bags: Path, dry: bool = False, of: Robot = robot, **options: Any) -> Report:
        place = None if dry else tmp_path / 'data'
        return import_bags(ImportSettings(bags, **options), of, place, lambda *told: None)

    return run


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[], dict[str, NDArray[Any]]]:
    """Return what reads all rows of the imported data set, with masks and episodes."""

    def read() -> dict[str, NDArray[Any]]:
        dataset = Dataset(tmp_path / 'data')
        every = np.arange(len(dataset))
        columns = {m.name: dataset.column(m.name, every) for m in dataset.modalities}
        label = dataset.column('label', every)
        names = [m.name for m in dataset.modalities]
        known = dict(zip(names, dataset.known[every].T, strict=True))
        return columns | {'label': label, 'known': known, 'episode': dataset.episode}

    return read
