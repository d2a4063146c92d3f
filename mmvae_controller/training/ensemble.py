"""Many models at once: what `Trainer` does, for K models of one architecture as one batched model.

Small networks leave a processor waiting between small operations. Stacked, the models share each
operation; each keeps its own weights, order, masks, noise, muting and KL schedule, and ends where
a `Trainer` of its own would have ended, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmvae_controller.modality.spec import Encoder
from mmvae_controller.training.config import OFF, TrainingConfig
from mmvae_controller.training.draws import StepDraws, steps_per_epoch
from mmvae_controller.training.ensemble_batch import shared_draws
from mmvae_controller.training.ensemble_stack import Stack
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.held import HeldWindows
from mmvae_controller.training.normalising import fit_normalisers
from mmvae_controller.training.running import ON_CPU, Running
from mmvae_controller.training.state import load_state, save_state
from mmvae_controller.training.windows import Windows
from mmvae_controller.vae.config import Likelihood
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
from mmvae_controller.vae.objective import Objective
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

# As in torch.nn.utils.clip_grad_norm_, against dividing by zero.
SMALLEST_NORM = 1e-6

Each = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleEpoch:
    """How one epoch went: means over its batches, in nats per window, `(K,)` each.

    Args:
        epoch: Counted from 0.
        loss: Weighted objective on the training rows.
        kl: KL(q || prior) on the training rows.
        negative_log_likelihood: By modality, on the training rows.

    """

    epoch: int
    loss: Each
    kl: Each
    negative_log_likelihood: Mapping[str, Each]


class Ensemble:
    """Trains K models that differ in seed, KL schedule, muting and name alone."""

    def __init__(
        self, configs: Sequence[TrainingConfig], dataset: Windows, running: Running = ON_CPU
    ) -> None:
        """Build the models and put the data on the device.

        Raises:
            TrainingError: The models differ in more, the data has what is no vector, or nothing
                is left to train on.

        """
        _check(configs, dataset)
        config = configs[0]
        self.configs, self.dataset = tuple(configs), dataset
        self.modalities = dataset.description.modalities
        self.train_rows, self.validation_rows = dataset.split(config.held_out, config.split_seed)
        if len(self.train_rows) == 0:
            raise TrainingError(f'no rows to train on: held_out is {config.held_out}')
        self.normalisers = fit_normalisers(dataset, self.train_rows, config.network.branches)
        running.begin()
        self.running = running
        self.data = HeldWindows(dataset, self.normalisers, torch.device(running.device))
        networks = [self._network(c.seed) for c in configs]
        self.stack = Stack(networks, config.objective, running.device)
        self._cost = running.compiled(self.stack)
        self.steps_per_epoch = steps_per_epoch(config, len(self.train_rows))
        self.optimiser = config.optimiser.build(
            self.stack.parameters(), config.learning_rate, True
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._learning_rate)
        self.epoch = 0
        self._draws = shared_draws(configs)
        # What is still to be looked at: what, its values, and where.
        self._unseen: list[tuple[str, Tensor, str]] = []
        self._identity = f'{self.configs!r} on {len(dataset)} rows of {dataset.description!r}'

    def __len__(self) -> int:
        """How many models."""
        return len(self.configs)

    def model(self, index: int) -> RealUnits:
        """Return one of the models by itself, in evaluation, on the CPU."""
        network = TwoStepVAE(self.modalities, self.configs[index].network)
        network.load_state_dict({n: t.cpu() for n, t in self.stack.state_of(index).items()})
        return RealUnits(network, self.normalisers).eval()

    def resume(self, path: Path) -> dict[str, Any]:
        """Go on from a saved state and return the notes saved with it.

        Raises:
            TrainingError: It was saved by another ensemble or is damaged.

        """
        progress = load_state(path, self._identity, self.stack, self.optimiser, self.scheduler)
        self.epoch = progress['epoch']
        notes: dict[str, Any] = progress['notes']
        return notes

    def save(self, path: Path, notes: Mapping[str, Any] | None = None) -> None:
        """Save what `resume` needs and any plain notes, aside first."""
        progress = {'epoch': self.epoch, 'notes': dict(notes or {})}
        save_state(path, self._identity, self.stack, self.optimiser, self.scheduler, progress)

    def epochs(
        self, on_step: Callable[[int, Each], None] | None = None
    ) -> Iterator[EnsembleEpoch]:
        """Train the epochs that are left, one at a time.

        Args:
            on_step: Is told after each step its number in the epoch and the losses `(K,)`.

        """
        while self.epoch < self.configs[0].epochs:
            result = self._train_epoch(on_step)
            self.epoch += 1
            yield result

    def _train_epoch(self, on_step: Callable[[int, Each], None] | None) -> EnsembleEpoch:
        weights = torch.tensor([c.kl.weight(self.epoch) for c in self.configs])
        weights = weights.to(self.data.device)
        sums: dict[str, Tensor] = {}
        self.stack.train()
        for step, drawn in enumerate(self._draws.epoch(self.dataset, self.train_rows, self.epoch)):
            cost = self._step(drawn, weights, f'epoch {self.epoch}, step {step}')
            parts = {'loss': cost.loss, 'kl': cost.kl}
            for name, part in (parts | dict(cost.negative_log_likelihood)).items():
                share = part.detach().double() / self.steps_per_epoch
                sums[name] = sums[name] + share if name in sums else share
            if on_step is not None:
                on_step(step, cost.loss.detach().double().cpu().numpy())
        self._look()
        means = {name: total.cpu().numpy() for name, total in sums.items()}
        return EnsembleEpoch(self.epoch, means.pop('loss'), means.pop('kl'), means)

    def _step(self, drawn: StepDraws, kl_weights: Tensor, where: str) -> Objective:
        sample, noise = self.data.sample(drawn), self.data.noise(drawn)
        with self.running.precisely():
            cost: Objective = self._cost(sample, noise, kl_weights)
        self._watch('loss', cost.loss, where)
        self.optimiser.zero_grad()
        # Each loss depends on its own row of the parameters: their sum has all the gradients.
        cost.loss.sum().backward()  # type: ignore[no-untyped-call]
        gradient = self.stack.flat.grad
        assert gradient is not None
        norms = gradient.norm(dim=1, keepdim=True)
        self._watch('gradient', norms[:, 0], where)
        limit = self.configs[0].gradient_norm
        if limit != OFF:
            gradient.mul_((limit / (norms + SMALLEST_NORM)).clamp(max=1.0))
        self.optimiser.step()
        self.scheduler.step()
        return cost

    def _watch(self, what: str, values: Tensor, where: str) -> None:
        self._unseen.append((what, values.detach(), where))
        if not self.running.patient:
            self._look()

    def _look(self) -> None:
        unseen, self._unseen = self._unseen, []
        for what, values, where in unseen:
            self._require_finite(what, values, where)

    def _require_finite(self, what: str, values: Tensor, where: str) -> None:
        finite = torch.isfinite(values)
        if not torch.all(finite):
            index = int(torch.argmin(finite.int()))
            config = self.configs[index]
            raise TrainingError(
                f'{what} of model {index} ({config.name}, seed {config.seed}) is '
                f'{values[index].item()} in {where}: lower learning_rate '
                f'(now {config.learning_rate:g})'
            )

    def _network(self, seed: int) -> TwoStepVAE:
        torch.manual_seed(seed)
        return TwoStepVAE(self.modalities, self.configs[0].network)

    def _learning_rate(self, step: int) -> float:
        config = self.configs[0]
        steps = config.epochs * self.steps_per_epoch
        return config.rate_schedule.factor(step, steps, config.warmup_steps)


def _check(configs: Sequence[TrainingConfig], dataset: Windows) -> None:
    if not configs:
        raise TrainingError('an ensemble of no models')
    first = configs[0]
    if first.stale:
        raise TrainingError('an ensemble is shown no old samples: leave stale out')
    if first.blank:
        raise TrainingError('an ensemble is shown no blank pictures: leave blank out')
    for index, config in enumerate(configs):
        own = replace(config, seed=first.seed, kl=first.kl, muting=first.muting, name=first.name)
        if own != first:
            raise TrainingError(
                f'model {index} ({config.name}) differs from model 0 in more than seed, KL '
                'schedule, muting and name: train it by itself'
            )
        config.muting.check(dataset.patterns)
    branches = first.network.branches
    others = [
        m.name
        for m in dataset.description.modalities
        if m.encoder is not Encoder.VECTOR
        or branches[m.name].likelihood is not Likelihood.GAUSSIAN
    ]
    if others:
        raise TrainingError(
            f'an ensemble is of vectors decoded as Gaussians, {", ".join(others)} is not: train '
            'each model by itself'
        )
