"""One pass through the network under 2M + 1 masks, and the divergences between its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.measures import gaussian_kl
from mmvae_controller.modality.contract import LATENT, ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, Freshness, Mask
import numpy as np
from numpy.typing import NDArray

Values = Mapping[str, NDArray[np.generic]]
ByModality = Mapping[str, NDArray[np.float64]]


class Decoder(Protocol):
    """A network that decodes what is wanted from what is known; `control.network` is one."""

    contract: ModelContract

    def decode(
        self, values: Values, known: Mask | Freshness, wanted: Sequence[str]
    ) -> dict[str, Gaussian]:
        """Decode from values `(V, 2, *shape)` under masks `(B, M, 2)`, B / V for each value."""


@dataclass(frozen=True, slots=True, eq=False)
class Divergences:
    """What N observations say about every modality, number by number, in nats.

    Args:
        modalities: In the order of rows and columns.
        without: By modality j, `(N, M, *shape)`: KL(P_j || P(-i)_j) in row i.
        alone: The same of KL(P_j || P(i)_j); NaN in the rows of what is not known.
        decoded: By modality and `LATENT`, from everything known, `(N, 2, *shape)`.

    """

    modalities: tuple[str, ...]
    without: ByModality
    alone: ByModality
    decoded: Mapping[str, Gaussian]


def require_comparable(contract: ModelContract) -> None:
    """Raise unless a model has something to compare.

    Raises:
        ImportanceError: It has one modality.

    """
    names = [m.name for m in contract.modalities]
    if len(names) < 2:
        raise ImportanceError(
            f'model {contract.name!r} has one modality, {names[0]}: importance compares what is '
            'lost without one with what the others know'
        )


def diverge(
    decoder: Decoder, values: Values, known: Mask | Freshness, step: int = CURRENT
) -> Divergences:
    """Ask a network about some observations and compare its answers.

    Args:
        decoder: The network.
        values: By modality, `(N, 2, *shape)`; what masked slots hold is not read.
        known: `(N, M, 2)`: everything that may be used, or how fresh it is.
        step: Which of the two time steps is compared.

    Raises:
        ImportanceError: A decoded standard deviation is not above 0.

    """
    names = tuple(m.name for m in decoder.contract.modalities)
    rows = len(known)
    copies = masked_copies(known)
    answers = decoder.decode(values, copies.reshape(-1, *copies.shape[2:]), [*names, LATENT])
    unknown = ~(known > 0).any(axis=2)
    alone, without = {}, {}
    for name in names:
        shape = (rows, copies.shape[1], *answers[name].mean.shape[2:])
        mean = answers[name].mean[:, step].reshape(shape)
        std = answers[name].std[:, step].reshape(shape)
        try:
            nats = gaussian_kl(mean[:, :1], std[:, :1], mean[:, 1:], std[:, 1:])
        except ImportanceError as error:
            raise ImportanceError(f'{name}: {error}') from error
        alone[name], without[name] = nats[:, : len(names)], nats[:, len(names) :]
        # How far what is not known explains anything by itself was not measured.
        alone[name][unknown] = np.nan
    every = copies.shape[1]
    first = {n: Gaussian(g.mean[::every], g.std[::every]) for n, g in answers.items()}
    return Divergences(names, without, alone, first)


def diverge_without(
    decoder: Decoder, values: Values, known: Mask, names: Sequence[str], step: int = CURRENT
) -> dict[str, NDArray[np.float64]]:
    """Return KL(P_j || P(-several)_j) by modality j, `(N, *shape)`, for several left out at once.

    Of two senses that tell the same, each may be left out, and both may not.

    Raises:
        ImportanceError: There is no such modality, or a standard deviation is not above 0.

    """
    modalities = [m.name for m in decoder.contract.modalities]
    unknown = [n for n in names if n not in modalities]
    if unknown:
        raise ImportanceError(f'no modality {unknown[0]!r}, there are {modalities}')
    left_out = np.isin(modalities, names)
    copies = np.stack([known, known & ~left_out[:, None]], axis=1)
    answers = decoder.decode(values, copies.reshape(-1, *known.shape[1:]), modalities)
    return {
        name: gaussian_kl(*(part[first::2, step] for first in (0, 1) for part in (g.mean, g.std)))
        for name, g in answers.items()
    }


def masked_copies(known: Mask | Freshness) -> Mask | Freshness:
    """Return `(N, 2M + 1, M, 2)` of `(N, M, 2)`: all that is known, each alone, each left out."""
    picked = np.eye(known.shape[1], dtype=bool)[None, :, :, None]
    whole = known[:, None]
    return np.concatenate([whole, whole * picked, whole * ~picked], axis=1)


def matrix_of(nats: ByModality, modalities: Sequence[str]) -> NDArray[np.float64]:
    """Return `(N, M, M)`: the divergences of row i and column j, summed over the numbers of j."""
    return np.stack([nats[n].reshape(*nats[n].shape[:2], -1).sum(axis=2) for n in modalities], 2)
