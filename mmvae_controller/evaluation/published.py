"""Published errors on the iCub data, to be shown beside a model's own.

Zambelli, Cully, Demiris, "Multimodal representation models for prediction and control from partial
information", Robotics and Autonomous Systems 2020 (arXiv 1910.03854), from the results in the
authors' repository ImperialCollegeLondon/Zambelli2019_RAS_multimodal_VAE: the median over their
trained models of the mean squared error over rows 100 to 1099 of the published test file, both
time steps together, in the normalised unit of the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.evaluation.windows import Rows, Windows
import numpy as np

PAPER = 'arXiv 1910.03854'
# As `datasets.icub` names them; it is not imported for them because it needs SciPy.
TEST_VARIABLE, TEST_ROWS = 'final_database_test', np.arange(100, 1100)
# How many windows that file holds: other data may be saved under its variable.
TEST_WINDOWS = 1487
NOTE = (
    'publ.: median of Zambelli et al. 2020 (arXiv 1910.03854) on rows 100:1100 of the published '
    'test file'
)
MODALITIES = ('joint', 'vision', 'touch', 'sound', 'motor')
MEDIANS = {
    'complete': (0.0185, 0.0019, 0.0941, 0.1341, 0.0516),
    'vision_only': (0.0556, 0.0018, 0.3769, 0.1579, 0.0930),
    'control': (0.0188, 0.0018, 0.3799, 0.1535, 0.0686),
    'prediction': (0.0186, 0.0027, 0.1685, 0.1360, 0.0520),
}


def published_errors(windows: Windows) -> Mapping[str, Mapping[str, float]]:
    """Return MSE by pattern and modality; nothing for other data than theirs."""
    if PAPER not in str(windows.description.provenance.get('from', '')):
        return {}
    return {
        pattern: dict(zip(MODALITIES, medians, strict=True))
        for pattern, medians in MEDIANS.items()
    }


def is_published(windows: Windows, rows: Rows) -> bool:
    """Return whether some rows are those that the published errors are of."""
    variable = windows.description.provenance.get('variable')
    known = variable == TEST_VARIABLE and len(windows) == TEST_WINDOWS
    return known and np.array_equal(rows, TEST_ROWS)


def published_note(same_rows: bool) -> str:
    """Return what the published errors are of, and whether the rows judged are the same."""
    return (
        f'{NOTE}, the rows judged here.' if same_rows else f'{NOTE}; judged here are other rows.'
    )
