"""What a shell offers when Tab is pressed: names that come with the package; else files."""

from __future__ import annotations


def robots(incomplete: str) -> list[str]:
    """Return the shipped robots that begin so."""
    from mmvae_controller.modality.shared_files import shipped_robots

    return [name for name in shipped_robots() if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Return the shipped models that begin so."""
    from mmvae_controller.modality.shared_files import shipped_models

    return [folder.name for folder in shipped_models() if folder.name.startswith(incomplete)]


def sections(incomplete: str) -> list[str]:
    """Return the sections of the page on troubleshooting that begin so."""
    from mmvae_controller.guidance.help import Help

    return [name.value for name in Help if name.startswith(incomplete)]


def tasks(incomplete: str) -> list[str]:
    """Return the tasks that begin so."""
    from mmvae_controller.simulation.tasks.names import TASK_NAMES

    return [name for name in TASK_NAMES if name.startswith(incomplete)]
