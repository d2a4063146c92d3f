"""The processes that train one model together, as torchrun starts them; mostly there is one.

Each holds the whole model and looks at a part of each batch. Their gradients are added up, and
every one of them takes the same step: so none is in charge, and nothing of how many there are
gets into the model, its state or its draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
import hashlib
import os

from mmvae_controller.training.errors import TrainingError
import torch
from torch import distributed, Tensor

# A process that ends takes its connections along, which the others see at once: this is for one
# that hangs. Between two steps the first one validates and saves.
PATIENCE = timedelta(minutes=10)
DIGEST_BYTES = 7


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train together.

    Args:
        rank: Which it is, from 0.
        count: How many there are.

    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is the one that talks and writes files."""
        return self.rank == 0

    def add_up(self, tensor: Tensor) -> None:
        """Put the sum over all processes in the place of what each has."""
        if self.count > 1:
            with self._told():
                distributed.all_reduce(tensor)

    def take_over(self, tensors: Iterable[Tensor]) -> None:
        """Put what the first process has in the place of what each has."""
        if self.count > 1:
            with self._told(), torch.no_grad():
                for tensor in tensors:
                    # Not every layout in memory can be sent.
                    sent = tensor.contiguous()
                    distributed.broadcast(sent, src=0)
                    tensor.copy_(sent)

    def agree(self, what: str, device: torch.device) -> None:
        """Raise in every process unless all say the same; what they send goes by a device.

        Raises:
            TrainingError: They do not, or another one is gone.

        """
        if self.count == 1:
            return
        digest = hashlib.sha256(what.encode()).digest()[:DIGEST_BYTES]
        number = int.from_bytes(digest, 'big')
        extremes = torch.tensor([number, -number], device=device)
        with self._told():
            distributed.all_reduce(extremes, distributed.ReduceOp.MAX)
        if extremes[0] != -extremes[1]:
            raise TrainingError(
                f'process {self.rank} of {self.count} trains: {what}; another one something else: '
                'start all with the same files and options'
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise TrainingError(
                f'process {self.rank} of {self.count}: another one ended or hangs ({error}); what '
                'was saved last goes on when all are started again'
            ) from error


ALONE = Processes()


def is_launched() -> bool:
    """Whether torchrun, or what speaks like it, started this process as one of several."""
    return int(os.environ.get('WORLD_SIZE', '1')) > 1


def local_rank() -> int:
    """Return which of the processes on this machine it is: the number of its accelerator."""
    return int(os.environ.get('LOCAL_RANK', '0'))


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the other processes, as long as this lasts; alone if there are none."""
    if not is_launched():
        yield ALONE
        return
    distributed.init_process_group('nccl' if device.type == 'cuda' else 'gloo', timeout=PATIENCE)
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
