"""Behaviour cloning: the plain network that the fault benchmark compares the model with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
import math
from pathlib import Path

from mmvae_controller.datasets.store import Batch
from mmvae_controller.modality.normaliser import fit_normaliser, Normaliser
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.spec import command_of, Encoder, Modality, Quantity
from mmvae_controller.training.cloning_config import CloningConfig
from mmvae_controller.training.cloning_network import PeerNetwork
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.normalising import PICTURES_TO_FIT
from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
from mmvae_controller.training.peer_contract import before_the_start
from mmvae_controller.training.state import load_state, save_state
from mmvae_controller.training.windows import Rows, Windows
import numpy as np
import torch
from torch import Tensor

VALIDATION_BATCH = 512
SCHEDULE = RateSchedule.COSINE


@dataclass(frozen=True, slots=True)
class ClonedEpoch:
    """How one epoch went.

    Args:
        epoch: Counted from 0.
        loss: Mean squared error of the normalised command on the training rows.
        command_rmse: On the validation rows, in the command's own unit; NaN where none are held
            out.

    """

    epoch: int
    loss: float
    command_rmse: float


class Cloner:
    """Fits a `PeerNetwork` to the demonstrations of a data set."""

    def __init__(self, config: CloningConfig, dataset: Windows) -> None:
        """Build network and optimiser; nothing is read from the data but the normalisers.

        Raises:
            TrainingError: No row is complete, or the command is no velocity.

        """
        torch.manual_seed(config.seed)
        self.config = config
        self.dataset = dataset
        self.modalities = dataset.description.modalities
        command = command_of(self.modalities)
        if command.quantity is not Quantity.VELOCITY:
            raise TrainingError(
                f'{command.name} is a {command.quantity}, expected a {Quantity.VELOCITY}: before '
                'an episode begins the arm rests, and only of a velocity is that a number'
            )
        self.command = command.name
        trained, held_out = dataset.split(config.held_out, config.split_seed)
        self.train_rows, self.validation_rows = (
            rows[dataset.known[rows].all(axis=1)] for rows in (trained, held_out)
        )
        if len(self.train_rows) == 0:
            raise TrainingError('no row to train on in which nothing is missing')
        self.normalisers = {m.name: self._fit(m) for m in self.modalities}
        self.model = PeerNetwork(self.modalities, config.layers, self.normalisers)
        # Twice as fast for convolutions on a CPU, the same numbers.
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps_per_epoch = math.ceil(len(self.train_rows) / config.batch_size)
        self.optimiser = OptimiserConfig(OptimiserName.ADAMW, config.weight_decay).build(
            self.model.parameters(), config.learning_rate
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._learning_rate)
        self.epoch = 0
        self.last: ClonedEpoch | None = None
        self._identity = f'{config!r} on {len(dataset)} rows of {dataset.description!r}'

    def resume(self, path: Path) -> None:
        """Go on from a saved state.

        Raises:
            TrainingError: It was saved by another configuration or is damaged.

        """
        progress = load_state(path, self._identity, self.model, self.optimiser, self.scheduler)
        self.epoch = progress['epoch']
        self.last = ClonedEpoch(**progress['last']) if progress['last'] else None

    def save(self, path: Path) -> None:
        """Save what `resume` needs, aside first, so that an interrupt leaves the last one."""
        progress = {'epoch': self.epoch, 'last': asdict(self.last) if self.last else None}
        save_state(path, self._identity, self.model, self.optimiser, self.scheduler, progress)

    def epochs(self, on_step: Callable[[float], None]) -> Iterator[ClonedEpoch]:
        """Train the epochs that are left, one at a time; `on_step` is told each step's loss."""
        while self.epoch < self.config.epochs:
            self.last = self._train_epoch(on_step)
            self.epoch += 1
            yield self.last

    def validate(self) -> float:
        """Return the RMSE of the command on the validation rows, in its own unit."""
        squares, count = 0.0, 0
        scaling = self.model.scaling(self.command)
        self.model.eval()
        with torch.no_grad():
            for start in range(0, len(self.validation_rows), VALIDATION_BATCH):
                rows = self.validation_rows[start : start + VALIDATION_BATCH]
                values, label = self._complete(self.dataset.batch(rows))
                found = scaling.restore(self.model.normalised(values))
                squares += float(((found - label) ** 2).sum())
                count += label.numel()
        return math.sqrt(squares / count) if count else math.nan

    def _train_epoch(self, on_step: Callable[[float], None]) -> ClonedEpoch:
        # Of seed and epoch alone: a resumed run draws what the uninterrupted one would have.
        random = np.random.default_rng([self.config.seed, self.epoch])
        shuffled = random.permutation(self.train_rows)
        scaling = self.model.scaling(self.command)
        total = 0.0
        self.model.train()
        for start in range(0, len(shuffled), self.config.batch_size):
            rows = shuffled[start : start + self.config.batch_size]
            values, label = self._complete(self.dataset.batch(rows))
            error = self.model.normalised(values) - scaling.normalise(label)
            loss = (error**2).mean()
            self._step(loss)
            total += loss.item() * len(rows)
            on_step(loss.item())
        return ClonedEpoch(self.epoch, total / len(shuffled), self.validate())

    def _step(self, loss: Tensor) -> None:
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_norm)
        if not torch.isfinite(norm):
            raise TrainingError(
                f'gradient is {norm.item()} in epoch {self.epoch}: lower learning_rate '
                f'(now {self.config.learning_rate:g})'
            )
        self.optimiser.step()
        self.scheduler.step()

    def _complete(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """Return values and labels, and what was before the start where an episode begins.

        How an episode begins has to be learnt: the robot asks there as well.
        """
        values = {}
        for row, modality in enumerate(self.modalities):
            value = np.array(batch.values[modality.name])
            began = ~batch.known[:, row, PREVIOUS]
            value[began, PREVIOUS] = before_the_start(modality, value[began, CURRENT])
            values[modality.name] = torch.from_numpy(value)
        return values, torch.from_numpy(batch.label)

    def _fit(self, modality: Modality) -> Normaliser:
        rows: Rows = self.train_rows
        if modality.encoder is Encoder.IMAGE:
            # All of them would not fit into memory.
            rows = rows[:: max(1, len(rows) // PICTURES_TO_FIT)]
        return fit_normaliser(modality, self.dataset.column(modality.name, rows))

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return self.config.epochs * self.steps_per_epoch

    @property
    def slowness(self) -> str:
        """Why little will be learnt in so few steps; empty if nothing speaks against it."""
        config = self.config
        return SCHEDULE.slowness(self.steps, config.warmup_steps, config.learning_rate)

    def _learning_rate(self, step: int) -> float:
        return SCHEDULE.factor(step, self.steps, self.config.warmup_steps)
