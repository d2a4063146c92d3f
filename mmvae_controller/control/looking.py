"""Looks at each picture once, however often it is asked about."""

from __future__ import annotations

from collections.abc import Sequence

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.sessions import input_shapes, output_names
import numpy as np
from numpy.typing import NDArray
import onnxruntime

# Of one camera: a second at 30 Hz, and both slots of every question about the past.
REMEMBERED = 48
# More at once are somebody's data set, not a camera's stream: they would only push out the rest.
LOOKED_AT_ONCE = REMEMBERED


class Looking:
    """What the encoders see in the pictures of one modality, remembered by their content.

    By content, because who asks fills the same arrays again and again: no picture can be taken
    for another one.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, shape: Sequence[int], where: str
    ) -> None:
        """Wrap the part that looks at pictures.

        Args:
            session: From `(P, H, W, C)` to the features `(P, F)` of each encoder.
            shape: `(H, W, C)`, as the contract says.
            where: Which file it is from, for errors.

        Raises:
            ControlError: It looks at other pictures.

        """
        found = input_shapes(session)
        if list(found.values()) != [tuple(shape)]:
            raise ControlError(f'{where}: inputs {found}, its contract says {tuple(shape)}')
        self._session = session
        self._input = next(iter(found))
        sizes = [o.shape[1] for o in session.get_outputs()]
        self.sizes: dict[str, int] = dict(zip(output_names(session), sizes, strict=True))
        self._seen: dict[bytes, list[NDArray[np.float32]]] = {}

    def see(self, pictures: NDArray[np.generic]) -> None:
        """Look at pictures `(P, H, W, C)` ahead, so that who asks need not wait."""
        self.features(pictures, np.ones(len(pictures), dtype=bool))

    def features(
        self, pictures: NDArray[np.generic], shown: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.float32]]:
        """Return what each encoder sees, `(P, F)`; zeros for what is not shown."""
        sizes = self.sizes.values()
        found = [np.zeros((len(pictures), size), dtype=np.float32) for size in sizes]
        wanted = np.flatnonzero(shown)
        if len(wanted) > LOOKED_AT_ONCE:
            for out, seen in zip(found, self._look(pictures[wanted]), strict=True):
                out[wanted] = seen
        else:
            self._recall(pictures, wanted.tolist(), found)
        return dict(zip(self.sizes, found, strict=True))

    def _recall(
        self,
        pictures: NDArray[np.generic],
        wanted: list[int],
        found: list[NDArray[np.float32]],
    ) -> None:
        keys = {i: pictures[i].tobytes() for i in wanted}
        new = {key: i for i, key in keys.items() if key not in self._seen}
        if new:
            looks = self._look(pictures[list(new.values())])
            for number, key in enumerate(new):
                self._seen[key] = [look[number] for look in looks]
        for i, key in keys.items():
            # Taken out and put back: what was asked for last is forgotten last.
            seen = self._seen[key] = self._seen.pop(key)
            for out, features in zip(found, seen, strict=True):
                out[i] = features
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def _look(self, pictures: NDArray[np.generic]) -> list[NDArray[np.float32]]:
        looks: list[NDArray[np.float32]] = self._session.run(None, {self._input: pictures})
        return looks
