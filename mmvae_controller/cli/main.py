"""The `mmvae` command; each sub-command imports what it needs when it is called."""

from __future__ import annotations

import gc

from mmvae_controller.cli.commands import installed, judge_model, make_model, run_robot
from mmvae_controller.cli.errors import leave
from mmvae_controller.guidance.exit_codes import ExitCode
import typer

# What `mmvae --help` lists together, in its order.
PANELS = {
    'Make a model': make_model.COMMANDS,
    'Judge a model': judge_model.COMMANDS,
    'What is installed': installed.COMMANDS,
    'Run a robot': run_robot.COMMANDS,
}

app = typer.Typer(
    name='mmvae',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help='A multimodal VAE that sees, feels and moves: collect, train, roll out, run.',
)
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SystemExit as ended:
        if ended.code != ExitCode.INTERRUPTED:
            raise
    else:
        return
    # Out here what was interrupted is gone, and what it held. The interpreter would take PyTorch
    # down piece by piece, on a busy machine for seconds, and whoever interrupts us waits.
    gc.collect()
    leave(ExitCode.INTERRUPTED)


if __name__ == '__main__':
    main()
