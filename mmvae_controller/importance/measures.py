"""The importance measures, from decoded Gaussians alone.

P is decoded given everything, P(i) given modality i alone, P(-i) given everything but i. In nats:

    single modality error, own   KL(P_i || P(i)_i)     how far i alone is from explaining itself
    single modality error, all   KL(P || P(i))         ... from explaining everything
    loss of precision, own       KL(P_i || P(-i)_i)    what i loses when only i is missing
    loss of precision, all       KL(P || P(-i))        what everything loses then
    loss of precision, command   KL(P_c || P(-i)_c)    what the command loses then

The general objects are two matrices: KL(P_j || P(-i)_j), what j loses without i, and
KL(P_j || P(i)_j). After Langer et al. 2024 (arXiv 2411.00522), read naturally from its abstract.
"""

from __future__ import annotations

from mmvae_controller.importance.errors import ImportanceError
import numpy as np
from numpy.typing import NDArray

COMMAND_LOSS = 'precision_loss_command'
MEASURES = (
    'single_error_own',
    'single_error_all',
    'precision_loss_own',
    'precision_loss_all',
    COMMAND_LOSS,
)


def gaussian_kl(
    mean: NDArray[np.floating],
    std: NDArray[np.floating],
    other_mean: NDArray[np.floating],
    other_std: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return KL(N(mean, std) || N(other_mean, other_std)), element by element, in nats.

    Raises:
        ImportanceError: A standard deviation is not above 0.

    """
    # Asked this way round, NaN is refused too.
    if not (np.all(std > 0) and np.all(other_std > 0)):
        smallest = min(float(np.min(std)), float(np.min(other_std)))
        raise ImportanceError(f'standard deviation {smallest}, expected above 0')
    ratio = std.astype(np.float64) / other_std
    shift = (mean.astype(np.float64) - other_mean) / other_std
    divergence: NDArray[np.float64] = 0.5 * (ratio**2 + shift**2 - 1) - np.log(ratio)
    return np.maximum(divergence, 0.0)  # Rounding makes it -1e-17 where both agree.


def measures_of(
    alone: NDArray[np.float64], without: NDArray[np.float64], command: int
) -> dict[str, NDArray[np.float64]]:
    """Return every measure of every modality, `(..., M)`, from the matrices `(..., M, M)`.

    Args:
        alone: KL(P_j || P(i)_j) in row i, column j.
        without: KL(P_j || P(-i)_j).
        command: The row of the command.

    """
    found = (
        np.diagonal(alone, axis1=-2, axis2=-1),
        alone.sum(axis=-1),
        np.diagonal(without, axis1=-2, axis2=-1),
        without.sum(axis=-1),
        without[..., command],
    )
    return dict(zip(MEASURES, found, strict=True))
