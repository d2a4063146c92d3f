"""Reads YAML mappings with errors that name the file, the field, what was found and expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
import math
from pathlib import Path
import re
from typing import Any, TypeVar

from mmvae_controller.modality.errors import ModalityError
import yaml

E = TypeVar('E', bound=StrEnum)
# YAML 1.1 wants a point before the exponent and a sign in it.
EXPONENT = re.compile(r'(?P<whole>[+-]?\d+)(?P<fraction>\.\d*)?[eE](?P<exponent>[+-]?\d+)')


class Section:
    """One mapping of a configuration file; every key must be read or it is reported as unknown."""

    def __init__(self, data: Any, where: str) -> None:
        """Wrap a mapping found at `where`, e.g. `robot.yaml: modalities.camera`."""
        if not isinstance(data, Mapping):
            raise ModalityError(
                f'{where}: expected a mapping, found {type(data).__name__} {data!r}'
            )
        self.data: Mapping[Any, Any] = data
        self.where = where
        self._read: set[str] = set()

    def has(self, key: str) -> bool:
        """Tell whether an optional key is there and not empty."""
        self._read.add(key)
        return self.data.get(key) is not None

    def is_off(self, key: str) -> bool:
        """Tell whether a key says `off`, which YAML reads as false unless it is quoted."""
        self._read.add(key)
        value = self.data.get(key)
        return value is False or value == 'off'

    def section(self, key: str) -> Section:
        """Return the mapping below a key."""
        return Section(self._get(key), f'{self.where}: {key}')

    def sections(self, key: str) -> dict[str, Section]:
        """Return the mappings below a key, by name, in their order."""
        whole = self.section(key)
        return {str(k): Section(v, f'{whole.where}.{k}') for k, v in whole.data.items()}

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string."""
        return str(self._typed(key, 'a string', lambda v: isinstance(v, str), default))

    def number(
        self,
        key: str,
        default: float | None = None,
        low: float = -math.inf,
        high: float = math.inf,
    ) -> float:
        """Return a finite number between low and high."""

        def fits(value: Any) -> bool:
            return _is_number(value) and low <= value <= high

        expected = f'a number from {low:g} to {high:g}{_hint(self.data.get(key))}'
        return float(self._typed(key, expected, fits, default))

    def integer(self, key: str, default: int | None = None, low: int = 0) -> int:
        """Return a whole number of at least low."""

        def fits(value: Any) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and value >= low

        return int(self._typed(key, f'a whole number of at least {low}', fits, default))

    def numbers(self, key: str, default: tuple[float, ...] | None = None) -> tuple[float, ...]:
        """Return a list of finite numbers."""

        def fits(value: Any) -> bool:
            return isinstance(value, (list, tuple)) and all(_is_number(v) for v in value)

        found = self._typed(key, 'a list of finite numbers', fits, default)
        return tuple(float(v) for v in found)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of strings."""

        def fits(value: Any) -> bool:
            return isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value)

        return tuple(self._typed(key, 'a list of strings', fits, default))

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        return bool(self._typed(key, 'true or false', lambda v: isinstance(v, bool), default))

    def shape(self, key: str, empty: bool = False) -> tuple[int, ...]:
        """Return a list of whole numbers of at least 1, which may be empty if that is said."""

        def fits(value: Any) -> bool:
            return (
                isinstance(value, (list, tuple))
                and (bool(value) or empty)
                and all(isinstance(v, int) and not isinstance(v, bool) and v >= 1 for v in value)
            )

        return tuple(self._typed(key, 'a list of sizes of at least 1', fits, None))

    def choice(self, key: str, choices: type[E], default: E | None = None) -> E:
        """Return one of the values of an enumeration."""
        names = [c.value for c in choices]
        found = self._typed(key, f'one of {names}', lambda v: v in names, default)
        return choices(found)

    def done(self) -> None:
        """Raise if the mapping holds a key that nobody asked for: it is most likely a typo."""
        unknown = sorted(str(k) for k in self.data if k not in self._read)
        if unknown:
            raise ModalityError(
                f'{self.where}: unknown key {", ".join(map(self._meant, unknown))}; known are '
                f'{", ".join(sorted(self._read))}'
            )

    def _meant(self, unknown: str) -> str:
        """Return an unknown key, with the known one that it may be meant to be."""
        near = [key for key in sorted(self._read) if _is_slip(unknown, key)]
        return f'{unknown} (is {near[0]} meant?)' if near else unknown

    def _get(self, key: str) -> Any:
        self._read.add(key)
        if self.data.get(key) is None:
            slips = [str(k) for k in self.data if k not in self._read and _is_slip(str(k), key)]
            instead = f'; is {" or ".join(slips)} meant to be it?' if slips else ''
            raise ModalityError(f'{self.where}: {key} is missing{instead}')
        return self.data[key]

    def _typed(self, key: str, expected: str, fits: Callable[[Any], bool], default: Any) -> Any:
        self._read.add(key)
        if self.data.get(key) is None and default is not None:
            return default
        value = self._get(key)
        if not fits(value):
            raise ModalityError(f'{self.where}: {key} is {value!r}, expected {expected}')
        return value


def read_yaml(path: Path) -> Section:
    """Return the mapping that a YAML file holds.

    Raises:
        ModalityError: No such file, not readable, not YAML, or not a mapping.

    """
    try:
        data = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ModalityError(f'{path}: cannot be read: {error.strerror or error}') from error
    except UnicodeDecodeError as error:
        raise ModalityError(f'{path}: is not text: {error}') from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # PyYAML lets a date of month 13 and a number of 5000 digits fail as a plain ValueError.
        raise ModalityError(f'{path}: is not valid YAML: {error}') from error
    return Section(data, str(path))


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # A whole number that no float can hold.
        return False


def _hint(value: Any) -> str:
    """Return how to write what looks like a number and is text to YAML 1.1, such as 2e-3."""
    found = EXPONENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return ''
    whole, fraction, exponent = found['whole'], found['fraction'] or '.0', found['exponent']
    sign = '' if exponent[0] in '+-' else '+'
    return f': to YAML that is text, write {whole}{fraction}e{sign}{exponent}'


def _is_slip(found: str, wanted: str) -> bool:
    """Return whether one is the other but for a letter, two swapped ones, case or separators."""
    one, other = (''.join(c for c in key.lower() if c.isalnum()) for key in (found, wanted))
    head = _shared(one, other)
    one, other = one[head:][::-1], other[head:][::-1]
    tail = _shared(one, other)
    one, other = one[tail:], other[tail:]
    swapped = len(one) == 2 and one == other[::-1]
    return head + tail > 1 and (swapped or max(len(one), len(other)) <= 1)


def _shared(one: str, other: str) -> int:
    """Return how many letters two words have in common before they differ."""
    differ = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))
