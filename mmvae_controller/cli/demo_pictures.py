"""An episode of a demo, seen again: from beside, by its camera, and by the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from mmvae_controller.cli.files import write_bytes
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.watch.record import Episode, Record, Series
from mmvae_controller.simulation.replay import OVERVIEW_SIZE, replay
import numpy as np
from numpy.typing import NDArray
from PIL import Image

GIF_FRAME_S = 0.1
GIF_LAST_FRAME_S = 1.5
# What is told ten times a second has been told by then.
BEGINNING_S = 0.25
STRIP_MOMENTS = 7
STRIP_INCHES = 1.45
STRIP_HEAD_INCHES = 0.5
STRIP_ROWS = ('the arm', 'its camera', 'imagined')
BAD_COLOUR = '#b3261e'


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One moment of an episode.

    Args:
        moment_s: Since its time began.
        arm: As somebody beside it would see it, `(H, W, 3)`.
        seen: What the camera delivered, `(h, w, 3)`; None if nothing in the whole episode.
        imagined: What the model decoded that it sees; None likewise.

    """

    moment_s: float
    arm: NDArray[np.uint8]
    seen: NDArray[np.uint8] | None
    imagined: NDArray[np.uint8] | None


def to_show(record: Record, failed: bool) -> Episode | None:
    """Return an episode that was seen whole, with a camera that failed or that did not.

    The first success; of those with a camera that failed else the first. The first episodes may
    have begun before the monitor and the nodes had found each other: with what the model imagined
    from the beginning if there is one.
    """
    right = [e for e in record.episodes if (e.camera_failed_after_s is not None) == failed]
    told = (record.joints, record.pictures, record.imagined)
    whole = [e for e in right if _from_the_beginning(record.joints, e)]
    whole.sort(key=lambda e: not all(_from_the_beginning(s, e) for s in told))
    fallback = whole[0] if whole and failed else None
    return next((e for e in whole if e.success), fallback)


def regular_moments(episode: Episode) -> list[float]:
    """Return the moments of an animation, in s since the episode began; its end is the last."""
    moments = np.arange(0.0, episode.elapsed_s, GIF_FRAME_S)
    return [*moments.tolist(), episode.elapsed_s]


def imagined_moments(record: Record, episode: Episode) -> list[float]:
    """Return a few moments, in s since the episode began, at which the model imagined something.

    Evenly distributed over the episode.
    """
    stamps = [t for t, _ in record.imagined if episode.during(t)]
    count = min(len(stamps), STRIP_MOMENTS)
    chosen = np.linspace(0, len(stamps) - 1, count).round().astype(int)
    return [stamps[i] - episode.began_s for i in chosen]


def scenes(
    robot: Robot, task: str, record: Record, episode: Episode, moments_s: Sequence[float]
) -> list[Scene]:
    """Return an episode at some moments since it began, ascending."""
    joints, seen, imagined = (
        [(t - episode.began_s, v) for t, v in series if episode.during(t)]
        for series in (record.joints, record.pictures, record.imagined)
    )
    postures = [_nearest(joints, m) for m in moments_s]
    arms = replay(robot, task, episode.seed, postures, moments_s)
    return [
        Scene(moment, arm, _nearest(seen, moment), _nearest(imagined, moment))
        for moment, arm in zip(moments_s, arms, strict=True)
    ]


def write_animation(path: Path, shown: Sequence[Scene]) -> None:
    """Write a GIF: left the arm, right what its camera saw and, below, what the model imagined."""
    frames = []
    for scene in shown:
        small = [_enlarged(p) for p in (scene.seen, scene.imagined) if p is not None]
        column = np.concatenate(small, axis=0) if len(small) == 2 else scene.arm[:, :0]
        frames.append(Image.fromarray(np.concatenate([scene.arm, column], axis=1)))
    pauses = [round(GIF_FRAME_S * 1000)] * (len(frames) - 1) + [round(GIF_LAST_FRAME_S * 1000)]
    animation = BytesIO()
    frames[0].save(
        animation, format='GIF', save_all=True, append_images=frames[1:], duration=pauses, loop=0
    )
    write_bytes(path, animation.getvalue())


def strip_figure(shown: Sequence[Scene], failed_after_s: float) -> Figure:
    """Return a column for each scene, its time in red where the camera had failed."""
    size = (STRIP_INCHES * len(shown), STRIP_INCHES * len(STRIP_ROWS) + STRIP_HEAD_INCHES)
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots(len(STRIP_ROWS), len(shown), squeeze=False)
    for column, scene in zip(axes.T, shown, strict=True):
        failed = scene.moment_s >= failed_after_s
        column[0].set_title(
            f'{scene.moment_s:.2f} s', fontsize=10, color=BAD_COLOUR if failed else 'black'
        )
        for panel, picture in zip(column, (scene.arm, scene.seen, scene.imagined), strict=True):
            panel.set(xticks=[], yticks=[])
            if picture is not None:
                panel.imshow(picture)
    for panel, name in zip(axes[:, 0], STRIP_ROWS, strict=True):
        panel.set_ylabel(name)
    return figure


def _from_the_beginning(series: Series, episode: Episode) -> bool:
    until_s = episode.began_s + BEGINNING_S
    return any(episode.began_s <= t <= until_s for t, _ in series)


def _nearest(series: Series, moment_s: float) -> Any:
    return min(series, key=lambda item: abs(item[0] - moment_s))[1] if series else None


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (OVERVIEW_SIZE[1] // 2, OVERVIEW_SIZE[0] // 2)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.NEAREST))
