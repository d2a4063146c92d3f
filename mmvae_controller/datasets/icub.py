"""The published iCub data: two MATLAB files in which every row is a two-step window.

Zambelli, Cully, Demiris, "Multimodal representation models for prediction and control from
partial information", Robotics and Autonomous Systems 2020 (arXiv 1910.03854). A file holds one of

    final_database_train  (N, 56)  28 input columns, in which -2 is muted, then 28 target columns;
                                   four blocks of N/4 rows: the same targets, other inputs muted
    final_database_test   (N, 28)  complete rows of one trajectory, in order

Of each modality a file has [t | t-1], every array here [t-1, t]. The rows of the training file
are not in the order of a trajectory, yet two out of three begin exactly where another one ends.
"""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
import io
from pathlib import Path
from typing import Any

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import Batch, Description, LABEL
from mmvae_controller.modality.observation import CURRENT, Mask, pattern_mask, PREVIOUS, STEPS
from mmvae_controller.modality.spec import command_of, Encoder, Modality, Quantity, Role
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

TRAIN, TEST = 'final_database_train', 'final_database_test'
SOURCE = (
    'the published ones are in matlab/database of '
    'https://github.com/ImperialCollegeLondon/Zambelli2019_RAS_multimodal_VAE'
)
MUTED = -2.0
TOUCHED_OR_NOT = (-1.0, 1.0)
# The time between two steps is not published: one step counts as one second.
STEP_S = 1.0
MAX_AGE_S = STEP_S
JOINTS = ('joint0', 'joint1', 'joint2', 'joint3')
PIXELS = ('left.u', 'left.v', 'right.u', 'right.v')
# The authors' test_*.py evaluate a batch of 1000 from row 100 of the test file on.
PUBLISHED_ROWS = slice(100, 1100)
# Held out are some of this many stretches of the trajectory: 5 % each.
STRETCHES = 20
ROWS_NAMED = 5

Rows = NDArray[np.int64]
Values = NDArray[np.float32]


def _vector(name: str, channels: tuple[str, ...], quantity: Quantity | None = None) -> Modality:
    role, shape = Role.COMMAND if quantity else Role.SENSE, (len(channels),)
    return Modality(name, role, Encoder.VECTOR, shape, 'normalised', channels, MAX_AGE_S, quantity)


# In the order of the columns. The command is a velocity: at t-1 it goes with how far each joint
# moves until t (correlation .96 .96 .50 .96), not with where the joint is.
MODALITIES = (
    _vector('joint', JOINTS),
    _vector('vision', PIXELS),
    _vector('touch', ('touch',)),
    _vector('sound', ('pitch',)),
    _vector('motor', JOINTS, Quantity.VELOCITY),
)
WINDOW_COLUMNS = STEPS * sum(m.size for m in MODALITIES)
COLUMNS = {TRAIN: 2 * WINDOW_COLUMNS, TEST: WINDOW_COLUMNS}
BOTH, ONLY_PREVIOUS = (True, True), (True, False)
# What the four blocks of the training file know, in their order.
PATTERNS: Mapping[str, Mask] = {
    'complete': pattern_mask(MODALITIES, {m.name: BOTH for m in MODALITIES}),
    'vision_only': pattern_mask(MODALITIES, {'vision': BOTH}),
    'prediction': pattern_mask(MODALITIES, {m.name: ONLY_PREVIOUS for m in MODALITIES}),
    'control': pattern_mask(MODALITIES, {'joint': ONLY_PREVIOUS, 'vision': BOTH}),
}


