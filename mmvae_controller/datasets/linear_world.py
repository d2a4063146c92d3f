"""A robot whose senses are linear and Gaussian, so that everything about it is known exactly.

    s ~ N(0, I)                        K factors, the same at t - dt and at t
    x = W s + noise * N(0, I)          what each sense, and the command, reads of them at a step

Its windows train a model like any other data; what the model should then have learnt follows in
closed form from `readings`, `noise_std` and linear algebra (importance/exact.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.shards import Array
from mmvae_controller.datasets.spans import Rows
from mmvae_controller.datasets.store import (
    Batch,
    Description,
    EPISODE,
    KNOWN,
    LABEL,
    write_description,
    write_shard,
)
from mmvae_controller.modality.observation import CURRENT, Mask, STEPS
from mmvae_controller.modality.spec import command_of, Encoder, Modality, Quantity, Role
import numpy as np
from numpy.typing import NDArray

STEP_S = 0.1
MAX_AGE_S = 1.0
# Of a recorded world; an episode ends with its shard.
ROWS_IN_EPISODE = 50
ROWS_IN_SHARD = 500_000


@dataclass(frozen=True, slots=True)
class Sensor:
    """One modality of the world.

    Args:
        name: Of the modality.
        readings: For each of its D numbers the gain by factor, e.g. `({'ball': 1.0}, {})`; the
            second number reads nothing.
        noise_std: Standard deviation of the noise of each number.
        command: Whether it is the command.

    """

    name: str
    readings: tuple[Mapping[str, float], ...]
    noise_std: float
    command: bool = False

    @property
    def modality(self) -> Modality:
        """What a model sees of it."""
        return Modality(
            name=self.name,
            role=Role.COMMAND if self.command else Role.SENSE,
            encoder=Encoder.VECTOR,
            shape=(len(self.readings),),
            unit='1',
            channels=tuple(f'{self.name}_{number}' for number in range(len(self.readings))),
            max_age_s=MAX_AGE_S,
            quantity=Quantity.POSITION if self.command else None,
        )


@dataclass(frozen=True, slots=True)
class LinearWorld:
    """The sensors, and the factors they read."""

    sensors: tuple[Sensor, ...]

    def __post_init__(self) -> None:
        """Refuse a world in which nothing is random, or nobody commands."""
        for sensor in self.sensors:
            if not sensor.noise_std > 0:
                raise DatasetError(
                    f'{sensor.name}: noise_std is {sensor.noise_std}, expected above 0'
                )
        command_of(self.modalities)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """In the order of the mask rows."""
        return tuple(s.modality for s in self.sensors)

    @property
    def factors(self) -> tuple[str, ...]:
        """Everything that is read, in order of first mention."""
        named = [f for s in self.sensors for reading in s.readings for f in reading]
        return tuple(dict.fromkeys(named))

    def readings(self, sensor: Sensor) -> NDArray[np.float64]:
        """Return W of a sensor, `(D, K)`."""
        rows = [[reading.get(f, 0.0) for f in self.factors] for reading in sensor.readings]
        return np.array(rows, dtype=np.float64)

    def draw(self, count: int, seed: int) -> LinearWindows:
        """Return some windows; the same for the same seed."""
        random = np.random.default_rng(seed)
        factors = random.normal(size=(count, len(self.factors)))
        values = {}
        for sensor in self.sensors:
            noise = random.normal(size=(count, STEPS, len(sensor.readings)))
            clean = factors @ self.readings(sensor).T
            noisy = clean[:, None] + sensor.noise_std * noise
            values[sensor.name] = noisy.astype(np.float32)
        return LinearWindows(self.modalities, values, f'linear world, seed {seed}')

    def record(self, folder: Path, count: int, seed: int, in_shard: int = ROWS_IN_SHARD) -> None:
        """Write a data set of some rows, shard by shard: of any size in the same memory.

        The factors last for an episode, so that its windows are like those drawn; the last shard
        is followed by dataset.yaml, as after a recording.

        Raises:
            DatasetError: The disk is full or the folder cannot be written.

        """
        random = np.random.default_rng(seed)
        command = command_of(self.modalities).name
        for shard, start in enumerate(range(0, count, in_shard)):
            rows = np.arange(start, min(count, start + in_shard))
            episode = rows // ROWS_IN_EPISODE
            drawn = random.normal(size=(len(np.unique(episode)), len(self.factors)))
            factors = drawn[episode - episode[0]]
            columns: dict[str, Array] = {}
            for sensor in self.sensors:
                noise = random.normal(size=(len(rows), len(sensor.readings)))
                noisy = factors @ self.readings(sensor).T + sensor.noise_std * noise
                columns[sensor.name] = noisy.astype(np.float32)
            columns |= {
                LABEL: columns[command],
                KNOWN: np.ones((len(rows), len(self.sensors)), dtype=bool),
                EPISODE: episode,
            }
            write_shard(folder, shard, columns)
        origin = {'from': f'linear world, seed {seed}'}
        write_description(folder, Description(self.modalities, STEP_S, STEP_S, origin))


class LinearWindows:
    """Independent windows, everything known, as the trainer reads a `Dataset`."""

    def __init__(
        self,
        modalities: Sequence[Modality],
        values: Mapping[str, NDArray[np.float32]],
        origin: str,
    ) -> None:
        """Hold values `(N, 2, D)` by modality."""
        self.description = Description(tuple(modalities), STEP_S, STEP_S, {'from': origin})
        self.patterns: Mapping[str, Mask] = {}
        self._values = values
        self._command = command_of(self.modalities).name
        self.known: NDArray[np.bool_] = np.ones((len(self), len(modalities)), dtype=bool)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(next(iter(self._values.values())))

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """In the order of the mask rows."""
        return self.description.modalities

    def column(self, name: str, rows: Rows) -> Array:
        """Return the values at t `(B, D)` of one modality, or the labels."""
        values: Array = self._values[self._command if name == LABEL else name][rows, CURRENT]
        return values

    def batch(self, rows: Rows) -> Batch:
        """Return some windows; the label is the command at t."""
        values = {name: value[rows] for name, value in self._values.items()}
        known = np.ones((len(rows), len(values), STEPS), dtype=bool)
        return Batch(values, known, values[self._command][:, CURRENT].copy())

    def split(self, held_out: float, seed: int) -> tuple[Rows, Rows]:
        """Return the rows to train on and those held out: windows have nothing in common."""
        order = np.random.default_rng(seed).permutation(len(self))
        count = round(len(self) * held_out)
        return np.sort(order[count:]), np.sort(order[:count])


# Every case an importance measure has to tell apart: two eyes that see the same, each dispensable
# and together not; joints that only they feel; a goal that nothing but the command depends on;
# and an antenna that receives noise.
ROBOT = LinearWorld(
    (
        Sensor('left_eye', ({'ball_x': 1.0}, {'ball_y': 1.0}), 0.3),
        Sensor('right_eye', ({'ball_x': 1.0}, {'ball_y': 1.0}), 0.3),
        Sensor('joints', ({'elbow': 1.0}, {'wrist': 1.0}), 0.2),
        Sensor('goal', ({'wish': 1.0},), 0.2),
        Sensor('antenna', ({}, {}), 1.0),
        Sensor('motor', ({'ball_x': 0.8}, {'elbow': 0.7}, {'wish': 1.0}), 0.4, command=True),
    )
)
