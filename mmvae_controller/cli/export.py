"""`mmvae export`."""

from __future__ import annotations

from mmvae_controller.cli.progress import working
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.shared_files import find_model
from mmvae_controller.vae.checkpoint import export_again


def run(model: str) -> None:
    """Export a model from its weights, and say what that means for what was measured of it."""
    folder = find_model(model)
    with working('exporting'):
        changed = export_again(folder)
    if changed:
        print(
            f'{folder}: {NETWORK_FILE} is another one now: what was measured of the old one is '
            'void, so run `mmvae calibrate` if it was calibrated'
        )
    else:
        print(f'{folder}: wrote what a robot runs; {NETWORK_FILE} computes the same and stays')
