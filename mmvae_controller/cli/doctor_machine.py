"""What the machine permits: shared memory, letters, real-time priority."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import resource
import sys
import time

from mmvae_controller.cli.findings import Finding, Level
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.nodes.priority import HINT

SHARED_MEMORY = Path('/dev/shm')
MIB = 2**20
# config/fastdds.xml wants 16 MiB for each node: room for three of ours and a camera driver. A
# container gets just that, 64 MiB, unless told otherwise.
ENOUGH_MIB = 64
# In which Fast DDS of Jazzy, and of Kilted, hears others on this machine; it is empty while made.
PORTS = ('fastrtps_port*[0-9]', 'fastdds_port*[0-9]')
MAKING_S = 5.0
CAP_SYS_NICE = 23
STATUS = Path('/proc/self/status')


def judge_machine() -> Iterator[Finding]:
    """Say of each what it is."""
    yield judge_shared_memory(SHARED_MEMORY)
    yield from judge_ports(SHARED_MEMORY, time.time())
    yield judge_encoding(sys.getfilesystemencoding())
    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    status = STATUS.read_text(encoding='ascii', errors='replace') if STATUS.is_file() else ''
    yield judge_priority(limit, may_set_priority(status))


def judge_shared_memory(place: Path) -> Finding:
    """Say whether pictures can go through shared memory."""
    if not place.is_dir():
        return Finding(
            str(place),
            'memory',
            Level.NOTE,
            'is not there: pictures go through the network stack, slower',
            'in a container: --ipc=host, or --shm-size=512m',
        )
    found = os.statvfs(place)
    free_mib = found.f_bavail * found.f_frsize / MIB
    if free_mib < ENOUGH_MIB:
        return Finding(
            str(place),
            'memory',
            Level.NOTE,
            f'{free_mib:.0f} MiB free, expected at least {ENOUGH_MIB}',
            'in a container: --shm-size=512m; else remove what dead nodes left: '
            'rm /dev/shm/fastrtps_* while no node runs',
        )
    return Finding(str(place), 'memory', Level.OK, f'{free_mib:.0f} MiB free')


def judge_ports(place: Path, now_s: float) -> Iterator[Finding]:
    """Say which ports a node that was killed left half made: who opens one waits for ever."""
    for path in sorted(file for pattern in PORTS for file in place.glob(pattern)):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        if not found.st_size and now_s - found.st_mtime > MAKING_S:
            yield Finding(
                str(path),
                'memory',
                Level.MISSING,
                'was left half made by a node that was killed: others hang as they start',
                explained_by(Help.NODE_HANGS, f'rm {path} while no node runs'),
            )


def judge_encoding(encoding: str) -> Finding:
    """Say whether names of files and joints can have any letter."""
    if encoding.lower().replace('-', '') == 'utf8':
        return Finding('locale', 'encoding', Level.OK, encoding)
    return Finding(
        'locale',
        'encoding',
        Level.NOTE,
        f'{encoding}, expected UTF-8: paths and tables with other letters fail',
        'export LANG=C.UTF-8',
    )


def judge_priority(limit: int, capable: bool) -> Finding:
    """Say whether the controller's `priority` has an effect.

    Args:
        limit: RLIMIT_RTPRIO; -1 is none.
        capable: Whether the process may do it whatever the limit is.

    """
    if capable or limit == resource.RLIM_INFINITY or limit > 0:
        return Finding('SCHED_FIFO', 'permission', Level.OK, 'permitted')
    return Finding(
        'SCHED_FIFO',
        'permission',
        Level.NOTE,
        'not permitted: `priority` of the controller has no effect',
        HINT,
    )


def may_set_priority(status: str) -> bool:
    """Tell whether the text of /proc/self/status has the capability CAP_SYS_NICE."""
    for line in status.splitlines():
        if line.startswith('CapEff:'):
            return bool(int(line.split()[1], 16) >> CAP_SYS_NICE & 1)
    return False
