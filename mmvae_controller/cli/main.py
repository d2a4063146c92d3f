"""The `mmvae` command; each sub-command imports what it needs when it is called."""

from __future__ import annotations

from mmvae_controller.cli.commands import (
    installed,
    judge_model,
    make_model,
    operate_robot,
    run_robot,
)
import typer

# What `mmvae --help` lists together, in its order.
PANELS = {
    'Make a model': make_model.COMMANDS,
    'Judge a model': judge_model.COMMANDS,
    'What is installed': installed.COMMANDS,
    'Run a robot': (*run_robot.COMMANDS, *operate_robot.COMMANDS),
}

app = typer.Typer(
    name='mmvae',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help='A multimodal VAE that sees, feels and moves: collect, train, roll out, run.',
)
for panel, commands in PANELS.items():
    for command in commands:
        app.command(operate_robot.NAMES.get(command), rich_help_panel=panel)(command)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == '__main__':
    main()
