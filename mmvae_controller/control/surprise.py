"""How far a sense is from what the model expects of it, in predicted standard deviations.

Expected is what the others say now and what the sense itself said a while ago: a fault that began
since then is not in it.
"""

from __future__ import annotations

from mmvae_controller.control.network import Network
from mmvae_controller.control.window import NS, ObservationWindow, Pair
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import (
    CURRENT,
    Observation,
    policy_query,
    PREVIOUS,
    STEPS,
)
from mmvae_controller.modality.spec import Encoder
import numpy as np
from numpy.typing import NDArray

# Before this, what a sense said is compared with what it says now: longer than most faults take
# to be found, short enough for the rest to say what happened meanwhile.
LOOK_BACK_S = 0.5
# Standard deviations: a pixel of a picture surprises at most so much.
MOST_STD = 4.0


class Surprise:
    """Asks a network about one sense at a time."""

    def __init__(self, network: Network) -> None:
        """Ask this network."""
        self.network = network
        modalities = network.contract.modalities
        self._by_name = {m.name: m for m in modalities}
        self._rows = {m.name: row for row, m in enumerate(modalities)}
        self._query = policy_query(modalities)

    def of(
        self,
        name: str,
        window: ObservationWindow,
        observation: Observation,
        past: bool = True,
        without: str | None = None,
    ) -> float | None:
        """Return the surprise of the newest sample of a sense; None if nothing can be compared.

        Args:
            name: The sense.
            window: What it said.
            observation: What is believed now, read from the same window.
            past: Whether what it said a while ago counts; see `has_past`.
            without: Another sense that is left out.

        """
        newest = window.newest(name, observation.stamp_ns)
        if newest is None or not observation.known.any():
            return None
        decoded = self._expected(name, window, observation, past, without)
        z = (newest.value - decoded.mean[0, CURRENT]) / decoded.std[0, CURRENT]
        if self._by_name[name].encoder is Encoder.IMAGE:
            return widespread(z)
        return float(np.abs(z).max())

    def has_past(self, name: str, window: ObservationWindow, now_ns: int) -> bool:
        """Tell whether there is a believed sample from long enough ago that the model reads."""
        current = self._pair(name, window, now_ns)[CURRENT]
        longest_s = self.network.contract.longest_age_s.get(name, 0.0)
        return current is not None and (now_ns - current.stamp_ns) / NS <= longest_s

    def _pair(self, name: str, window: ObservationWindow, now_ns: int) -> Pair:
        return window.pair(name, now_ns, before_ns=now_ns - round(LOOK_BACK_S * NS))

    def _expected(
        self,
        name: str,
        window: ObservationWindow,
        observation: Observation,
        past: bool,
        without: str | None,
    ) -> Gaussian:
        row, now_ns = self._rows[name], observation.stamp_ns
        known, age_s = observation.known & self._query, observation.age_s.copy()
        if without is not None:
            known[self._rows[without]] = False
        values = dict(observation.values)
        earlier = np.zeros((STEPS, *self._by_name[name].shape), values[name].dtype)
        pair = self._pair(name, window, now_ns) if past else (None, None)
        for slot, sample in enumerate(pair):
            known[row, slot] = sample is not None
            if sample is not None:
                slot_ns = now_ns - (window.step_ns if slot == PREVIOUS else 0)
                earlier[slot], age_s[row, slot] = sample.value, (slot_ns - sample.stamp_ns) / NS
        values[name] = earlier
        told = Observation(now_ns, values, known, age_s)
        fresh = self.network.contract.freshness(told)
        return self.network.decode_one(told, fresh, [name])[name]


def widespread(z: NDArray[np.floating]) -> float:
    """Return the root mean square of a picture's deviations, each counted for `MOST_STD` at most.

    What is expected to be somewhere and is a little beside it is far off in few pixels; a picture
    that is wrong is so in many.
    """
    return float(np.sqrt(np.square(np.clip(z, -MOST_STD, MOST_STD)).mean()))
