"""Write the pages of the reference that follow from the code into docs/generated/.

Read, not run: neither ROS 2 nor PyTorch has to be there. Only what declares the `mmvae` command is
imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

from node_parameters import nodes, PACKAGE, ROOT

OUT = ROOT / 'docs' / 'generated'
# What a reader of the reference has no use for.
HIDDEN_ROOMS = ('benchmarks', 'cli')
SHOWN = {
    'Robot': 'config/robots/iiwa_sim.yaml',
    'Arm to simulate': 'config/arms/iiwa.yaml',
    'Training': 'config/train/touch_target.yaml',
    'Training of behaviour cloning': 'config/train/clone.yaml',
    'Study of KL schedules': 'config/study/kl_schedules.yaml',
    'Study of JMVAE': 'config/study/jmvae.yaml',
    'Profile of Fast DDS': 'config/fastdds.xml',
    'Groups of diagnostics': 'config/analyzers.yaml',
}
PARAMETERS = (
    'Given when a node starts: `ros2 run mmvae_controller controller --ros-args -p model:=…`, or '
    'as arguments of the launch files. Only `camera` of the simulation can be set while it runs.'
)
# What typer shortens in the list of commands.
SHORTENED = re.compile(r'^\* `(?P<name>[\w-]+)`: .*$', re.MULTILINE)


def generate() -> None:
    """Write every generated page anew."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    (OUT / 'commands.md').write_text(commands(), encoding='utf-8')
    (OUT / 'files.md').write_text(files(), encoding='utf-8')
    (OUT / 'parameters.md').write_text(parameters(), encoding='utf-8')
    for room in rooms():
        (OUT / f'api_{room.name}.md').write_text(api(room), encoding='utf-8')


def commands() -> str:
    """Describe the `mmvae` command, as typer writes it from the declarations."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    words = ['typer', 'mmvae_controller.cli.main', 'utils', 'docs', '--name', 'mmvae']
    run = subprocess.run(
        [sys.executable, '-m', *words], env=environment, capture_output=True, text=True
    )
    if run.returncode:
        raise SystemExit(f'typer cannot describe mmvae_controller.cli.main: {run.stderr}')
    return whole(run.stdout.replace('# `mmvae`', '# Commands', 1))


def whole(page: str) -> str:
    """Give each command in the list the whole first sentence of its section, and a link to it."""
    sections = re.findall(r'^## `mmvae ([\w-]+)`\n\n(.+?)\n\n', page, re.MULTILINE | re.DOTALL)
    about = {name: ' '.join(text.split()) for name, text in sections}

    def entry(found: re.Match[str]) -> str:
        name = found['name']
        return f'* [`{name}`](#mmvae-{name}): {about[name]}' if name in about else found[0]

    return SHORTENED.sub(entry, page)


def files() -> str:
    """Show the files that are written by hand, and document their own keys."""
    sections = [
        f'## {title}\n\n`{name}`\n\n```{Path(name).suffix[1:]}\n'
        f'{(ROOT / name).read_text(encoding="utf-8")}```\n'
        for title, name in SHOWN.items()
    ]
    about = (
        'Each file documents its own keys. Of those that commands write: [there](../written.md).'
    )
    return '\n'.join([f'# Files\n\n{about}\n', *sections])


def parameters() -> str:
    """List the parameters of each node, in the words of their declarations."""
    parts = ['# Node parameters\n', f'{PARAMETERS}\n']
    for node, found in nodes().items():
        parts += [f'## {node}\n', '| parameter | default | meaning |', '|---|---|---|']
        for p in found:
            cells = (f'`{p.name}`', f'`{p.default}`', p.meaning)
            parts.append('| ' + ' | '.join(c.replace('|', '\\|') for c in cells) + ' |')
        parts.append('')
    return '\n'.join(parts)


def rooms() -> Iterator[Path]:
    """Yield the folders of the package that the reference describes."""
    for path in sorted(PACKAGE.iterdir()):
        if (path / '__init__.py').exists() and path.name not in HIDDEN_ROOMS:
            yield path


def api(room: Path) -> str:
    """Describe what the files of a room hold: signatures and docstrings, as they are written."""
    parts = [f'# {room.name}\n']
    for path in sorted(room.rglob('*.py')):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        blocks = [_described(node) for node in tree.body if _is_public(node)]
        about = ast.get_docstring(tree)
        if not about and not blocks:
            continue
        name = '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')
        parts.append(f'## {name}\n')
        parts += [f'```text\n{about}\n```\n'] if about else []
        parts += [f'### {node_name}\n\n```python\n{text}\n```\n' for node_name, text in blocks]
    return '\n'.join(parts)


Defined = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _is_public(node: ast.AST) -> bool:
    return isinstance(node, Defined) and not node.name.startswith('_')


def _described(node: Defined) -> tuple[str, str]:
    return node.name, ast.unparse(_bare(node))


def _bare(node: Defined) -> Defined:
    """Strip a definition to signature, docstring, fields and public methods."""
    kept = node.body[:1] if ast.get_docstring(node) else []
    if isinstance(node, ast.ClassDef):
        kept += [n for n in node.body if isinstance(n, ast.AnnAssign | ast.Assign)]
        kept += [_bare(n) for n in node.body if _is_public(n)]
    node.body = kept or [ast.Expr(ast.Constant(...))]
    return node


if __name__ == '__main__':
    generate()
