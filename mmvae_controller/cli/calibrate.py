"""`mmvae calibrate`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
import shutil

from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import new_folder, require_new, require_place
from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.control.comparison import (
    Comparison,
    read_comparison,
    SOUND_FILE,
    write_sound,
)
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.network import Network
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import CONTRACT_FILE, find_model, find_robot
from mmvae_controller.simulation.calibrate import count_alarms, FalseAlarms, fit_sound, listen
from rich.console import Console
from rich.table import Table

# Of the episodes, to fit; on the rest the false alarms are counted.
FITTED_SHARE = 0.5


def run(
    model: str,
    task: str,
    robot: str,
    episodes: int,
    seed: int,
    alarms_per_hour: float,
    out: Path | None = None,
    force: bool = False,
) -> None:
    """Measure, write the file into the model's folder or a copy of it, and say what it leads to.

    Raises:
        CliError: What was measured before would be lost, or the copy has no place.
        ControlError, ModalityError, SimulationError: Model and robot cannot be run together.

    """
    network = Network(find_model(model))
    if out is None:
        _require_unmeasured(network, force)
        require_place(network.folder / SOUND_FILE)
    else:
        require_new(out)
    configured = load_robot(find_robot(robot))
    network.contract.check_fits(configured)
    fitted = round(FITTED_SHARE * episodes)
    with progress_bar() as bar:
        line = bar.add_task('episodes', total=episodes, figures='')

        def on_episode() -> None:
            bar.update(line, advance=1)

        noted, hours = listen(network, configured, task, range(seed, seed + fitted), on_episode)
        sound = fit_sound(noted, hours, alarms_per_hour)
        rest = range(seed + fitted, seed + episodes)
        comparison = Comparison(Surprise(network), sound, {})
        found = count_alarms(network, configured, task, comparison, rest, on_episode)
    provenance = {
        'robot_file': configured.path.name,
        'robot': configured.name,
        'rate_hz': configured.rate_hz,
        'task': task,
        'seed': seed,
        'fitted': {'episodes': fitted, 'minutes': round(60 * hours, 2)},
        'counted': asdict(found) | {'minutes': round(found.minutes, 2), 'episodes': len(rest)},
        'alarms_per_hour_asked_for': alarms_per_hour,
    }
    if out is None:
        place = write_sound(network, sound, provenance)
    else:
        with new_folder(out) as aside:
            for name in (*network.contract.checksums, CONTRACT_FILE):
                # What only training reads may have been left out of a model that runs.
                if (network.folder / name).exists():
                    shutil.copy2(network.folder / name, aside / name)
            write_sound(network, sound, provenance, aside)
        place = out / SOUND_FILE
    table = Table('sense', 'channel', 'level', 'scale', 'threshold', 'false alarms')
    for name, channels in sound.items():
        alarms = str(found.alarms[name])
        for channel, s in channels.items():
            cells = (f'{s.level:.3f}', f'{s.scale:.3f}', f'{s.threshold:.1f}')
            table.add_row(name, channel, *cells, alarms)
            alarms = ''  # They are the sense's, whatever it was compared with.
    Console().print(table)
    print(f'{_told(found, len(rest))}; {alarms_per_hour:g} an hour asked for')
    if found.lost_anyway:
        print(
            f'in {found.lost_anyway} of the {found.alarmed} episodes with one the task is not '
            'done either where every sense is believed: there the model knows too little, and '
            'more calibrating does not mend that'
        )
    print(f'wrote {place}' + (f'; run it with --model {out}' if out else ''))


def _told(found: FalseAlarms, episodes: int) -> str:
    """Say how often there were false alarms."""
    return (
        f'false alarms: {sum(found.alarms.values())} in {found.minutes:.1f} min of sound running, '
        f'in {found.alarmed} of {episodes} episodes, {found.failed} of which failed'
    )


def _require_unmeasured(network: Network, force: bool) -> None:
    """Refuse to lose what was measured of this network, on this robot or another."""
    path = network.folder / SOUND_FILE
    if force or not path.exists():
        return
    try:
        measured = read_comparison(network)
    except ControlError:  # Of another network, or damaged: it is of no use.
        return
    on = '' if measured is None else f' on {measured.provenance.get("robot", "some robot")}'
    raise CliError(
        f'{path}: was measured{on} already; --out FOLDER leaves it and measures for a copy of the '
        'model, --force measures it anew'
    )
