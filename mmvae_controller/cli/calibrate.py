"""`mmvae calibrate`."""

from __future__ import annotations

from dataclasses import asdict

from mmvae_controller.cli.files import require_place
from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.control.comparison import Comparison, SOUND_FILE, write_sound
from mmvae_controller.control.network import Network
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.simulation.calibrate import count_alarms, fit_sound, listen
from rich.console import Console
from rich.table import Table

# Of the episodes, to fit; on the rest the false alarms are counted.
FITTED_SHARE = 0.5


def run(
    model: str, task: str, robot: str, episodes: int, seed: int, alarms_per_hour: float
) -> None:
    """Measure, write the file into the model's folder, and say what it leads to."""
    network = Network(find_model(model))
    require_place(network.folder / SOUND_FILE)
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
    place = write_sound(network, sound, provenance)
    table = Table('sense', 'channel', 'level', 'scale', 'threshold', 'false alarms')
    for name, channels in sound.items():
        for channel, s in channels.items():
            cells = (f'{s.level:.3f}', f'{s.scale:.3f}', f'{s.threshold:.1f}')
            table.add_row(name, channel, *cells, str(found.alarms[name]))
    Console().print(table)
    print(f'{found.minutes:.1f} minutes of sound running counted; wrote {place}')
