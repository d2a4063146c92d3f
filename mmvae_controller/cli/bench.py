"""`mmvae bench`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import shlex
import time
from typing import Any

from mmvae_controller.benchmarks.errors import BenchmarkError
from mmvae_controller.benchmarks.machine import machine
from mmvae_controller.benchmarks.registry import find_benchmark, NAMES
from mmvae_controller.benchmarks.tables import table
from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import require_place, write_json
from mmvae_controller.cli.output import console_for
from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.guidance.exit_codes import ExitCode

FORMAT = 1
FILE_COLUMNS = 120
SKIPPED = 'skipped'


@dataclass(frozen=True, slots=True)
class Options:
    """What the user typed."""

    only: str | None
    quick: bool
    json: Path | None

    def command(self) -> str:
        """Return the command that asks for the same."""
        words = ['mmvae', 'bench', *(['--only', self.only] if self.only else [])]
        words += ['--quick'] if self.quick else []
        return shlex.join(words + (['--json', str(self.json)] if self.json else []))


def run(options: Options) -> int:
    """Measure; print a table for each benchmark as it is done, write JSON; return the exit code.

    What is done is written, also when the rest is interrupted.
    """
    names = _chosen(options.only)
    if options.json is not None:
        require_place(options.json)
    document: dict[str, Any] = {
        'format': FORMAT,
        'command': options.command(),
        'quick': options.quick,
        'machine': machine(),
    }
    console = console_for(FILE_COLUMNS)
    for name in names:
        document[name] = _measure(name, options.quick)
        if SKIPPED in document[name]:
            console.print(f'{name}: left out: {document[name][SKIPPED]}', markup=False)
        else:
            console.print(table(name, document[name]))
            for note in document[name]['notes']:
                console.print(f'  {note}', markup=False)
        if options.json is not None:
            write_json(options.json, document)
    if options.json is not None:
        console.print(f'wrote {options.json}', markup=False)
    incomplete = any(SKIPPED in document[name] for name in names)
    return ExitCode.FAILED if incomplete else ExitCode.OK


def _measure(name: str, quick: bool) -> dict[str, Any]:
    began = time.monotonic()
    with progress_bar() as bar:
        line = bar.add_task(name, total=None, figures='')
        try:
            found = find_benchmark(name)(quick, lambda words: bar.update(line, figures=words))
        except (BenchmarkError, ModuleNotFoundError) as error:
            return {SKIPPED: str(error)}
    return {**found.data(), 'took_s': round(time.monotonic() - began, 1)}


def _chosen(only: str | None) -> Sequence[str]:
    if only is None:
        return NAMES
    names = [name.strip() for name in only.split(',')]
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise CliError(f'no benchmark {", ".join(unknown)}; there are {", ".join(NAMES)}')
    return names
