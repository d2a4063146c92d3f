"""Writes a data set aside, row by row, and puts it in place when it is complete."""

from __future__ import annotations

from pathlib import Path
import shutil
from types import TracebackType

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import Description, write_description, write_shard
from mmvae_controller.recordings.alone import Alone
from mmvae_controller.recordings.rows import Row, stacked

# Of the rows that are held in memory, and of a shard.
SHARD_BYTES = 32 * 2**20


class Aside:
    """A data set that is there when it is finished, and until then not at all."""

    def __init__(self, place: Path) -> None:
        """Begin one; what a killed import left aside is removed.

        Raises:
            DatasetError: There is something already, another run writes there, or the folder
                cannot be written.

        """
        # Where a link leads: beside the link itself it could be another disk.
        self._place = place = place.resolve()
        self._aside = place.with_name(f'.{place.name or "data"}.part')
        self._rows: list[Row] = []
        self._bytes = self._shards = 0
        try:
            _require_free(place)
            if place.is_mount():
                raise DatasetError(f'{place}: is where a disk is mounted; name a folder in it')
            place.parent.mkdir(parents=True, exist_ok=True)
            self._alone = Alone(place)
        except OSError as error:
            raise DatasetError(f'{place}: cannot be written: {error.strerror}') from error
        try:
            self._begin()
        except BaseException:
            self._alone.leave()
            raise

    def __enter__(self) -> Aside:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave nothing behind of one that was not finished."""
        shutil.rmtree(self._aside, ignore_errors=True)
        self._alone.leave()

    @property
    def folder(self) -> Path:
        """Where it is until it is finished, for who writes shards of his own."""
        return self._aside

    def add(self, row: Row) -> None:
        """Take a row.

        Raises:
            DatasetError: The disk is full or the folder cannot be written.

        """
        self._rows.append(row)
        self._bytes += sum(value.nbytes for value in row.values())
        if self._bytes >= SHARD_BYTES:
            self._flush()

    def finish(self, description: Description) -> None:
        """Write the rest and the description, and put all of it in place.

        Raises:
            DatasetError: The disk is full or the folder cannot be written.

        """
        self._flush()
        write_description(self._aside, description)
        try:
            if self._place.exists():
                self._place.rmdir()
            self._aside.rename(self._place)
        except OSError as error:
            raise DatasetError(f'{self._place}: cannot be written: {error.strerror}') from error

    def _begin(self) -> None:
        try:
            # One that has finished since may have put its own there.
            _require_free(self._place)
            shutil.rmtree(self._aside, ignore_errors=True)
            self._aside.mkdir()
        except OSError as error:
            raise DatasetError(f'{self._place}: cannot be written: {error.strerror}') from error

    def _flush(self) -> None:
        if self._rows:
            write_shard(self._aside, self._shards, stacked(self._rows))
            self._shards += 1
            self._rows, self._bytes = [], 0


def _require_free(place: Path) -> None:
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise DatasetError(f'{place}: is there already; name another with --out')
