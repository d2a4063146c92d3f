"""What is installed, whether it works, and how fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mmvae_controller import __version__
from mmvae_controller.cli.completing import sections
from mmvae_controller.cli.errors import explained
import typer


def bench(
    json: Annotated[Path | None, typer.Option(help='Write the figures here.')] = None,
    only: Annotated[
        str | None, typer.Option(help='Some, as control,inference; all if not named.')
    ] = None,
    quick: Annotated[
        bool, typer.Option('--quick', help='So short that it only shows that everything runs.')
    ] = False,
) -> None:
    """Measure how fast it is here, each figure beside a floor or a peer of the same run."""
    with explained():
        from mmvae_controller.cli.bench import Options, run

        raise typer.Exit(run(Options(only, quick, json)))


def doctor() -> None:
    """Say what of the installation is broken, and the command that mends it."""
    from mmvae_controller.cli.doctor import run

    raise typer.Exit(run())


def explain(
    section: Annotated[
        str | None,
        typer.Argument(
            help='As a message names it; all are listed without.', autocompletion=sections
        ),
    ] = None,
) -> None:
    """Print what to do about a message: the section of the troubleshooting page that it names."""
    with explained():
        from mmvae_controller.cli.explain import run

        run(section)


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


COMMANDS = (bench, doctor, explain, version)
