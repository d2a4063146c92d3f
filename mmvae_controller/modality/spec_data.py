"""A modality as it stands in the files we write: model.yaml and dataset.yaml."""

from __future__ import annotations

from typing import Any

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder, Modality, Quantity, Role


def modality_data(modality: Modality) -> dict[str, Any]:
    """Return what to write."""
    data: dict[str, Any] = {
        'role': modality.role.value,
        'encoder': modality.encoder.value,
        'shape': list(modality.shape),
        'unit': modality.unit,
        'channels': list(modality.channels),
        'max_age_s': modality.max_age_s,
    }
    if modality.quantity is not None:
        data['quantity'] = modality.quantity.value
    return data


def read_modality(name: str, section: Section) -> Modality:
    """Return what was written.

    Raises:
        ModalityError: A field is missing or wrong.

    """
    fields: dict[str, Any] = {
        'role': section.choice('role', Role),
        'encoder': section.choice('encoder', Encoder),
        'shape': section.shape('shape'),
        'unit': section.text('unit'),
        'channels': section.texts('channels', ()),
        'max_age_s': section.number('max_age_s'),
        'quantity': section.choice('quantity', Quantity) if section.has('quantity') else None,
    }
    try:
        return Modality(name=name, **fields)
    except ModalityError as error:
        raise ModalityError(f'{section.where}: {error}') from error
