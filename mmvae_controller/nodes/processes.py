"""Child processes that live and die together."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
import importlib.metadata
import os
from pathlib import Path
from queue import Empty, SimpleQueue
import shutil
import signal
import subprocess
import threading
import time
from typing import IO

GRACE_S = 5.0
# rclpy's wheels start Python anew with their library path and leave this mark; inherited, it
# would keep a child of another environment from doing so.
WHEELS_MARK = '_ROS_WHEELS_BOOTSTRAP_COMPLETE'
# Fast DDS 3 renamed its variable and complains of the old one, Fast DDS 2 ignores the new one.
PROFILE_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
# Jazzy comes with Fast DDS 2 and rclpy 7; Kilted and later with Fast DDS 3.
FIRST_RCLPY_WITH_FASTDDS_3 = 8
# With LOCALHOST, the nodes talk to this machine alone.
DISCOVERY_RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
LOCALHOST = 'LOCALHOST'
# Of a later ROS_DOMAIN_ID the ports have no numbers, and Fast DDS ends the process.
DOMAIN, LAST_DOMAIN = 'ROS_DOMAIN_ID', 232


@dataclass(frozen=True, slots=True)
class Ended:
    """A child that ended.

    Args:
        name: Given when it was started.
        code: Its exit code; negative is the signal that ended it.

    """

    name: str
    code: int

    def __str__(self) -> str:
        """Say how it ended."""
        if self.code < 0:
            return f'{self.name} was ended by {signal.Signals(-self.code).name}'
        return f'{self.name} ended with exit code {self.code}'


class Processes:
    """Starts children, tells when one ends, and stops them in the reverse order.

    A context manager: leaving it stops all that still run.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: SimpleQueue[Ended | None] = SimpleQueue()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        log: IO[bytes] | None = None,
    ) -> None:
        """Start a child.

        Args:
            name: To tell it by.
            command: With its arguments.
            env: Its environment; by default `child_environment()`.
            log: Where its output goes; by default where ours goes.

        """
        # In a session of its own, Ctrl+C reaches it through `stop` alone, in order.
        process = subprocess.Popen(
            [*_tied_to_us(), *command],
            env=dict(env or child_environment()),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._running[name] = process
        threading.Thread(target=self._await, args=(name, process), daemon=True).start()

    def poll(self, timeout_s: float | None = 0.0) -> Ended | None:
        """Return a child that has ended, waiting for one at most so long; None waits for ever.

        Returns early, with None, after `wake`.
        """
        try:
            ended = self._ended.get(block=timeout_s != 0, timeout=timeout_s)
        except Empty:
            return None
        if ended is not None:
            self._running.pop(ended.name, None)
        return ended

    def wake(self) -> None:
        """Let `poll` return; may be called from a signal handler."""
        self._ended.put(None)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """End all children with SIGTERM, the last started first, and after a while with SIGKILL.

        One after the other: who was started last still has everything it was started on. A child
        that hangs delays those before it, so start last what must end at once.
        """
        for process in reversed(self._running.values()):
            process.terminate()
            deadline = time.monotonic() + grace_s
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _await(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self._ended.put(Ended(name, process.wait()))


def _tied_to_us() -> list[str]:
    """Return the start of a command line that ends a child with SIGTERM when we are killed.

    Without it a controller would go on commanding when nobody is left to stop it.
    """
    setpriv = shutil.which('setpriv')
    return [setpriv, '--pdeathsig', 'TERM'] if setpriv else []


def child_environment(profile: Path | None = None) -> dict[str, str]:
    """Return this environment as a child should have it.

    Args:
        profile: Of Fast DDS, for where none is set.

    """
    env = {k: v for k, v in os.environ.items() if k != WHEELS_MARK}
    if profile is not None:
        env |= {variable: str(profile) for variable in unset_profile_variables(env)}
    return env


def unset_profile_variables(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that have to be set for Fast DDS to find a profile; none if it has."""
    if any(v in env for v in PROFILE_VARIABLES):
        return ()
    new, old = PROFILE_VARIABLES
    try:
        major = int(importlib.metadata.version('rclpy').split('.')[0])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return PROFILE_VARIABLES
    return (new,) if major >= FIRST_RCLPY_WITH_FASTDDS_3 else (old,)


def stay_on_this_machine(env: MutableMapping[str, str]) -> str:
    """Keep nodes off the network unless the environment says otherwise; return how far they go.

    A simulated robot has the topics of a real one: on a laboratory's network it would be obeyed.
    """
    return env.setdefault(DISCOVERY_RANGE, LOCALHOST)
