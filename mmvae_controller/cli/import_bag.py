"""`mmvae import-bag`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import sys

from mmvae_controller.cli.choices import chosen
from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import require_place, write_bytes, write_json
from mmvae_controller.cli.output import console_for, png
from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_robot
from mmvae_controller.recordings.importing import import_bags, ImportSettings
from mmvae_controller.recordings.receipt import ClockChoice
from mmvae_controller.recordings.report import Report
from mmvae_controller.recordings.tables import LEGEND, lines, tables
from mmvae_controller.recordings.topics import Names, read_remaps
from rich.progress import TaskID

FILE_COLUMNS = 110


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Args:
        bags: Folders or files.
        robot: Its YAML, or the name of one.
        out: The data set; None if nothing is to be written.
        namespace: Of the robot.
        remaps: As `from:=to`.
        command: Topic of the set-points.
        label: Topic of what a demonstrator wanted.
        episode: Topic that marks episodes.
        clock: A `ClockChoice`.
        gap_s: See `ImportSettings`.
        record_hz: See `ImportSettings`.
        json: Where the report goes.
        figure: Where the picture goes.

    """

    bags: Sequence[Path]
    robot: str
    out: Path | None
    namespace: str
    remaps: Sequence[str]
    command: str
    label: str
    episode: str
    clock: str
    gap_s: float
    record_hz: float
    json: Path | None
    figure: Path | None


def run(options: Options) -> ExitCode:
    """Import, with a progress bar; print tables, write the report and the picture.

    Returns:
        FAILED if a bag gave nothing, though others did.

    Raises:
        CliError: There is no row, or a place cannot be written.

    """
    names = Names(
        options.namespace,
        read_remaps(options.remaps),
        options.command,
        options.label,
        options.episode,
    )
    clock = chosen(ClockChoice, 'clock', options.clock)
    settings = ImportSettings(tuple(options.bags), names, clock, options.gap_s, options.record_hz)
    robot = load_robot(find_robot(options.robot))
    for place in (options.json, options.figure):
        if place is not None:
            require_place(place)
    with progress_bar() as bar:
        told: dict[tuple[Path, str], TaskID] = {}

        def progress(bag: Path, what: str, done: int, total: int | None) -> None:
            line = told.get((bag, what))
            if line is None:
                line = bar.add_task(f'{what} {bag.name}', total=total, figures='')
                told[bag, what] = line
            bar.update(line, completed=done, total=total)

        report = import_bags(settings, robot, options.out, progress)
    _print(report)
    _write(report, options)
    if not report.rows:
        unused = any(bag.missing for bag in report.bags)
        why = 'no row: see `unused` above' if unused else report.why_empty
        raise CliError(explained_by(Help.FEW_ROWS, why))
    where = options.out or 'dry run'
    print(f'{where}: {report.rows} rows in {len(report.episodes)} episodes')
    if not report.fruitless:
        return ExitCode.OK
    fruitless = f'no row came of {", ".join(report.fruitless)}: see above'
    print(explained_by(Help.FEW_ROWS, fruitless), file=sys.stderr)
    return ExitCode.FAILED


def _print(report: Report) -> None:
    console = console_for(FILE_COLUMNS)
    for table in tables(report):
        console.print(table)
    console.print(LEGEND, style='dim')
    for line in lines(report):
        console.print(line)


def _write(report: Report, options: Options) -> None:
    if options.json is not None:
        write_json(options.json, report.data())
        print(f'wrote {options.json}')
    if options.figure is not None:
        # Here, because it takes a second that is not needed without pictures.
        from mmvae_controller.recordings.figure import report_figure

        write_bytes(options.figure, png(report_figure(report)))
        print(f'wrote {options.figure}')