class IcubWindows:
    """The complete windows of a published file, each once, as the trainer reads a `Dataset`.

    Args:
        description: Modalities, time step, and which file it was.
        values: By modality, `(N, 2, D)`, normalised by the authors.

    """

    def __init__(self, description: Description, values: Mapping[str, Values]) -> None:
        """Find out which windows continue each other."""
        self.description = description
        self.patterns = PATTERNS
        self._values = values
        states = np.concatenate([values[m.name] for m in self.modalities], axis=2)
        flat = states.reshape(-1, states.shape[2])
        self._states = np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1, STEPS)
        self.known: NDArray[np.bool_] = np.ones((len(states), len(self.modalities)), dtype=bool)
        self.order = trajectory_order(self._states)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self._states)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """In the order of the mask rows."""
        return self.description.modalities

    @property
    def published_rows(self) -> Rows:
        """The rows of the test file on which the authors evaluate."""
        if len(self) < PUBLISHED_ROWS.stop:
            raise DatasetError(
                f'{self.description.provenance["file"]}: {len(self)} windows, the published rows '
                f'end at {PUBLISHED_ROWS.stop}'
            )
        return np.arange(PUBLISHED_ROWS.start, PUBLISHED_ROWS.stop)

    def column(self, name: str, rows: Rows) -> Values:
        """Return the values at t `(B, D)` of one modality, or the labels, for some rows."""
        name = command_of(self.modalities).name if name == LABEL else name
        values: Values = self._values[name][rows, CURRENT]
        return values

    def batch(self, rows: Rows) -> Batch:
        """Return some windows, everything known; the label is the command at t."""
        values = {m.name: self._values[m.name][rows] for m in self.modalities}
        known = np.ones((len(rows), len(self.modalities), STEPS), dtype=bool)
        return Batch(values, known, self.column(LABEL, rows))

    def chains(self, length: int) -> Rows:
        """Return rows `(K, length)` in which each window begins where the one before it ended."""
        ends = self._states[self.order, CURRENT]
        begins = self._states[self.order, PREVIOUS]
        follows = np.concatenate([[False], ends[:-1] == begins[1:]])
        gaps = np.concatenate([[0], np.cumsum(~follows)])
        firsts = np.arange(max(len(self) - length + 1, 0))
        # As many gaps up to the last window of a chain as up to its first: none in between.
        whole = gaps[firsts + length] == gaps[firsts + 1]
        chains: Rows = self.order[firsts[whole][:, None] + np.arange(length)]
        return chains

    def split(self, held_out: float, seed: int) -> tuple[Rows, Rows]:
        """Return the rows to train on and to validate on: whole stretches of the trajectory.

        Left out of both is what follows or precedes a stretch, and all else that shares a time
        step with one: half of such a window has been seen.
        """
        stretch = np.empty(len(self), dtype=np.int64)
        stretches = min(STRETCHES, len(self))
        stretch[self.order] = np.arange(len(self)) * stretches // len(self)
        count = max(round(stretches * held_out), int(held_out > 0))
        chosen = np.random.default_rng(seed).permutation(stretches)[:count]
        held = np.isin(stretch, chosen)
        near = np.asarray(np.any(np.isin(self._states, self._states[held]), axis=1))
        in_order = held[self.order]
        near[self.order[:-1][in_order[1:]]] = True
        near[self.order[1:][in_order[:-1]]] = True
        return np.flatnonzero(~held & ~near), np.flatnonzero(held)


