"""`mmvae study`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.progress import progress_bar, working
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.shared_files import find_config
from mmvae_controller.studies.files import check_folder, Kind
from mmvae_controller.studies.finished import Finished


def run(
    config: str, out: Path, dataset: str | None, reduced: bool, workers: int, only_report: bool
) -> None:
    """Run a study, or go on with it; `kind` in its YAML says which.

    Raises:
        CliError: It needs a data set and none is named, or names its own.
        StudyError: The folder cannot be written or holds another study; nothing has been done.

    """
    section = read_yaml(find_config(config))
    if section.choice('kind', Kind) is Kind.BIDIRECTIONAL:
        from mmvae_controller.studies import bidirectional

        if dataset is not None:
            raise CliError(f'{section.where}: names its own data: no --dataset')
        if only_report:
            finished = bidirectional.report(section, out, reduced)
        else:
            with _shown() as on_progress:
                finished = bidirectional.run(section, out, reduced, workers, on_progress)
    else:
        finished = _kl_schedules(section, out, dataset, reduced, workers, only_report)
    print(f'{out}: wrote tables and figures of {finished}')


def _kl_schedules(
    section: Section,
    out: Path,
    dataset: str | None,
    reduced: bool,
    workers: int,
    only_report: bool,
) -> Finished:
    from mmvae_controller.datasets.opening import open_windows
    from mmvae_controller.studies import kl_schedules
    from mmvae_controller.training.config import load_training_config

    if dataset is None:
        raise CliError(f'{section.where}: name the data to train on, --dataset icub:FILE')
    if not only_report:
        check_folder(out, Kind.KL_SCHEDULES)
    with working('reading'):
        windows = open_windows(dataset)
    path = find_config(section.text('training'))
    training = load_training_config(path, windows.description.modalities)
    if only_report:
        return kl_schedules.report(section, out, windows, training, reduced)
    with _shown() as on_progress:
        return kl_schedules.run(section, out, windows, training, reduced, workers, on_progress)


@contextmanager
def _shown() -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar, and give what moves it: epochs done, of how many, and a line of figures."""
    bar = progress_bar()
    line = bar.add_task('epochs', total=None, figures='')

    def on_progress(done: int, total: int, figures: str) -> None:
        # Not before there is something to show: what is refused is one line.
        bar.start()
        bar.update(line, completed=done, total=total, figures=figures)

    try:
        yield on_progress
    finally:
        bar.stop()
