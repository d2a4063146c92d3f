"""What the figures were measured on: without it they cannot be compared with others."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform
from typing import Any

from mmvae_controller import __version__

PACKAGES = ('numpy', 'onnxruntime', 'torch', 'pybullet', 'rclpy', 'ros-rclpy')
CPU_INFO = Path('/proc/cpuinfo')


def machine() -> dict[str, Any]:
    """Return processor, cores, load and versions."""
    return {
        'processor': _processor(),
        'cores': len(os.sched_getaffinity(0)),
        'load_1min': round(os.getloadavg()[0], 2),
        'system': platform.platform(terse=True),
        'python': platform.python_version(),
        'mmvae_controller': __version__,
        **{name: found for name in PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        lines = CPU_INFO.read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ''
