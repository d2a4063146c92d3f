"""From bags to a data set: through the window of the robot, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.datasets.store import Description, KNOWN
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import origin_of
from mmvae_controller.recordings.aside import Aside
from mmvae_controller.recordings.bag import read_bag
from mmvae_controller.recordings.decoding import Decoder
from mmvae_controller.recordings.ear import Ear, measuring_window, tallies_of
from mmvae_controller.recordings.errors import NoRoomError, RecordingError
from mmvae_controller.recordings.receipt import ClockChoice
from mmvae_controller.recordings.replay import Replay
from mmvae_controller.recordings.report import BagReport, Report
from mmvae_controller.recordings.rows import Row, Rows
from mmvae_controller.recordings.stored import Stored
from mmvae_controller.recordings.survey import Survey, survey
from mmvae_controller.recordings.topics import Names, topics_of

# Between two bags, on the time of the report.
BETWEEN_S = 1.0
# Pictures take a millisecond each, and longer.
TELL_EVERY = 200
# Neither times in s nor rates in Hz beyond this are meant, and their product fits 64 bits in ns.
LARGEST = 1e6
# Is told the bag, what is done with it, how many messages of it are done, and of how many.
Progress = Callable[[Path, str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What to import, and how.

    Args:
        bags: Each a recording of its own, one after the other.
        names: How the topics are called in them.
        clock: Whose time the robot ran on.
        gap_s: A required sense, or set-points, silent for longer end an episode.
        record_hz: Rows per second; 1 / step_s divides it.

    Raises:
        RecordingError: A bag is not there, or named twice; a number is none that can be counted.

    """

    bags: tuple[Path, ...]
    names: Names = field(default_factory=Names)
    clock: ClockChoice = ClockChoice.AUTO
    gap_s: float = 1.0
    record_hz: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what would be found out after an hour, or never."""
        absent = [str(bag) for bag in self.bags if not bag.exists()]
        if absent:
            raise RecordingError(f'{", ".join(absent)}: is not there; nothing was imported')
        twice = [p for p, n in Counter(bag.resolve() for bag in self.bags).items() if n > 1]
        if twice:
            raise RecordingError(f'{twice[0]}: is named twice, its rows would be too')
        for name, value in (('gap_s', self.gap_s), ('record_hz', self.record_hz)):
            if not 0 < value < LARGEST:
                raise RecordingError(
                    f'{name} is {value:g}, expected more than 0, up to {LARGEST:g}'
                )


def import_bags(
    settings: ImportSettings, robot: Robot, out: Path | None, progress: Progress
) -> Report:
    """Import bags into a new data set; nothing is left of one in which there would be no row.

    Args:
        settings: What and how.
        robot: Whose senses.
        out: The folder; None: only the report is made.
        progress: Is told now and then.

    Raises:
        DatasetError: The folder is not empty, or cannot be written; the rate does not fit.
        RecordingError: The names do not go together.
        NoRoomError: A file has to be copied, for which there is no room.

    """
    description = Description(
        robot.modalities, robot.step_s, 1 / settings.record_hz, _provenance(settings, robot)
    )
    with nullcontext() if out is None else Aside(out) as aside:
        run = _Import(settings, robot, aside, progress)
        for bag in settings.bags:
            run.take(bag)
        report = run.report()
        if aside is not None and report.rows:
            aside.finish(replace(description, continued=report.continued))
    return report


def _provenance(settings: ImportSettings, robot: Robot) -> dict[str, Any]:
    return {
        **origin_of(robot),
        'bags': [bag.resolve().name for bag in settings.bags],
        'clock': str(settings.clock),
        'gap_s': settings.gap_s,
        'record_hz': settings.record_hz,
        'label_topic': settings.names.label,
    }


class _Import:
    def __init__(
        self, settings: ImportSettings, robot: Robot, aside: Aside | None, progress: Progress
    ) -> None:
        self._settings, self._robot, self._progress = settings, robot, progress
        self._aside = aside
        self._topics = topics_of(robot, settings.names)
        self._tallies = tallies_of(robot, self._topics)
        self._window = measuring_window(robot)
        self._rows = Rows(
            robot,
            self._window,
            round(NS / settings.record_hz),
            round(settings.gap_s * NS),
            self._keep,
        )
        self._known: Counter[str] = Counter()
        self._count = 0
        self._bags: list[BagReport] = []
        self._read: list[tuple[str, Survey]] = []

    def take(self, bag: Path) -> None:
        """Read a bag twice: to see what is there, and to play it."""
        begin_s = self._bags[-1].end_s + BETWEEN_S if self._bags else 0.0
        report = BagReport(str(bag), begin_s=begin_s, end_s=begin_s)
        self._bags.append(report)
        notes: dict[str, None] = {}
        decoder = Decoder()
        try:
            found = survey(
                lambda: self._counted(
                    read_bag(bag, lambda t: notes.setdefault(t)), bag, 'look', None
                ),
                self._robot,
                self._topics,
                decoder,
                self._settings.clock,
            )
        except NoRoomError:
            raise
        except RecordingError as error:
            report.missing.append(str(error).removeprefix(f'{bag}: '))
            report.notes.extend(notes)
            return
        report.messages = found.messages
        report.clock, report.clock_topic = 'sim' if found.clock else 'bag', found.clock
        same, overlaps = self._seen_before(found)
        report.notes.extend((*notes, *found.notes, *overlaps))
        report.missing.extend((*found.missing, *same))
        report.others = {
            t: h.messages for t, h in sorted(found.topics.items()) if t not in self._topics.kinds
        }
        if not report.missing:
            self._play(bag, found, decoder, report)

    def report(self) -> Report:
        """Return what became of all bags."""
        command = self._robot.command
        return Report(
            self._robot.name,
            1 / self._settings.record_hz,
            self._bags,
            self._tallies,
            self._rows.episodes,
            self._rows.dropped,
            dict(self._known),
            self._count,
            self._rows.curve,
            command.channels,
            command.unit,
        )

    def _play(self, bag: Path, found: Survey, decoder: Decoder, report: BagReport) -> None:
        ear = Ear(
            self._robot,
            self._topics,
            self._window,
            self._rows,
            self._tallies,
            round(self._settings.gap_s * NS),
        )
        replay = Replay(ear, found, decoder, report.begin_s)
        self._rows.open(bag.name, replay.place_s, found.spans is not None)
        messages = found.order.put(read_bag(bag, lambda text: None))
        for message in self._counted(messages, bag, 'import', found.messages):
            replay.play(message)
        replay.end()
        report.end_s = replay.now_s
        if replay.too_fast:
            report.notes.append(
                f'{replay.too_fast} set-points were faster than output.limits of the robot YAML: '
                'taken as fast as these allow'
            )
        if replay.before_time:
            report.notes.append(
                f'{replay.before_time} messages came before the first /clock: left out'
            )

    def _keep(self, row: Row) -> None:
        self._count += 1
        self._bags[-1].rows += 1
        known = row[KNOWN]
        for number, modality in enumerate(self._window.modalities):
            self._known[modality.name] += int(known[number])
        if self._aside is not None:
            self._aside.add(row)

    def _seen_before(self, found: Survey) -> tuple[list[str], list[str]]:
        """Say which bags hold the same, and which the same moments: those would count twice."""
        if not found.messages:
            return [], []
        same, overlaps = [], []
        for path, other in self._read:
            if found.outline == other.outline:
                same.append(f'holds the same as {path}: its rows would be there twice')
            elif found.clock or other.clock:
                continue  # Simulated time begins at zero, in each of them.
            elif other.first_ns <= found.last_ns and found.first_ns <= other.last_ns:
                overlaps.append(f'was recorded at the same time as {path}: is it the same twice?')
        self._read.append((self._bags[-1].path, found))
        return same, overlaps

    def _counted(
        self, messages: Iterable[Stored], bag: Path, what: str, total: int | None
    ) -> Iterator[Stored]:
        done = 0
        for done, message in enumerate(messages, 1):
            yield message
            if done % TELL_EVERY == 0:
                self._progress(bag, what, done, total)
        self._progress(bag, what, done, done)
