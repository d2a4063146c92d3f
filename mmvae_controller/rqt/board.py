"""What is shown of one robot, and what is stale: no Qt, no ROS, and told the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
import math
from typing import Generic, TypeVar

from mmvae_controller.nodes.reporting.staleness import Rhythm, TOLD_STALE_S, worst
from mmvae_controller.nodes.reporting.status import HOLDING, Level
from mmvae_controller.nodes.watch.senses import NO_INPUT, State, STEERING_KEY
from mmvae_controller.nodes.wire.topic_names import ALONE, IMAGINED, SEEN, WITHOUT
from mmvae_controller.rqt.contents import (
    Matrix,
    Picture,
    read_matrix,
    read_picture,
    Told,
)
from mmvae_controller.rqt.errors import ContentError
from mmvae_controller.rqt.view import MatrixView, PictureView, SenseView, View
from mmvae_controller.rqt.words import ago, nats_text

T = TypeVar('T')
SENSE = 'diagnostics: sense '
MODEL = 'diagnostics: model'
# What is said of the whole robot, the part that explains the others first.
PARTS = ('controller: loop', 'controller: gate', MODEL)


@dataclass(frozen=True, slots=True)
class _Came(Generic[T]):
    value: T | None
    trouble: str
    now_s: float


class Board:
    """Collects what comes from one namespace; `view` decides what of it may be shown."""

    def __init__(self, namespace: str) -> None:
        """Start empty; the namespace is as in topic names, `/` or `/robot1`."""
        self.namespace = namespace
        self._prefix = f'{namespace.strip("/")}/' if namespace.strip('/') else ''
        self._matrices: dict[str, _Came[Matrix]] = {}
        self._pictures: dict[tuple[str, str], _Came[Picture]] = {}
        self._told: dict[str, tuple[Told, float]] = {}
        self._rhythms: dict[object, Rhythm] = defaultdict(Rhythm)

    def matrix_came(
        self, kind: str, now_s: float, labels: Sequence[str], sizes: Sequence[int],
        data: Sequence[float], offset: int = 0,
    ) -> None:  # fmt: skip
        """Take a matrix `without` or `alone`; see `read_matrix`."""
        self._rhythms[kind].came(now_s)
        self._matrices[kind] = _read(lambda: read_matrix(labels, sizes, data, offset), now_s)

    def picture_came(
        self, kind: str, modality: str, now_s: float, encoding: str, height: int, width: int,
        step: int, data: object,
    ) -> None:  # fmt: skip
        """Take a picture as it is `seen` or `imagined`; see `read_picture`."""
        self._rhythms[kind, modality].came(now_s)
        self._pictures[kind, modality] = _read(
            lambda: read_picture(encoding, height, width, step, data), now_s
        )

    def told(self, now_s: float, statuses: Iterable[Told]) -> None:
        """Take statuses; those of other robots are left out."""
        for status in statuses:
            if status.name.startswith(self._prefix):
                self._told[status.name.removeprefix(self._prefix)] = (status, now_s)

    def view(self, now_s: float) -> View:
        """Return what may be shown now."""
        matrices = {kind: self._matrix(kind, now_s) for kind in (WITHOUT, ALONE)}
        senses = tuple(self._senses(now_s))
        names = sorted({modality for _, modality in self._pictures})
        pictures = {
            name: (self._picture(SEEN, name, now_s), self._picture(IMAGINED, name, now_s))
            for name in names
        }
        level, headline = self._headline(now_s, matrices[WITHOUT], senses, pictures)
        return View(level, headline, matrices, senses, pictures)

    def _matrix(self, kind: str, now_s: float) -> MatrixView:
        came = self._matrices.get(kind)
        if came is None:
            return MatrixView(None, False, 'nothing came yet', '')
        if came.value is None:
            return MatrixView(None, False, came.trouble, '')
        command = self._command(came.value.columns)
        if self._is_stale(kind, came.now_s, now_s):
            note = f'STALE, {ago(now_s - came.now_s)}'
            return MatrixView(replace(came.value, nats=()), False, note, command)
        return MatrixView(self._without_the_missing(came.value), True, '', command)

    def _is_stale(self, key: object, came_s: float, now_s: float) -> bool:
        """Tell whether it is old; what its node says of itself since it came counts at once."""
        model, told_s = self._told.get(MODEL, (None, 0.0))
        said_stale = model is not None and model.level is Level.STALE and told_s >= came_s
        return said_stale or self._rhythms[key].is_stale(now_s)

    def _without_the_missing(self, matrix: Matrix) -> Matrix:
        """Blank the rows of what is missing already: their zeros would read as unimportant."""
        blank = (math.nan,) * len(matrix.columns)
        rows = zip(matrix.rows, matrix.nats, strict=True)
        return replace(matrix, nats=tuple(blank if self._missing(n) else row for n, row in rows))

    def _missing(self, modality: str) -> bool:
        status, _ = self._told.get(f'{SENSE}{modality}', (None, 0.0))
        return status is not None and status.values.get('state') == State.MASKED

    def _command(self, modalities: Sequence[str]) -> str:
        """Return the one that no topic brings in: the controller makes it."""
        for name in modalities:
            status, _ = self._told.get(f'{SENSE}{name}', (None, 0.0))
            if status is not None and status.values.get('health') == NO_INPUT:
                return name
        return ''

    def _senses(self, now_s: float) -> Iterable[SenseView]:
        for name, (status, told_s) in self._told.items():
            if not name.startswith(SENSE):
                continue
            if now_s - told_s > TOLD_STALE_S or status.level is Level.STALE:
                why = status.message if status.level is Level.STALE else 'nothing is told any more'
                note = f'{why}; {ago(now_s - told_s)}' if now_s - told_s > TOLD_STALE_S else why
                yield SenseView(name.removeprefix(SENSE), Level.STALE, 'STALE', note, None)
                continue
            state = status.values.get('state', 'state not told')
            age_s = status.number('age_s')
            state += f', {age_s:.2f} s old' if age_s is not None else ''
            modality = name.removeprefix(SENSE)
            nats = None if self._missing(modality) else status.number(STEERING_KEY)
            yield SenseView(modality, status.level, state, status.message, nats)

    def _picture(self, kind: str, modality: str, now_s: float) -> PictureView:
        came = self._pictures.get((kind, modality))
        if came is None:
            return PictureView(None, 'nothing came yet')
        if came.value is None:
            return PictureView(None, came.trouble)
        if self._is_stale((kind, modality), came.now_s, now_s):
            return PictureView(None, f'STALE, {ago(now_s - came.now_s)}')
        if kind == SEEN and came.value.black:
            return PictureView(came.value, self._why_black(modality))
        return PictureView(came.value, '')

    def _why_black(self, modality: str) -> str:
        status, _ = self._told.get(f'{SENSE}{modality}', (None, 0.0))
        if status is None:
            return 'black: covered or masked'
        if status.values.get('state') == State.KNOWN:
            return 'black: covered or dark?'
        return 'masked: it sees nothing'

    def _headline(
        self,
        now_s: float,
        without: MatrixView,
        senses: Sequence[SenseView],
        pictures: dict[str, tuple[PictureView, PictureView]],
    ) -> tuple[Level, str]:
        parts = self._troubled_parts(now_s)
        steering = sorted(((s.nats, s.name) for s in senses if s.nats is not None), reverse=True)
        words = [f'{name} ({nats_text(nats)} nats)' for nats, name in steering[:2]]
        unknown = self._why_unknown(without, words)
        if unknown:
            level = Level.ERROR if Level.ERROR in [p.level for p in parts] else Level.STALE
            return level, '\n'.join([*map(_sentence, parts), unknown])
        # The model spoke of the time before the matrix that is shown.
        parts = [p for p in parts if p.level is not Level.STALE]
        troubles = [f'{s.name}: {s.message}' for s in senses if s.level is not Level.OK]
        troubles += map(_sentence, parts)
        blacks = {n for n, (seen, _) in pictures.items() if seen.picture is not None and seen.note}
        troubles += [
            f'{s.name} is black' for s in senses if s.level is Level.OK and s.name in blacks
        ]
        level = worst([*(s.level for s in senses), *(p.level for p in parts)])
        if level is Level.OK and troubles:
            level = Level.WARN
        # While the gate holds nobody asks the model for a command.
        leans = 'would lean' if any(p.message.startswith(HOLDING) for p in parts) else 'leans'
        return level, '\n'.join([*troubles, f'The command {leans} on {", then ".join(words)}'])

    def _why_unknown(self, without: MatrixView, steering: Sequence[str]) -> str:
        if without.matrix is None:
            return f'{self.namespace}: importance/matrix: {without.note}'
        if not without.live:
            return f'{without.note}: what steers the robot now is not known'
        if not steering:
            return f'No importance of the command on /diagnostics of {self.namespace}'
        return ''

    def _troubled_parts(self, now_s: float) -> list[Told]:
        told = [self._told[part] for part in PARTS if part in self._told]
        fresh = [status for status, told_s in told if now_s - told_s <= TOLD_STALE_S]
        return [status for status in fresh if status.level is not Level.OK]


def _sentence(part: Told) -> str:
    return f'{part.name.rpartition(": ")[2]}: {part.message}'


def _read(read: Callable[[], T], now_s: float) -> _Came[T]:
    try:
        return _Came(read(), '', now_s)
    except ContentError as error:
        return _Came(None, str(error), now_s)
