"""`mmvae record`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
import time

from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_robot
from mmvae_controller.nodes.recorder import definition, Recorder
from mmvae_controller.nodes.signals import Leaving
from mmvae_controller.recordings.topics import read_remaps
from mmvae_controller.recordings.writer import BagWriter

REFRESH_S = 0.25
# So long a robot may take to be heard before it is told that nothing is: where there is one in
# another namespace, and where there is none, which takes longer to be sure of.
SILENT_S, ABSENT_S = 3.0, 10.0
# Later than this, messages are lost before they are written.
LATE_S = 0.5
# How topics are called that are no robot's own.
OF_ALL = ('clock', 'diagnostics')


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


def run(options: Options) -> ExitCode:
    """Record until told to stop, or for a while; the bag is complete then.

    Returns:
        FAILED if nothing of the robot was heard.

    Raises:
        RecordingError: The bag is there already, or the disk is full.
        ModalityError: There is no such robot, or the type of a message is not installed.
        StartError: ROS 2 does not start here.

    """
    with Leaving() as leaving:
        robot = load_robot(find_robot(options.robot))
        read_remaps(options.remaps)  # Refused here, with an example.
        with BagWriter(options.out, options.compressed, definition) as writer:
            recorder = _recorder(robot, writer, options)
            began_s = time.monotonic()
            try:
                _listen(recorder, options, leaving)
                advice = '' if _heard(recorder) else _nothing(recorder, options.namespace)
            finally:
                recorder.close()
            elapsed_s = time.monotonic() - began_s
        kept = not advice or _labelled(recorder)
        if not kept:
            # The same command has to work once the robot is there.
            writer.discard()
    for topic, count in sorted(recorder.heard.items()):
        print(f'{count:8d}  {count / elapsed_s:7.1f} Hz  {topic}')
    print(f'{options.out}: {writer.messages} messages in {elapsed_s:.1f} s{_silent(recorder)}')
    for shortcoming in _shortcomings(recorder):
        print(shortcoming)
    if not advice:
        return ExitCode.OK
    print(advice if kept else f'{advice}; the bag is not kept', file=sys.stderr)
    return ExitCode.FAILED


def _recorder(robot: Robot, writer: BagWriter, options: Options) -> Recorder:
    try:
        return Recorder(
            robot, writer, options.namespace, options.observation, options.also, options.remaps
        )
    except BaseException:
        # Nothing is in it, and the same command has to work when that is mended.
        writer.discard()
        raise


def _listen(recorder: Recorder, options: Options, leaving: Leaving) -> None:
    """Record until told to leave or the time is over, and say early if nothing comes."""
    began_s = time.monotonic()
    told, unheard = False, 0
    with progress_bar() as bar:
        line = bar.add_task('seconds', total=options.duration_s, figures='')
        while not leaving.asked and _time_left(began_s, options.duration_s):
            recorder.spin(REFRESH_S)
            passed_s = time.monotonic() - began_s
            bar.update(line, completed=int(passed_s), figures=_figures(recorder))
            if not told and _is_silent(recorder, passed_s):
                told = True
                advice = _nothing(recorder, options.namespace)
                bar.console.print(advice, style='yellow', soft_wrap=True)
            for shortcoming in _unheard(recorder)[unheard:]:
                unheard += 1
                bar.console.print(shortcoming, style='yellow', soft_wrap=True)


def _heard(recorder: Recorder) -> bool:
    """Tell whether anything of the robot was: /diagnostics and /clock are of all."""
    return any(recorder.heard[topic] for topic in recorder.senses.values())


def _labelled(recorder: Recorder) -> bool:
    """Tell whether anything came that is not of all: labels, marks of episodes."""
    heard = {topic for topic, count in recorder.heard.items() if count}
    return any(topic.rsplit('/', 1)[-1] not in OF_ALL for topic in heard)


def _is_silent(recorder: Recorder, passed_s: float) -> bool:
    """Tell whether nothing was heard of the robot for so long that it is none to be waited for."""
    if passed_s < SILENT_S or _heard(recorder):
        return False
    return passed_s > ABSENT_S or bool(recorder.robots())


def _nothing(recorder: Recorder, namespace: str) -> str:
    """Say that nothing of the robot is heard, and where there is one."""
    here = f'/{namespace.strip("/")}'
    others = [place for place in recorder.robots() if place != here]
    where = f'; there is one in {", ".join(others)}: --namespace' if others else ''
    return explained_by(Help.NO_MESSAGE, f'nothing is heard of a robot in namespace {here}{where}')


def _shortcomings(recorder: Recorder) -> Iterator[str]:
    """Say what was late, and what is not in the bag."""
    yield from _unheard(recorder)
    if recorder.latest_s > LATE_S:
        yield (
            f'messages were written up to {recorder.latest_s:.1f} s late: the machine was busy; '
            'they bear the time at which they were received'
        )
    for topic, count in sorted(recorder.lost.items()):
        heard = recorder.heard[topic]
        yield f'{topic}: {count} of {heard + count} messages were lost on the way'


def _unheard(recorder: Recorder) -> list[str]:
    return [f'{topic} is not recorded: {why}' for topic, why in recorder.unheard.items()]


def _time_left(began_s: float, duration_s: float | None) -> bool:
    return duration_s is None or time.monotonic() - began_s < duration_s


def _figures(recorder: Recorder) -> str:
    counts = ', '.join(f'{name} {recorder.heard[t]}' for name, t in recorder.senses.items())
    return f'{counts}{_silent(recorder)}'


def _silent(recorder: Recorder) -> str:
    silent = [topic for topic in recorder.senses.values() if not recorder.heard[topic]]
    missing = sorted({*silent, *recorder.waiting})
    return f'; silent: {", ".join(missing)}' if missing else ''
