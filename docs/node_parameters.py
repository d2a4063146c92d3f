"""What parameters each node declares, read from its source: nothing is imported, so no ROS 2."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'mmvae_controller'


@dataclass(frozen=True, slots=True)
class Parameter:
    """One that `declare` of nodes/parameters.py declares.

    Args:
        name: As `ros2 param` has it.
        default: As it is written in a terminal.
        meaning: In the words of its declaration.

    """

    name: str
    default: str
    meaning: str


def nodes() -> dict[str, tuple[Parameter, ...]]:
    """Return the parameters of each program that setup.py makes of a module of nodes/, by name."""
    setup = (ROOT / 'setup.py').read_text(encoding='utf-8')
    found = {}
    for path in sorted((PACKAGE / 'nodes').glob('*.py')):
        if f'{{PACKAGE}}.nodes.{path.stem}:main' in setup:
            reached: dict[Path, None] = {}
            _reach(path, reached)
            found[path.stem] = tuple(p for module in reached for p in _declared(module))
    return found


def _reach(path: Path, reached: dict[Path, None]) -> None:
    """Add a module, and those of nodes/ that it imports, in that order."""
    if path in reached:
        return
    reached[path] = None
    for name in _imported(path).values():
        if (PACKAGE / 'nodes') in name[0].parents:
            _reach(name[0], reached)


def _declared(path: Path) -> Iterator[Parameter]:
    for function in ast.walk(_tree(path)):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = _Names(path, function)
        for call in ast.walk(function):
            is_call = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            if is_call and call.func.id == 'declare':
                name, default, meaning = (names.value(a) for a in call.args[1:4])
                yield Parameter(str(name), _shown(default), str(meaning))


def _shown(default: object) -> str:
    """Return a default as it is written in a terminal and in YAML."""
    if isinstance(default, bool):
        return str(default).lower()
    return "''" if default == '' else str(default)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding='utf-8'))


@cache
def _imported(path: Path) -> dict[str, tuple[Path, str]]:
    """Return what a module imports from this package: by its name here, the file and the name."""
    found = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or '').startswith(PACKAGE.name):
            source = ROOT.joinpath(*str(node.module).split('.')).with_suffix('.py')
            if source.exists():
                found |= {a.asname or a.name: (source, a.name) for a in node.names}
    return found


class _Names(dict[str, object]):
    """The names of a module, each evaluated when it is asked for, from nothing but its source."""

    def __init__(self, path: Path, function: ast.AST | None = None) -> None:
        super().__init__()
        self._path = path
        self._scopes = [_tree(path)] if function is None else [function, _tree(path)]

    def value(self, expression: ast.expr) -> object:
        """Return what an expression is."""
        if isinstance(expression, ast.Call) and expression.keywords:
            # An instance of a class of ours: its fields are what it was given.
            return SimpleNamespace(
                **{str(k.arg): self.value(k.value) for k in expression.keywords}
            )
        return eval(compile(ast.Expression(expression), self._path.name, 'eval'), self)

    def __missing__(self, name: str) -> object:
        self[name] = self._found(name)
        return self[name]

    def _found(self, name: str) -> object:
        for scope in self._scopes:
            at_top = isinstance(scope, ast.Module)
            for node in scope.body if at_top else ast.walk(scope):
                if isinstance(node, ast.ClassDef) and node.name == name:
                    body = [n for n in node.body if isinstance(n, ast.Assign)]
                    members = {n.targets[0].id: self.value(n.value) for n in body}
                    return StrEnum(name, members)
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        if isinstance(target, ast.Name) and target.id == name:
                            return self.value(node.value)
                        if isinstance(target, ast.Tuple) and name in map(ast.unparse, target.elts):
                            names = [ast.unparse(e) for e in target.elts]
                            return tuple(self.value(node.value))[names.index(name)]
        if name in _imported(self._path):
            source, there = _imported(self._path)[name]
            return _Names(source)[there]
        return getattr(builtins, name)
