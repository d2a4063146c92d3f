"""`mmvae faults`."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
import json as json_format
from pathlib import Path
import shlex
from typing import Any

from mmvae_controller.cli.choices import chosen
from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import require_place, write_bytes, write_json, write_text
from mmvae_controller.cli.output import png
from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.simulation.faults import document as fault_document
from mmvae_controller.simulation.faults.bench import BenchSettings, Driver, run_bench
from mmvae_controller.simulation.faults.cells import SUCCESS
from mmvae_controller.simulation.faults.document import Document
from mmvae_controller.simulation.faults.kinds import FAULTS
from mmvae_controller.simulation.faults.schedule import Start
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.peer_contract import read_peer_contract

IMAGES = 'images'
NO_PEER = 'none'


@dataclass(frozen=True, slots=True)
class Options:
    """What the user typed."""

    model: str
    task: str
    robot: str
    peer: str | None
    episodes: int
    seed: int
    faults: str | None
    starts: str | None
    moment_s: float
    processes: int
    json: Path
    out: Path | None

    def command(self) -> str:
        """Return the command that asks for the same, whatever was left to its default."""
        words = ['mmvae', 'faults', self.model, '--task', self.task, '--robot', self.robot]
        words += [] if self.peer is None else ['--peer', self.peer]
        words += ['--episodes', str(self.episodes), '--seed', str(self.seed)]
        words += [] if self.faults is None else ['--faults', self.faults]
        words += [] if self.starts is None else ['--starts', self.starts]
        words += ['--moment', f'{self.moment_s:g}', '--json', str(self.json)]
        return shlex.join(words + ([] if self.out is None else ['--out', str(self.out)]))


def run(options: Options) -> None:
    """Run every cell that is not there yet, writing each as it is done; then figures and page."""
    settings = BenchSettings(
        str(find_model(options.model)),
        _peer(options),
        str(find_robot(options.robot)),
        options.task,
        options.episodes,
        options.seed,
        options.moment_s,
    )
    starts = [chosen(Start, 'start', s) for s in _listed(options.starts, list(Start))]
    faults = _listed(options.faults, list(FAULTS))
    require_place(options.json)
    document = fault_document.begin(settings, faults, starts, options.command())
    for reason in dict.fromkeys(document['left_out'].values()):
        print(f'left out: {reason}')
    if options.json.exists():
        document = fault_document.go_on(document, _read(options.json), str(options.json))
    document = _run_cells(settings, document, options)
    print(_line('no fault', document[fault_document.CLEAN]))
    print(f'wrote {options.json}')
    if options.out is not None:
        _write(options.out, options.json.stem, document)


def _run_cells(settings: BenchSettings, document: Document, options: Options) -> Document:
    cases = fault_document.missing_cases(document)
    total = len(document['settings']['faults']) * len(document['settings']['starts']) + 1
    if not cases:
        return document
    running = run_bench(settings, cases, options.processes)
    with progress_bar() as bar, closing(running):
        line = bar.add_task('cells', total=total, completed=total - len(cases), figures='')
        for done in running:
            document = fault_document.with_case(document, done)
            write_json(options.json, document)
            case = done.case
            cells = [*document[fault_document.CELLS], document[fault_document.CLEAN]]
            cell = next(
                c for c in cells if c and (c['fault'], c['start']) == (case.fault, case.start)
            )
            what = f'{case.fault}, {case.start}' if case.fault else 'no fault'
            bar.update(line, advance=1, figures=_line(what, cell))
    return document


def _line(what: str, cell: dict[str, Any]) -> str:
    """Return a cell in a line."""
    rates = {driver: cell[name] for driver, name in SUCCESS.items() if cell[name] is not None}
    shown = ', '.join(f'{Driver(driver).value} {rate:.2f}' for driver, rate in rates.items())
    return f'{what}: {shown}; {cell["unsafe_commands"]} unsafe commands'


def _peer(options: Options) -> str | None:
    """Return the folder of the peer that was named, or that of the task if there is one."""
    if options.peer == NO_PEER:
        return None
    if options.peer is not None:
        return str(find_model(options.peer))
    place = f'peers/{options.task}'
    try:
        folder = find_model(place)
        read_peer_contract(folder).check_fits(load_robot(find_robot(options.robot)))
    except (ModalityError, TrainingError):
        print(
            f'no peer models/{place} that fits {options.robot}: the model is compared with the '
            'expert alone'
        )
        return None
    return str(folder)


def _listed(words: str | None, default: list[Any]) -> list[str]:
    if words is None:
        return [str(word) for word in default]
    # Named twice is asked once.
    return list(dict.fromkeys(word.strip() for word in words.split(',') if word.strip()))


def _read(path: Path) -> dict[str, Any]:
    try:
        begun = json_format.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise CliError(f'{path}: cannot be gone on with: {error}') from error
    if not isinstance(begun, dict):
        raise CliError(f'{path}: holds no benchmark to go on with; choose another place')
    return begun


def _write(out: Path, name: str, document: Document) -> None:
    """Write the page, named like the JSON: pages of several models may lie side by side."""
    # Here, because it takes a second that is not needed without pictures.
    from mmvae_controller.simulation.faults.figures import figures
    from mmvae_controller.simulation.faults.report import page

    for shown, figure in figures(document).items():
        path = out / IMAGES / f'{name}_{shown}.png'
        write_bytes(path, png(figure))
        print(f'wrote {path}')
    path = out / f'{name}.md'
    write_text(path, page(document, name))
    print(f'wrote {path}')
