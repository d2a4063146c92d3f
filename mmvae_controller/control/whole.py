"""The network as one graph: of models that were exported before it was cut into parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.sessions import input_shapes, make_session, output_names
from mmvae_controller.modality.contract import KNOWN, LATENT, ModelContract, ROWS
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import STEPS
import numpy as np
from numpy.typing import NDArray


class Whole:
    """Computes everything, whatever is wanted."""

    def __init__(self, path: Path, contract: ModelContract) -> None:
        """Load it.

        Raises:
            ControlError: It does not agree with its contract.

        """
        self._session = make_session(path.read_bytes(), str(path))
        found = input_shapes(self._session)
        # Networks that were exported before there was such an input look once for each mask.
        self._reads_rows = found.pop(ROWS, None) is not None
        expected = {m.name: (STEPS, *m.shape) for m in contract.modalities}
        expected[KNOWN] = (len(contract.modalities), STEPS)
        if found != expected:
            raise ControlError(f'{path}: inputs {found}, its contract says {expected}')
        outputs = [f'{n}_{p}' for n in (*expected, LATENT) for p in ('mean', 'std') if n != KNOWN]
        absent = sorted({*outputs} - {*output_names(self._session)})
        if absent:
            raise ControlError(f'{path}: has no outputs {absent}, its contract needs them')

    def decode(
        self,
        values: Mapping[str, NDArray[np.generic]],
        known: NDArray[np.float32],
        rows: NDArray[np.int64],
        wanted: Sequence[str],
    ) -> dict[str, Gaussian]:
        """See `Engine.decode`."""
        feeds = dict(values)
        if self._reads_rows:
            feeds[ROWS] = rows
        elif len(next(iter(feeds.values()))) < len(known):
            feeds = {name: value[rows] for name, value in feeds.items()}
        feeds[KNOWN] = known
        outputs = [f'{name}_{part}' for name in wanted for part in ('mean', 'std')]
        found = self._session.run(outputs, feeds)
        return {n: Gaussian(found[2 * i], found[2 * i + 1]) for i, n in enumerate(wanted)}

    def see(self, name: str, picture: NDArray[np.generic]) -> None:
        """Do nothing: it looks at a picture each time anew."""