def read_icub(path: Path) -> IcubWindows:
    """Read one of the two published files, whatever its name.

    Raises:
        DatasetError: It is neither of them, or some rows are not what was published.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        problem = f'no such file; {SOURCE}' if missing else f'cannot be read: {error.strerror}'
        raise DatasetError(f'{path}: {problem}') from error
    try:
        found = loadmat(io.BytesIO(content))
    except Exception as error:  # Damaged files make SciPy raise almost anything.
        raise DatasetError(f'{path}: cannot be read as a MATLAB file: {error}') from error
    names = sorted(n for n in found if not n.startswith('__'))
    variable = next((n for n in COLUMNS if n in names), None)
    if variable is None:
        raise DatasetError(f'{path}: has variables {names}, expected {TRAIN} or {TEST}')
    where = f'{path}: {variable}'
    rows = _checked(found[variable], COLUMNS[variable], where)
    if variable == TRAIN:
        rows = _training_windows(rows, where)
    _require(np.all(rows != MUTED, axis=1), where, f'{MUTED:g} (muted) in a complete window')
    values = _values(rows)
    touched = np.isin(values['touch'], TOUCHED_OR_NOT)
    _require(np.all(touched, axis=(1, 2)), where, f'a touch that is none of {TOUCHED_OR_NOT}')
    provenance = {
        'from': 'iCub data of Zambelli, Cully, Demiris 2020, arXiv 1910.03854',
        'file': path.name,
        'variable': variable,
        'sha256': hashlib.sha256(content).hexdigest(),
        'time': 'the time between steps is not published; one step counts as one second',
    }
    return IcubWindows(Description(MODALITIES, STEP_S, STEP_S, provenance), values)


def trajectory_order(states: NDArray[np.intp]) -> Rows:
    """Return all rows so that each window, where there is one, follows the one it continues.

    Args:
        states: `(N, 2)` number of what a window holds at t-1 and at t.

    """
    begins: dict[int, list[int]] = {}
    for row, state in enumerate(states[:, PREVIOUS].tolist()):
        begins.setdefault(state, []).append(row)
    firsts = np.flatnonzero(~np.isin(states[:, PREVIOUS], states[:, CURRENT]))
    order: dict[int, None] = {}
    # After those that continue none, all: windows may run in a circle.
    for row in [*firsts.tolist(), *range(len(states))]:
        while row not in order:
            order[row] = None
            after = begins.get(int(states[row, CURRENT]), [])
            row = next((r for r in after if r not in order), row)
    return np.array(list(order), dtype=np.int64)


def _checked(array: Any, columns: int, where: str) -> Values:
    """Return a variable as float32 once it is a table of finite numbers."""
    shape, kind = getattr(array, 'shape', None), getattr(array, 'dtype', None)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in 'fiu':
        raise DatasetError(f'{where}: is {type(array).__name__} of {kind}, expected real numbers')
    if array.ndim == 2 and len(array) == 0:
        raise DatasetError(f'{where}: has no rows')
    if array.ndim != 2 or array.shape[1] != columns:
        raise DatasetError(f'{where}: shape {shape}, expected rows of {columns} columns')
    with np.errstate(over='ignore'):
        rows = array.astype(np.float32)
    _require(np.all(np.isfinite(rows), axis=1), where, 'a value that is not finite')
    return rows


def _training_windows(rows: Values, where: str) -> Values:
    """Return the N/4 targets once the inputs are what was published: them, partly muted."""
    if len(rows) % len(PATTERNS):
        raise DatasetError(f'{where}: {len(rows)} rows, expected {len(PATTERNS)} equal blocks')
    count = len(rows) // len(PATTERNS)
    inputs, targets = rows[:, :WINDOW_COLUMNS], rows[:, WINDOW_COLUMNS:]
    repeated = np.tile(targets[:count], (len(PATTERNS), 1))
    _require(np.all(targets == repeated, axis=1), where, 'another target than in the first block')
    known = np.repeat([_file_columns(pattern) for pattern in PATTERNS.values()], count, axis=0)
    fits = np.all((inputs != MUTED) == known, axis=1)
    for block, name in enumerate(PATTERNS):
        here = np.arange(len(rows)) // count == block
        _require(fits | ~here, where, f'other columns muted than in the pattern {name!r}')
    agrees = np.all(inputs == np.where(known, targets, MUTED), axis=1)
    _require(agrees, where, 'an input that is not its target')
    return repeated[:count]


def _file_columns(pattern: Mask) -> NDArray[np.bool_]:
    """Return which of the 28 columns of a file a mask `(M, 2)` knows."""
    sizes = [m.size for m in MODALITIES for _ in range(STEPS)]
    return np.repeat(pattern[:, ::-1].ravel(), sizes)


def _values(rows: Values) -> dict[str, Values]:
    """Return complete rows `(N, 28)` of a file by modality, `(N, 2, D)`."""
    ends = np.cumsum([STEPS * m.size for m in MODALITIES])[:-1]
    parts = zip(MODALITIES, np.split(rows, ends, axis=1), strict=True)
    return {m.name: part.reshape(-1, STEPS, m.size)[:, ::-1].copy() for m, part in parts}


def _require(good: NDArray[np.bool_] | np.bool_, where: str, problem: str) -> None:
    """Refuse what is wrong in some rows, naming the first of them, counted from 0."""
    bad = np.flatnonzero(~good).tolist()
    if bad:
        named = ', '.join(map(str, bad[:ROWS_NAMED]))
        more = f' and {len(bad) - ROWS_NAMED} more' if len(bad) > ROWS_NAMED else ''
        raise DatasetError(f'{where}: {problem}, in row {named}{more}')
