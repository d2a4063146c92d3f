"""What `mmvae train` is given, read before PyTorch is loaded: that can take half a minute."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
import math

from mmvae_controller.cli.errors import CliError
from mmvae_controller.datasets.opening import open_windows
from mmvae_controller.modality.shared_files import find_config
from mmvae_controller.training.config import load_training_config, TrainingConfig
from mmvae_controller.training.windows import Windows


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says instead of the YAML; None leaves it as it is."""

    epochs: int | None = None
    seed: int | None = None
    held_out: float | None = None
    split_seed: int | None = None

    def __post_init__(self) -> None:
        """Refuse what typer's range lets through: NaN is neither too small nor too large."""
        if self.held_out is not None and math.isnan(self.held_out):
            raise CliError('--held-out is nan, expected a share')

    def apply(self, config: TrainingConfig) -> TrainingConfig:
        """Return the configuration of this run."""
        return replace(config, **{k: v for k, v in asdict(self).items() if v is not None})


def read(dataset: str, config: str, overrides: Overrides) -> tuple[Windows, TrainingConfig]:
    """Return the data, of which little is read, and how to train on it.

    Raises:
        DatasetError, ModalityError, TrainingError, VaeError: Either cannot be read, or is wrong.

    """
    data = open_windows(dataset)
    return data, overrides.apply(load_training_config(find_config(config), data.modalities))
