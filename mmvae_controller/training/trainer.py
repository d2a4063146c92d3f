"""The trainer: one model, one process; resumable, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
import math
from pathlib import Path
import time

from mmvae_controller.datasets.store import Batch, Dataset
from mmvae_controller.modality.normaliser import fit_normaliser, Normaliser
from mmvae_controller.modality.observation import CURRENT, policy_query
from mmvae_controller.modality.spec import command_of, Encoder
from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.state import load_state, save_state
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
from mmvae_controller.vae.objective import Objective, weighted_elbo
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

VALIDATION_BATCH = 512
PICTURES_TO_FIT = 500
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EpochResult:
    """How one epoch went: means over its batches, in nats per window.

    Args:
        epoch: Counted from 0.
        loss: Weighted objective on the training rows.
        kl: KL(q || prior) on the training rows.
        negative_log_likelihood: By modality, on the training rows.
        command_rmse: Of the command at t asked as a policy on the validation rows, own unit.

    """

    epoch: int
    loss: float
    kl: float
    negative_log_likelihood: dict[str, float]
    command_rmse: float


class Trainer:
    """Trains a `TwoStepVAE` on a data set."""

    def __init__(self, config: TrainingConfig, dataset: Dataset) -> None:
        """Build model and optimiser; nothing is read from the data but the normalisers."""
        torch.manual_seed(config.seed)
        self.config = config
        self.dataset = dataset
        self.modalities = dataset.modalities
        self.command = command_of(self.modalities).name
        self.pictures = [m.name for m in self.modalities if m.encoder is Encoder.IMAGE]
        self.train_rows, self.validation_rows = dataset.split(config.held_out, config.seed)
        if len(self.train_rows) == 0:
            raise TrainingError(f'no rows to train on: held_out is {config.held_out}')
        self.normalisers = self._fit_normalisers()
        self.model = RealUnits(TwoStepVAE(self.modalities, config.network), self.normalisers)
        # Twice as fast for convolutions on a CPU, the same numbers.
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps_per_epoch = math.ceil(len(self.train_rows) / config.batch_size)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=config.learning_rate)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._learning_rate)
        self.epoch = 0
        self.seconds = 0.0
        self.last: EpochResult | None = None
        # What a run must have in common with the one it goes on with.
        self._identity = f'{config!r} on {len(dataset)} rows of {dataset.description!r}'

    def resume(self, path: Path) -> None:
        """Go on from a saved state.

        Raises:
            TrainingError: It was saved by another configuration or is damaged.

        """
        progress = load_state(path, self._identity, self.model, self.optimiser, self.scheduler)
        self.epoch, self.seconds = progress['epoch'], progress['seconds']
        self.last = EpochResult(**progress['last']) if progress['last'] else None

    def save(self, path: Path) -> None:
        """Save what `resume` needs, aside first, so that an interrupt leaves the last one."""
        last = asdict(self.last) if self.last else None
        progress = {'epoch': self.epoch, 'seconds': self.seconds, 'last': last}
        save_state(path, self._identity, self.model, self.optimiser, self.scheduler, progress)

    def epochs(self, on_step: Callable[[int, float], None]) -> Iterator[EpochResult]:
        """Train the epochs that are left, one at a time.

        Args:
            on_step: Is told after each step its number in the epoch and the loss.

        """
        while self.epoch < self.config.epochs:
            began = time.monotonic()
            self.last = self._train_epoch(on_step)
            self.seconds += time.monotonic() - began
            self.epoch += 1
            yield self.last

    def _train_epoch(self, on_step: Callable[[int, float], None]) -> EpochResult:
        # Seeded by epoch, so that a resumed run draws what the uninterrupted one would have.
        random = np.random.default_rng([self.config.seed, self.epoch])
        noise = torch.Generator().manual_seed(int(random.integers(2**62)))
        order = random.permutation(self.train_rows)
        kl_weight = self.config.kl.weight(self.epoch)
        sums: dict[str, float] = {}
        self.model.train()
        for step in range(self.steps_per_epoch):
            size = self.config.batch_size
            batch = self.dataset.batch(order[step * size : (step + 1) * size])
            objective = self._objective(batch, random, noise, kl_weight)
            self._step(objective, f'epoch {self.epoch}, step {step}')
            parts = {'loss': objective.loss, 'kl': objective.kl}
            for name, part in (parts | dict(objective.negative_log_likelihood)).items():
                sums[name] = sums.get(name, 0.0) + part.item() / self.steps_per_epoch
            on_step(step, objective.loss.item())
        loss, kl = sums.pop('loss'), sums.pop('kl')
        return EpochResult(self.epoch, loss, kl, sums, self.validate())

    def _step(self, objective: Objective, where: str) -> None:
        self._require_finite('loss', objective.loss, where)
        self.optimiser.zero_grad()
        objective.loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_norm)
        # The loss of the next step would tell, but the last step has none.
        self._require_finite('gradient', norm, where)
        self.optimiser.step()
        self.scheduler.step()

    def _require_finite(self, what: str, value: Tensor, where: str) -> None:
        if not torch.isfinite(value):
            raise TrainingError(
                f'{what} is {value.item()} in {where}: lower learning_rate '
                f'(now {self.config.learning_rate:g})'
            )

    def validate(self) -> float:
        """Return the RMSE of the command at t, asked as a policy, on the validation rows."""
        query = policy_query(self.modalities)
        squares, count = 0.0, 0
        self.model.eval()
        with torch.no_grad():
            for start in range(0, len(self.validation_rows), VALIDATION_BATCH):
                rows = self.validation_rows[start : start + VALIDATION_BATCH]
                batch = self.dataset.batch(rows)
                values = {n: torch.from_numpy(np.asarray(v)) for n, v in batch.values.items()}
                known = torch.from_numpy(batch.known & query).float()
                latent = self.model.network.encode(self.model.normalise(values), known)
                decoded = self.model.network.decode(latent.mean, [self.command])[self.command]
                wanted = self.model.scaling(self.command).restore(decoded.mean)[:, CURRENT]
                squares += float(((wanted - torch.from_numpy(batch.label)) ** 2).sum())
                count += batch.label.size
        return math.sqrt(squares / count) if count else math.nan

    def _objective(
        self, batch: Batch, random: np.random.Generator, noise: torch.Generator, kl_weight: float
    ) -> Objective:
        targets = self.targets(batch)
        mask = self.config.muting.draw(self.modalities, len(batch.label), random)
        known = torch.from_numpy(mask & batch.known).float()
        present = {
            m.name: torch.from_numpy(batch.known[:, row]) for row, m in enumerate(self.modalities)
        }
        posterior = self.model.network.encode(targets, known)
        latent = posterior.sample(noise)
        vectors = [n for n in targets if n not in self.pictures]
        decoded = self.model.network.decode(latent, vectors)
        weights = {n: b.weight for n, b in self.config.network.branches.items()}
        # Drawing pictures costs more than all the rest: only some rows do, and count for more.
        drawn = slice(0, max(1, round(len(latent) * self.config.picture_share)))
        decoded |= self.model.network.decode(latent[drawn], self.pictures)
        for name in self.pictures:
            targets[name], present[name] = targets[name][drawn], present[name][drawn]
        return weighted_elbo(targets, present, decoded, posterior, weights, kl_weight)

    def targets(self, batch: Batch) -> dict[str, Tensor]:
        """Return a batch normalised, the right command in the place of the one applied at t."""
        values = {name: torch.from_numpy(np.asarray(v)) for name, v in batch.values.items()}
        values[self.command][:, CURRENT] = torch.from_numpy(batch.label)
        return self.model.normalise(values)

    def _fit_normalisers(self) -> dict[str, Normaliser]:
        normalisers = {}
        for row, modality in enumerate(self.modalities):
            rows = self.train_rows[self.dataset.known[self.train_rows, row]]
            if modality.name in self.pictures:
                # All of them would not fit into memory, and one may be of a single colour.
                rows = rows[:: max(1, len(rows) // PICTURES_TO_FIT)]
            normalisers[modality.name] = fit_normaliser(
                modality, self.dataset.column(modality.name, rows)
            )
        return normalisers

    def _learning_rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / max(1, self.config.warmup_steps))
        done = step / (self.config.epochs * self.steps_per_epoch)
        return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
