"""What does watching cost the control loop? Its ticks with and without the diagnostics node.

    python bench/diagnostics_cost.py [MODEL] [ROBOT YAML]

Simulation, controller and, in every other round, the diagnostics node as processes in a
ROS_DOMAIN_ID of their own; by hand, for it says something only on a machine that does nothing
else. Printed are the controller's own figures (`controller: loop` on /diagnostics: of the last
5 s) at the end of each round, and the ratio of their means: until the command was out, and until
all was published. With the node, the controller also
publishes `~/observation`, which nobody hears without.
"""

from __future__ import annotations

from contextlib import ExitStack
import os
from pathlib import Path
import subprocess
import sys
import time

ROOT = Path(__file__).parents[1]
DOMAIN = '97'
ROUNDS = 3
ROUND_S = 15.0
START_S = 60.0
END_S = 10.0
KEYS = ('command p50 ms', 'command p99 ms', 'tick p50 ms', 'tick p99 ms')
KINDS = ('without', 'with')


def main() -> None:
    """Run the rounds in alternation and print a table."""
    model = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / 'models' / 'touch_target')
    robot = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / 'config' / 'robots' / 'iiwa_sim.yaml')
    os.environ |= {'ROS_DOMAIN_ID': DOMAIN, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    print(f'{"diagnostics":12s}' + ''.join(f'{key:>16s}' for key in (*KEYS, 'missed ticks')))
    found: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for _ in range(ROUNDS):
        for kind in KINDS:
            figures = measure(model, robot, kind == 'with')
            found[kind].append(figures)
            print(f'{kind:12s}' + ''.join(f'{figure:16.3g}' for figure in figures), flush=True)
    for position, key in enumerate(KEYS):
        means = {k: sum(f[position] for f in found[k]) / ROUNDS for k in KINDS}
        ratio = means['with'] / means['without']
        print(
            f'{key}: {means["without"]:.3g} without, {means["with"]:.3g} with, ratio {ratio:.2f}'
        )


def measure(model: str, robot: str, diagnosed: bool) -> list[float]:
    """Return the times of `KEYS` in ms, and how many ticks were missed."""
    from diagnostic_msgs.msg import DiagnosticArray
    import rclpy

    sim_time = ['-p', 'use_sim_time:=true']
    with ExitStack() as stack:
        start(stack, 'simulation')
        start(
            stack, 'controller', '-p', f'model:={model}', '-p', f'robot_file:={robot}', *sim_time
        )
        if diagnosed:
            start(stack, 'diagnostics', '-p', f'model:={model}', *sim_time)
        rclpy.init()
        stack.callback(rclpy.try_shutdown)
        node = rclpy.create_node('bench')
        loop: dict[str, str] = {}

        def hear(message: DiagnosticArray) -> None:
            for status in message.status:
                if status.name == 'controller: loop':
                    loop.update({v.key: v.value for v in status.values})

        node.create_subscription(DiagnosticArray, '/diagnostics', hear, 10)
        until_s = time.monotonic() + START_S
        while int(loop.get('ticks', 0)) == 0:
            if time.monotonic() > until_s:
                raise SystemExit(f'no tick within {START_S:g} s')
            rclpy.spin_once(node, timeout_sec=0.1)
        until_s = time.monotonic() + ROUND_S
        while time.monotonic() < until_s:
            rclpy.spin_once(node, timeout_sec=0.1)
        node.destroy_node()
    return [float(loop[key]) for key in (*KEYS, 'missed ticks')]


def start(stack: ExitStack, name: str, *arguments: str) -> None:
    """Run a node until the stack is closed."""
    command = [sys.executable, '-m', f'mmvae_controller.nodes.{name}', '--ros-args', *arguments]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    stack.callback(end, process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it if it does not."""
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == '__main__':
    main()
