"""`rqt_mmvae`: the importance plugin in a window of its own."""

from __future__ import annotations

import sys

from mmvae_controller.rqt.arguments import add_arguments

REFUSED = 2
PLUGIN = 'mmvae_controller.rqt.plugin.ImportancePlugin'


def main() -> None:
    """Start rqt with this plugin alone."""
    try:
        from rqt_gui.main import Main
    except ImportError as error:
        print(
            f'error: {error}. rqt comes from apt, not from pip: '
            '`sudo apt install ros-$ROS_DISTRO-rqt-gui-py`, then source /opt/ros/$ROS_DISTRO; '
            '`mmvae top` shows the same in a terminal',
            file=sys.stderr,
        )
        sys.exit(REFUSED)
    sys.exit(Main().main(sys.argv, standalone=PLUGIN, plugin_argument_provider=add_arguments))


if __name__ == '__main__':
    main()
