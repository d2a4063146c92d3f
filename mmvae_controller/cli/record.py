"""`mmvae record`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import time
from types import FrameType

from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_robot
from mmvae_controller.nodes.recorder import definition, Recorder
from mmvae_controller.nodes.signals import handle
from mmvae_controller.recordings.topics import read_remaps
from mmvae_controller.recordings.writer import BagWriter

REFRESH_S = 0.25
EXIT_OK, EXIT_SILENT = 0, 1


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Args:
        robot: Its YAML, or the name of one.
        out: The folder of the bag.
        namespace: Of the robot.
        remaps: As `from:=to`.
        also: Other topics.
        observation: Whether to record what its controller observes.
        compressed: With zstd.
        duration_s: For how long; None: until told to stop.

    """

    robot: str
    out: Path
    namespace: str
    remaps: Sequence[str]
    also: Sequence[str]
    observation: bool
    compressed: bool
    duration_s: float | None


def run(options: Options) -> int:
    """Record until told to stop, or for a while; the bag is complete then.

    Returns:
        The exit code: 1 if nothing was heard, else 0.

    Raises:
        RecordingError: The bag is there already, or the disk is full.
        ModalityError: There is no such robot, or the type of a message is not installed.

    """
    leaving = False

    def leave(number: int, frame: FrameType | None) -> None:
        nonlocal leaving
        leaving = True

    handle(leave)
    robot = load_robot(find_robot(options.robot))
    read_remaps(options.remaps)  # Refused here, with an example.
    with BagWriter(options.out, options.compressed, definition) as writer:
        recorder = Recorder(
            robot,
            writer,
            options.namespace,
            options.observation,
            options.also,
            options.remaps,
        )
        began_s = time.monotonic()
        try:
            with progress_bar() as bar:
                line = bar.add_task('messages', total=None, figures='')
                while not leaving and _time_left(began_s, options.duration_s):
                    recorder.spin(REFRESH_S)
                    bar.update(line, completed=writer.messages, figures=_figures(recorder))
        finally:
            recorder.close()
        elapsed_s = time.monotonic() - began_s
    for topic, count in sorted(recorder.heard.items()):
        print(f'{count:8d}  {count / elapsed_s:7.1f} Hz  {topic}')
    print(f'{options.out}: {writer.messages} messages in {elapsed_s:.1f} s{_silent(recorder)}')
    return EXIT_OK if writer.messages else EXIT_SILENT


def _time_left(began_s: float, duration_s: float | None) -> bool:
    return duration_s is None or time.monotonic() - began_s < duration_s


def _figures(recorder: Recorder) -> str:
    counts = ', '.join(f'{name} {recorder.heard[t]}' for name, t in recorder.senses.items())
    return f'{counts}{_silent(recorder)}'


def _silent(recorder: Recorder) -> str:
    silent = [topic for topic in recorder.senses.values() if not recorder.heard[topic]]
    missing = sorted({*silent, *recorder.waiting})
    return f'; silent: {", ".join(missing)}' if missing else ''
