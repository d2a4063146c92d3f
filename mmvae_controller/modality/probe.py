"""probe.npz: what a network is asked and what the trained one answered, to be asked again.

value/NAME          (V, 2, *shape) values of each modality
known               (B, M, 2) masks, B / V in a row for each of the values
answer/NAME_mean    (B, 2, *shape) what torch decoded in own units; latent_mean is (B, Z)
answer/NAME_std     the same of the standard deviation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.normaliser import Normaliser
import numpy as np
from numpy.typing import NDArray

# Largest difference between torch and onnxruntime, relative to the value plus the normaliser's
# scale: float32 holds seven digits of a value, however large the values of random probes get.
TOLERANCE = 1e-5
VALUE, KNOWN, ANSWER = 'value', 'known', 'answer'


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Inputs, and what the trained network makes of them.

    Args:
        values: By modality, `(V, 2, *shape)`.
        known: `(B, M, 2)`, 0 where masked.
        answers: By modality and for the latent, `(B, ...)`.

    """

    values: Mapping[str, NDArray[np.generic]]
    known: NDArray[np.float32]
    answers: Mapping[str, Gaussian]

    def difference(
        self, found: Mapping[str, Gaussian], normalisers: Mapping[str, Normaliser]
    ) -> tuple[float, str]:
        """Return how far other answers are from ours at most, as in `TOLERANCE`, and in what."""
        worst, where = 0.0, ''
        for name, ours in self.answers.items():
            scale = np.asarray(normalisers[name].scale if name in normalisers else 1.0)
            for part in ('mean', 'std'):
                wanted, theirs = getattr(ours, part), getattr(found[name], part)
                if theirs.shape != wanted.shape or not np.isfinite(theirs).all():
                    return math.inf, f'{name}_{part}'
                far = float(np.max(np.abs(theirs - wanted) / (np.abs(wanted) + scale)))
                if far > worst:
                    worst, where = far, f'{name}_{part}'
        return worst, where


def write_probe(path: Path, probe: Probe) -> None:
    """Write a probe."""
    answers = {
        f'{ANSWER}/{name}_{part}': getattr(answer, part)
        for name, answer in probe.answers.items()
        for part in ('mean', 'std')
    }
    values = {f'{VALUE}/{name}': value for name, value in probe.values.items()}
    np.savez_compressed(path, allow_pickle=False, **values, **answers, **{KNOWN: probe.known})


def read_probe(path: Path) -> Probe:
    """Read a probe.

    Raises:
        ModalityError: The file is none.

    """
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        known = arrays.pop(KNOWN)
        values, answers = {}, {}
        for key, array in arrays.items():
            kind, _, name = key.partition('/')
            if kind == VALUE:
                values[name] = array
            elif name.endswith('_mean'):
                name = name.removesuffix('_mean')
                answers[name] = Gaussian(array, arrays[f'{ANSWER}/{name}_std'])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModalityError(f'{path}: is no probe of a network: {error}') from error
    return Probe(values, known, answers)
