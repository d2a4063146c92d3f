"""Is ROS 2 there, which one, and how far do its nodes talk?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import os
from pathlib import Path
import xml.etree.ElementTree as ElementTree

from mmvae_controller.cli.doctor_packages import is_there
from mmvae_controller.cli.doctor_start import judge_start, start
from mmvae_controller.cli.findings import Finding, Level
from mmvae_controller.modality.shared_files import find_config
from mmvae_controller.nodes.processes import (
    LAST_DOMAIN,
    PROFILE_VARIABLES,
    unset_profile_variables,
)

# Those of package.xml.
MESSAGES = (
    'builtin_interfaces',
    'diagnostic_msgs',
    'geometry_msgs',
    'lifecycle_msgs',
    'rcl_interfaces',
    'rosgraph_msgs',
    'sensor_msgs',
    'std_msgs',
    'std_srvs',
    'trajectory_msgs',
)
FAST_DDS, PROFILE = 'fastrtps', 'fastdds.xml'
LAUNCH = ('launch', 'launch_ros')
# Above, ports of participants collide with those that Linux hands out.
SAFE_DOMAINS = 101
RANGES = ('SUBNET', 'LOCALHOST', 'OFF', 'SYSTEM_DEFAULT')


def judge_ros() -> Iterator[Finding]:
    """Say of rclpy, messages, launch files and the environment what is there."""
    distro = os.environ.get('ROS_DISTRO', '')
    started = start()
    yield from judge_start(started, distro)
    yield _messages(distro)
    absent = [name for name in LAUNCH if not is_there(name)]
    if absent:
        yield Finding(
            'launch files',
            'package',
            Level.NOTE,
            f'{", ".join(absent)} not installed: `ros2 launch` does not work',
            f'use `mmvae up`, or sudo apt install ros-{distro or "<distro>"}-launch-ros',
        )
    else:
        yield Finding('launch files', 'package', Level.OK, ', '.join(LAUNCH))
    if FAST_DDS in started.middleware:
        yield judge_profile(os.environ, unset_profile_variables({}), find_config(PROFILE))
    yield judge_domain(os.environ)
    yield judge_range(os.environ)


def judge_domain(env: Mapping[str, str]) -> Finding:
    """Say whether ROS_DOMAIN_ID can be one."""
    value = env.get('ROS_DOMAIN_ID', '')
    if not value:
        return Finding('ROS_DOMAIN_ID', 'value', Level.OK, 'not set: 0')
    number = int(value) if value.isascii() and value.isdigit() else -1
    if not 0 <= number <= LAST_DOMAIN:
        return Finding(
            'ROS_DOMAIN_ID',
            'value',
            Level.MISSING,
            f'{value!r}, expected 0 to {LAST_DOMAIN}',
            'export ROS_DOMAIN_ID=0, or that of the robot',
        )
    if number > SAFE_DOMAINS:
        return Finding(
            'ROS_DOMAIN_ID',
            'value',
            Level.NOTE,
            f'{number}: its ports may be taken by others on Linux',
            f'choose 0 to {SAFE_DOMAINS}, on every machine',
        )
    return Finding('ROS_DOMAIN_ID', 'value', Level.OK, f'{number}; the robot must have it too')


def judge_range(env: Mapping[str, str]) -> Finding:
    """Say how far nodes are discovered."""
    name = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
    if env.get('ROS_LOCALHOST_ONLY', '0') not in ('', '0'):
        return Finding(
            'ROS_LOCALHOST_ONLY',
            'value',
            Level.NOTE,
            'set: no other machine is heard, and it is deprecated',
            f'unset ROS_LOCALHOST_ONLY; export {name}=SUBNET to hear a robot',
        )
    value = env.get(name, '') or RANGES[0]
    if value not in RANGES:
        return Finding(
            name,
            'value',
            Level.MISSING,
            f'{value!r}, expected one of {", ".join(RANGES)}',
            f'export {name}=SUBNET',
        )
    if value in ('LOCALHOST', 'OFF'):
        return Finding(
            name,
            'value',
            Level.NOTE,
            f'{value}: nodes of other machines are not heard',
            f'export {name}=SUBNET where the robot is another machine',
        )
    return Finding(name, 'value', Level.OK, value)


def judge_profile(env: Mapping[str, str], wanted: Sequence[str], profile: Path) -> Finding:
    """Say which profile Fast DDS has.

    Args:
        env: The environment.
        wanted: The variables that this Fast DDS reads.
        profile: Ours.

    """
    files = {v: env[v] for v in PROFILE_VARIABLES if env.get(v)}
    exports = '; '.join(f'export {variable}={profile}' for variable in wanted)
    lost = [f'{v}={path}' for v, path in files.items() if not Path(path).is_file()]
    if lost:
        return Finding(
            'DDS profile',
            'file',
            Level.MISSING,
            f'{", ".join(lost)} is no file',
            'correct the path, or unset it: `mmvae up` sets config/fastdds.xml',
        )
    for variable, path in files.items():
        try:
            ElementTree.parse(path)
        except (ElementTree.ParseError, OSError) as error:
            return Finding(
                'DDS profile',
                'file',
                Level.MISSING,
                f'{variable}={path} cannot be read, and Fast DDS goes on without: {error}',
                'correct the file, or unset it: `mmvae up` sets config/fastdds.xml',
            )
    told = ', '.join(f'{v}={path}' for v, path in files.items())
    if files and not set(files) & set(wanted):
        return Finding(
            'DDS profile', 'file', Level.NOTE, f'{told}: this Fast DDS does not read that', exports
        )
    if files:
        return Finding('DDS profile', 'file', Level.OK, told)
    return Finding(
        'DDS profile',
        'file',
        Level.NOTE,
        'none is set: `mmvae up` and the launch files load config/fastdds.xml, others do not',
        f'for a camera driver with large pictures: {exports}',
    )


def _messages(distro: str) -> Finding:
    absent = [name for name in MESSAGES if not is_there(name)]
    if not absent:
        return Finding('messages', 'package', Level.OK, f'all {len(MESSAGES)} packages')
    names = ' '.join(f'ros-{distro or "<distro>"}-{n.replace("_", "-")}' for n in absent)
    return Finding(
        'messages',
        'package',
        Level.MISSING,
        f'{", ".join(absent)} not installed; needed by all nodes',
        f'sudo apt install {names}, or in a checkout `make setup`',
    )
