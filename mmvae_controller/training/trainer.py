"""The trainer: one model, one process; resumable, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
import math
from pathlib import Path
import time

from mmvae_controller.datasets.store import Batch, Dataset
from mmvae_controller.modality.contract import WEIGHTS_FILE
from mmvae_controller.modality.observation import CURRENT, Freshness, policy_query
from mmvae_controller.modality.spec import command_of
from mmvae_controller.training.ageing import aged, check_ages
from mmvae_controller.training.blanking import Blanks
from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.draws import epoch_draws, StepDraws, steps_per_epoch
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.normalising import fit_normalisers
from mmvae_controller.training.scrambling import learnable, recompose
from mmvae_controller.training.state import load_state, save_state
from mmvae_controller.training.windows import Windows
from mmvae_controller.vae.checkpoint import load_model
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
from mmvae_controller.vae.objective import Objective
from mmvae_controller.vae.objectives import objective, Sample
from mmvae_controller.vae.widening import widened
import numpy as np
import torch
from torch import Tensor

VALIDATION_BATCH = 512


@dataclass(frozen=True, slots=True)
class EpochResult:
    """How one epoch went: means over its batches, in nats per window.

    Args:
        epoch: Counted from 0.
        loss: Weighted objective on the training rows.
        kl: KL(q || prior) on the training rows.
        negative_log_likelihood: By modality, on the training rows.
        command_rmse: Of the command at t asked as a policy on the validation rows, own unit;
            NaN where none are held out.

    """

    epoch: int
    loss: float
    kl: float
    negative_log_likelihood: dict[str, float]
    command_rmse: float


class Trainer:
    """Trains a `TwoStepVAE` on a data set."""

    def __init__(
        self, config: TrainingConfig, dataset: Windows, initial: Path | None = None
    ) -> None:
        """Build model and optimiser; nothing is read from the data but the normalisers.

        Args:
            config: What to train, and how.
            dataset: What to train on.
            initial: Folder of a model with the same network, but perhaps without `motion`, to
                begin with its weights.

        Raises:
            TrainingError: Nothing is left to train on, the data lacks what muting asks for, or
                the initial model has another network.
            ModalityError, VaeError: The initial model cannot be read.

        """
        config.muting.check(dataset.patterns)
        check_ages(config.stale, dataset)
        torch.manual_seed(config.seed)
        self.config = config
        self.dataset = dataset
        self.modalities = dataset.description.modalities
        self.command = command_of(self.modalities).name
        self.train_rows, self.validation_rows = dataset.split(config.held_out, config.split_seed)
        if len(self.train_rows) == 0:
            raise TrainingError(f'no rows to train on: held_out is {config.held_out}')
        branches = config.network.branches
        self.normalisers = fit_normalisers(dataset, self.train_rows, branches)
        self.model = RealUnits(TwoStepVAE(self.modalities, config.network), self.normalisers)
        self.initial = self._begin_with(initial) if initial is not None else ''
        # Twice as fast for convolutions on a CPU, the same numbers.
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps_per_epoch = steps_per_epoch(config, len(self.train_rows))
        self.optimiser = config.optimiser.build(self.model.parameters(), config.learning_rate)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._learning_rate)
        self.epoch = 0
        self.seconds = 0.0
        self.last: EpochResult | None = None
        # What a run must have in common with the one it goes on with.
        self._identity = f'{config!r} on {len(dataset)} rows of {dataset.description!r}'
        if self.initial:
            self._identity += f' from weights {self.initial}'

    def _begin_with(self, folder: Path) -> str:
        """Take over the weights of a model; return their sha256."""
        other, contract = load_model(folder)
        weights = widened(other.network.state_dict(), other.network, self.model.network)
        try:
            self.model.network.load_state_dict(weights)
        except RuntimeError as error:
            raise TrainingError(
                f'{folder}: has another network than {self.config.name!r}: {error}'
            ) from error
        return contract.checksums[WEIGHTS_FILE]

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
        draws = epoch_draws(
            self.config, self.modalities, self.dataset.patterns, self.train_rows, self.epoch
        )
        kl_weight = self.config.kl.weight(self.epoch)
        sums: dict[str, float] = {}
        self.model.train()
        for step, drawn in enumerate(draws):
            cost = self._objective(self.dataset.batch(drawn.rows), drawn, kl_weight)
            self._step(cost, f'epoch {self.epoch}, step {step}')
            parts = {'loss': cost.loss, 'kl': cost.kl}
            for name, part in (parts | dict(cost.negative_log_likelihood)).items():
                sums[name] = sums.get(name, 0.0) + part.item() / self.steps_per_epoch
            on_step(step, cost.loss.item())
        loss, kl = sums.pop('loss'), sums.pop('kl')
        return EpochResult(self.epoch, loss, kl, sums, self.validate())

    def _step(self, cost: Objective, where: str) -> None:
        self._require_finite('loss', cost.loss, where)
        self.optimiser.zero_grad()
        cost.loss.backward()  # type: ignore[no-untyped-call]
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
                latent = self.model.network.settle(self.model.normalise(values), known)
                decoded = self.model.network.decode(latent.mean, [self.command])[self.command]
                wanted = self.model.scaling(self.command).restore(decoded.mean)[:, CURRENT]
                squares += float(((wanted - torch.from_numpy(batch.label)) ** 2).sum())
                count += batch.label.size
        return math.sqrt(squares / count) if count else math.nan

    def _objective(self, batch: Batch, drawn: StepDraws, kl_weight: float) -> Objective:
        if drawn.scramble is not None:
            batch = recompose(batch, self.modalities, drawn.scramble)
        targets = self.targets(batch)
        shown, fresh = targets, batch.known.astype(np.float32)
        if drawn.ages_s is not None:
            shown, fresh = self._aged(targets, batch, drawn)
        shown = shown | self._blanked(shown, drawn.blanks)
        noisy = {name: shown[name] + noise for name, noise in drawn.input_noise.items()}
        counts = torch.from_numpy(learnable(batch.known, drawn.mask, drawn.scramble))
        sample = Sample(
            shown=shown | noisy,
            known=torch.from_numpy(drawn.mask * fresh),
            targets=targets,
            present={m.name: counts[:, row] for row, m in enumerate(self.modalities)},
        )
        return objective(
            self.model.network, self.config.objective, sample, drawn.latent_noise, kl_weight
        )

    def _aged(
        self, targets: dict[str, Tensor], batch: Batch, drawn: StepDraws
    ) -> tuple[dict[str, Tensor], Freshness]:
        """Return what is shown instead of what is to be decoded, normalised, and how fresh."""
        assert isinstance(self.dataset, Dataset), 'check_ages has seen to it'
        assert drawn.ages_s is not None
        values, fresh = aged(self.dataset, drawn.rows, batch, drawn.ages_s)
        old = {n: torch.from_numpy(v) for n, v in values.items() if v is not batch.values[n]}
        return targets | self.model.normalise(old), fresh

    def _blanked(
        self, shown: Mapping[str, Tensor], blanks: Mapping[str, Blanks]
    ) -> dict[str, Tensor]:
        """Return the images of which some slots show nothing, normalised."""
        found = {}
        for name, blank in blanks.items():
            found[name] = shown[name].clone()
            pictures = self.model.normalise({name: torch.from_numpy(blank.pictures)})
            found[name][torch.from_numpy(blank.where)] = pictures[name]
        return found

    def targets(self, batch: Batch) -> dict[str, Tensor]:
        """Return a batch normalised, the right command in the place of the one applied at t."""
        values = {name: torch.from_numpy(np.asarray(v)) for name, v in batch.values.items()}
        values[self.command][:, CURRENT] = torch.from_numpy(batch.label)
        return self.model.normalise(values)

    def _learning_rate(self, step: int) -> float:
        steps = self.config.epochs * self.steps_per_epoch
        return self.config.rate_schedule.factor(step, steps, self.config.warmup_steps)
