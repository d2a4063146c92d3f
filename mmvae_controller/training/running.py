"""How an ensemble is run: where, in which numbers, compiled or not. None of it decides what it is.

On a GPU nothing of this has been tried.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch

CPU = 'cpu'


class Precision(StrEnum):
    """In which numbers matrices are multiplied; everything else stays in 32 bits.

    TF32: 10 bits behind the point, on GPUs that have it; elsewhere as FLOAT32. BFLOAT16: 7 bits.
    """

    FLOAT32 = 'float32'
    TF32 = 'tf32'
    BFLOAT16 = 'bfloat16'


@dataclass(frozen=True, slots=True)
class Running:
    """How to run an ensemble.

    Args:
        device: Where.
        precision: In which numbers matrices are multiplied.
        backend: Of `torch.compile`, such as `inductor`, which needs a C++ compiler, and on a GPU
            then replays each step as a CUDA graph; None runs each operation by itself.
        patient: Whether to look only after an epoch for what is not finite: to look is to wait
            for the device. What is not finite has then reached the weights, and ends the training
            all the same.

    """

    device: str = CPU
    precision: Precision = Precision.FLOAT32
    backend: str | None = None
    patient: bool = False

    def begin(self) -> None:
        """Set what PyTorch has once for all."""
        if self.precision is Precision.TF32:
            torch.set_float32_matmul_precision('high')

    def precisely(self) -> AbstractContextManager[object]:
        """Multiply matrices in the precision."""
        kind = torch.device(self.device).type
        return torch.autocast(kind, torch.bfloat16, self.precision is Precision.BFLOAT16)

    def compiled(self, module: torch.nn.Module) -> Callable[..., Any]:
        """Return what computes the same as a module."""
        if self.backend is None:
            return module
        mode = None
        if self.backend == 'inductor' and torch.device(self.device).type != CPU:
            mode = 'reduce-overhead'
        # Each epoch has batches of at most two sizes: one graph for each.
        return torch.compile(
            module, fullgraph=True, dynamic=False, backend=self.backend, mode=mode
        )


ON_CPU = Running()
