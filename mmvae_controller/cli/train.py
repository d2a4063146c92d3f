"""`mmvae train` as torchrun starts it, which starts modules alone; nothing imports this one."""

from __future__ import annotations

import sys

from mmvae_controller.cli.errors import leave
from mmvae_controller.cli.main import app
from mmvae_controller.training.processes import is_launched


def main() -> None:
    """Run `mmvae train` as one of the processes of torchrun, or alone."""
    try:
        app(['train', *sys.argv[1:]], prog_name='mmvae')
    except SystemExit as ended:
        if not is_launched():
            raise
        # A thread of gloo that lets go of the last message while the interpreter ends aborts the
        # process, now and then: everything is written, so it leaves without that end.
        leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


if __name__ == '__main__':
    main()
