"""What was seen of a simulated robot: plain values, so that a report of it needs no ROS 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.nodes.watch.watched import Told
from numpy.typing import NDArray

# Values and when they were true, in s on the simulated clock.
Series = list[tuple[float, NDArray[Any]]]
Curve = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode as `simulation/episode` tells it.

    Args:
        number: Counted from 0.
        seed: Of its scene.
        success: Whether it was done.
        ending: `success`, `lost` or `out of time`.
        began_s: On the simulated clock.
        elapsed_s: How long it took.
        distance_m: How far the fingertip was, in the end, from where it should be.
        commands: How many the arm obeyed.
        max_command_step_rad: The largest change of any joint from one command to the next.
        camera: `works`, or the first other state it was in.
        camera_failed_after_s: Since when; None where it worked all the time.

    """

    number: int
    seed: int
    success: bool
    ending: str
    began_s: float
    elapsed_s: float
    distance_m: float
    commands: int
    max_command_step_rad: float
    camera: str
    camera_failed_after_s: float | None = None

    @property
    def ended_s(self) -> float:
        """When it ended, on the simulated clock."""
        return self.began_s + self.elapsed_s

    def during(self, moment_s: float) -> bool:
        """Tell whether a moment on the simulated clock lies in it."""
        return self.began_s <= moment_s <= self.ended_s

    def camera_told(self) -> str:
        """Say what became of the camera, e.g. `covered after 0.4 s`."""
        if self.camera_failed_after_s is None:
            return self.camera
        return f'{self.camera} after {self.camera_failed_after_s:.1f} s'


def read_episode(ending: str, values: Mapping[str, str]) -> Episode:
    """Return what the values of a message say; `ending` is its text."""
    failed = values.get('camera_failed_after_s')
    return Episode(
        number=int(values['episode']),
        seed=int(values['seed']),
        success=values['success'] == 'True',
        ending=ending,
        began_s=int(values['began_ns']) / NS,
        elapsed_s=float(values['elapsed_s']),
        distance_m=float(values['distance_m']),
        commands=int(values['commands']),
        max_command_step_rad=float(values['max_command_step_rad']),
        camera=values['camera'],
        camera_failed_after_s=None if failed is None else float(failed),
    )


@dataclass
class Record:
    """What was seen so far; all times are in s on the simulated clock.

    Args:
        episodes: Those that have ended.
        statuses: The newest status by name.
        steering: By modality, the newest smoothed nats of the command lost without it.
        importance: By modality, (time, the same as measured).
        ticks_ms: (time, p50, p99) of the control loop.
        joints: (time, positions `(D,)` rad).
        pictures: (time, picture) of the camera.
        imagined: (time, picture) that the model decoded.

    """

    episodes: list[Episode] = field(default_factory=list)
    statuses: dict[str, Told] = field(default_factory=dict)
    steering: dict[str, float] = field(default_factory=dict)
    importance: dict[str, Curve] = field(default_factory=dict)
    ticks_ms: list[tuple[float, float, float]] = field(default_factory=list)
    joints: Series = field(default_factory=list)
    pictures: Series = field(default_factory=list)
    imagined: Series = field(default_factory=list)

    def failures(self) -> Iterator[tuple[Episode, float]]:
        """Yield the episodes in which the camera failed, and when on the simulated clock."""
        for episode in self.episodes:
            if episode.camera_failed_after_s is not None:
                yield episode, episode.began_s + episode.camera_failed_after_s
