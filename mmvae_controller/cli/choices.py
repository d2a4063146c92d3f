"""Options that name one of a few things."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from mmvae_controller.cli.errors import CliError

E = TypeVar('E', bound=StrEnum)


def chosen(choices: type[E], what: str, name: str) -> E:
    """Return the choice that an option names.

    Raises:
        CliError: There is none of that name.

    """
    try:
        return choices(name)
    except ValueError as error:
        raise CliError(f'no {what} {name!r}, there are {", ".join(choices)}') from error
