"""The trainer: one model; resumable, the same for the same seed, whoever else trains it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
import math
from pathlib import Path
import time

from mmvae_controller.modality.contract import WEIGHTS_FILE
from mmvae_controller.modality.observation import CURRENT, policy_query, STEPS
from mmvae_controller.modality.spec import command_of, Encoder
from mmvae_controller.training.ageing import check_ages
from mmvae_controller.training.ahead import ahead
from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.direct import DirectElbo, is_direct
from mmvae_controller.training.draws import epoch_draws, StepDraws, steps_per_epoch
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.held import HeldWindows
from mmvae_controller.training.normalising import fit_normalisers
from mmvae_controller.training.order import Order
from mmvae_controller.training.processes import ALONE, Processes
from mmvae_controller.training.samples import on_device, Read, read, sample_of
from mmvae_controller.training.sharing import (
    add_up,
    figures_of,
    KL,
    LOSS,
    Part,
    part_of_batch,
    part_of_draws,
    part_of_objective,
)
from mmvae_controller.training.state import load_state, save_state
from mmvae_controller.training.windows import split_spans, Windows
from mmvae_controller.vae.checkpoint import load_model
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
from mmvae_controller.vae.objective import Objective
from mmvae_controller.vae.objectives import objective
from mmvae_controller.vae.widening import widened
import torch

CPU = torch.device('cpu')
VALIDATION_BATCH = 512
# Of float32: 256 MiB. What is larger is read from its files step by step.
MOST_HELD = 2**26


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
        self,
        config: TrainingConfig,
        dataset: Windows,
        initial: Path | None = None,
        processes: Processes = ALONE,
        device: torch.device = CPU,
    ) -> None:
        """Build model and optimiser; nothing is read from the data but the normalisers.

        Args:
            config: What to train, and how.
            dataset: What to train on.
            initial: Folder of a model with the same network, but perhaps without `motion`, to
                begin with its weights.
            processes: Those that train it together; each has its own trainer.
            device: Where the model is and learns; on `cuda` it has not been tried.

        Raises:
            TrainingError: Nothing is left to train on, the data lacks what muting asks for,
                there are more processes than rows in a batch, or the initial model has another
                network.
            ModalityError, VaeError: The initial model cannot be read.

        """
        config.muting.check(dataset.patterns)
        check_ages(config.stale, dataset)
        if config.batch_size < processes.count:
            raise TrainingError(
                f'batch_size is {config.batch_size}, less than the {processes.count} processes: '
                'start fewer'
            )
        torch.manual_seed(config.seed)
        self.config = config
        self.dataset = dataset
        self.modalities = dataset.description.modalities
        self.command = command_of(self.modalities).name
        self.processes = processes
        self.train_rows, self.validation_rows = split_spans(
            dataset, config.held_out, config.split_seed
        )
        if len(self.train_rows) == 0:
            raise TrainingError(f'no rows to train on: held_out is {config.held_out}')
        branches = config.network.branches
        self.normalisers = fit_normalisers(dataset, self.train_rows, branches)
        self.device = device
        self.held = self._held()
        self.model = RealUnits(TwoStepVAE(self.modalities, config.network), self.normalisers)
        self.initial = self._begin_with(initial) if initial is not None else ''
        # Twice as fast for convolutions on a CPU, the same numbers.
        self.model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps_per_epoch = steps_per_epoch(config, len(self.train_rows))
        self.parameters = tuple(self.model.parameters())
        network = self.model.network
        self._named = dict(network.named_parameters())
        direct = is_direct(network, config.objective)
        self._direct = DirectElbo(network, config.objective, device) if direct else None
        # One pass goes through memory as it lies, and the moments of convolutions that are
        # resumed lie otherwise than their weights.
        flat = all(p.is_contiguous() and p.dim() <= 2 for p in self.parameters)
        self.optimiser = config.optimiser.build(self.parameters, config.learning_rate, flat)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._learning_rate)
        self.epoch = 0
        self.seconds = 0.0
        self.last: EpochResult | None = None
        # What a run must have in common with the one it goes on with.
        self._identity = f'{config!r} on {len(dataset)} rows of {dataset.description!r}'
        if self.initial:
            self._identity += f' from weights {self.initial}'

    def _held(self) -> HeldWindows | None:
        """Return the windows in memory if they are of vectors, few enough, and shown as new."""
        sizes = [m.size for m in self.modalities if m.encoder is Encoder.VECTOR]
        numbers = len(self.dataset) * STEPS * sum(sizes)
        if len(sizes) < len(self.modalities) or numbers > MOST_HELD or self.config.stale:
            return None
        if self.config.order is Order.BLOCKS:
            return None
        return HeldWindows(self.dataset, self.normalisers, self.device)

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

    def gather(self) -> None:
        """Make sure that all processes are about to train the same; to be called once by each.

        Raises:
            TrainingError: They are not, or one is gone.

        """
        self.processes.agree(f'{self._identity}, {self.epoch} epochs done', self.device)
        self.processes.take_over(self.parameters)

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
        # To tell every module costs a small one a tenth of its epoch.
        if not self.model.training:
            self.model.train()
        found = (self._read(drawn) for drawn in draws)
        # What is held is at hand sooner than a thread.
        with closing(found if self.held is not None else ahead(found)) as steps:
            for step, (part, mine) in enumerate(steps):
                cost = self._objective(mine, part, kl_weight) if part.size else None
                figures = self._step(cost, part, f'epoch {self.epoch}, step {step}')
                for name, figure in figures.items():
                    sums[name] = sums.get(name, 0.0) + figure / self.steps_per_epoch
                on_step(step, figures[LOSS])
        loss, kl = sums.pop(LOSS), sums.pop(KL)
        return EpochResult(self.epoch, loss, kl, sums, self.validate())

    def _step(self, cost: Objective | None, part: Part, where: str) -> dict[str, float]:
        """Learn from a batch; without a cost, from what the other processes found."""
        # What `optimiser.zero_grad` does, without its hooks.
        for parameter in self.parameters:
            parameter.grad = None
        if cost is not None:
            share = torch.full_like(cost.loss, part.share)
            cost.loss.backward(share)  # type: ignore[no-untyped-call]
        figures = figures_of(self.modalities, cost, part)
        figures = add_up(self.processes, self.parameters, figures)
        self._require_finite('loss', figures[LOSS], where)
        # In one piece: a norm for each parameter, and one of all norms, is slower than the copy.
        gradients = [p.grad.flatten() for p in self.parameters if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.cat(gradients))
        # The loss of the next step would tell, but the last step has none.
        self._require_finite('gradient', norm.item(), where)
        if norm > self.config.gradient_norm:
            torch.nn.utils.clip_grads_with_norm_(self.parameters, self.config.gradient_norm, norm)
        self.optimiser.step()
        self.scheduler.step()
        return figures

    def _require_finite(self, what: str, number: float, where: str) -> None:
        if not math.isfinite(number):
            raise TrainingError(
                f'{what} is {number} in {where}: lower learning_rate '
                f'(now {self.config.learning_rate:g})'
            )

    def validate(self) -> float:
        """Return the RMSE of the command at t, asked as a policy, on the validation rows."""
        if len(self.validation_rows) == 0:
            return math.nan
        query = policy_query(self.modalities)
        sums = torch.zeros(2, dtype=torch.float64, device=self.device)
        self.model.eval()
        with torch.no_grad():
            # Whole batches to each process: each is asked as if there were no others.
            starts = range(0, len(self.validation_rows), VALIDATION_BATCH)
            for start in starts[self.processes.rank :: self.processes.count]:
                rows = self.validation_rows[start : start + VALIDATION_BATCH]
                batch = self.dataset.batch(rows)
                values = on_device(batch.values, self.device)
                known = torch.from_numpy(batch.known & query).float().to(self.device)
                latent = self.model.network.settle(self.model.normalise(values), known)
                decoded = self.model.network.decode(latent.mean, [self.command])[self.command]
                wanted = self.model.scaling(self.command).restore(decoded.mean)[:, CURRENT]
                squares = ((wanted.cpu() - torch.from_numpy(batch.label)) ** 2).sum()
                sums += torch.tensor([squares, batch.label.size], device=self.device)
        self.processes.add_up(sums)
        squares_sum, count = sums.tolist()
        return math.sqrt(squares_sum / count) if count else math.nan

    def _read(self, drawn: StepDraws) -> tuple[Part, StepDraws | Read]:
        """Return the part of this process, and what is read of it unless that is held."""
        part = part_of_batch(self.processes, self.config.objective, len(drawn.mask))
        mine = part_of_draws(drawn, part)
        return part, (mine if self.held is not None else read(self.dataset, mine))

    def _objective(self, found: StepDraws | Read, part: Part, kl_weight: float) -> Objective:
        if isinstance(found, Read):
            sample, drawn = sample_of(self.model, found), found.drawn
        else:
            assert self.held is not None
            sample, drawn = self.held.sample(found), found
        noise = [latent.to(self.device) for latent in drawn.latent_noise]
        if self._direct is not None:
            return self._direct(self._named, sample, noise[0], kl_weight)
        network, settings = part_of_objective(self.model.network, self.config.objective, part)
        return objective(network, settings, sample, noise, kl_weight)

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return self.config.epochs * self.steps_per_epoch

    @property
    def slowness(self) -> str:
        """Why little will be learnt in so few steps; empty if nothing speaks against it."""
        config = self.config
        return config.rate_schedule.slowness(self.steps, config.warmup_steps, config.learning_rate)

    def _learning_rate(self, step: int) -> float:
        return self.config.rate_schedule.factor(step, self.steps, self.config.warmup_steps)
