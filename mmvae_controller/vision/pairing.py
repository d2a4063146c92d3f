"""One hand from what two cameras found, each in its own pictures."""

from __future__ import annotations

from mmvae_controller.vision.hand import VIEWS
import numpy as np
from numpy.typing import NDArray


class Pairing:
    """Puts places from pictures of one moment together; each place is used once."""

    def __init__(self, max_skew_ns: int) -> None:
        """Take pictures that are at most this far apart for pictures of one moment."""
        self._max_skew_ns = max_skew_ns
        self._seen: dict[str, tuple[int, NDArray[np.float64]]] = {}

    def see(
        self, view: str, stamp_ns: int, place: NDArray[np.float64] | None
    ) -> NDArray[np.float32] | None:
        """Note what one camera found, and return the hand `(4,)` px if the other found it too.

        Args:
            view: Which camera.
            stamp_ns: When the picture was taken.
            place: `(2,)` px, None where it was not found.

        """
        if place is None:
            self._seen.pop(view, None)
            return None
        self._seen[view] = stamp_ns, place
        if len(self._seen) < len(VIEWS):
            return None
        stamps = [stamp for stamp, _ in self._seen.values()]
        if max(stamps) - min(stamps) > self._max_skew_ns:
            return None
        places = [self._seen[name][1] for name in VIEWS]
        self._seen.clear()
        return np.concatenate(places).astype(np.float32)
