"""`mmvae doctor`: is the installation sound? Needs no robot, and no package but Python's own.

Where not even `mmvae` starts: `python -m mmvae_controller.cli.doctor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
import sys

from mmvae_controller.cli.doctor_machine import judge_machine
from mmvae_controller.cli.doctor_package import judge_models, judge_package
from mmvae_controller.cli.doctor_packages import judge_packages
from mmvae_controller.cli.doctor_ros import judge_ros
from mmvae_controller.cli.findings import exit_code, Finding, Level, show

EXAMINED: dict[str, Callable[[], Iterable[Finding]]] = {
    'packages': judge_packages,
    'mmvae_controller': judge_package,
    'ROS 2': judge_ros,
    'machine': judge_machine,
    'models': judge_models,
}


def examine(parts: dict[str, Callable[[], Iterable[Finding]]] | None = None) -> list[Finding]:
    """Return all findings; one part that breaks does not keep the others from being told."""
    findings: list[Finding] = []
    for name, part in (parts or EXAMINED).items():
        try:
            findings += part()
        # Whatever a broken package raises is what we are here to tell; some want to leave.
        except (Exception, SystemExit) as error:
            findings.append(
                Finding(name, 'check', Level.MISSING, f'{type(error).__name__}: {error}')
            )
    return findings


def run() -> int:
    """Tell what is broken; return 0 if nothing needed is, else 1."""
    findings = examine()
    missing = sum(f.level is Level.MISSING for f in findings)
    told = '1 thing is missing.' if missing == 1 else f'{missing} things are missing.'
    said = told if missing else 'All that a robot needs is here.'
    show(findings, f'mmvae doctor, {sys.executable}', said)
    return exit_code(findings)


if __name__ == '__main__':
    raise SystemExit(run())
