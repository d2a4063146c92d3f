"""The examples of the tutorials are run, in the order of their page, or say why they are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re
import shlex

from mmvae_controller.cli.main import app
import pytest
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / 'docs' / 'tutorials').glob('*.md'))
BLOCK = re.compile(
    r'(?:<!-- not run: (?P<reason>[^>]+) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
FILE = re.compile(r'# (?P<name>[\w.]+)\n')


@dataclass(frozen=True, slots=True)
class Example:
    """A block of a page: bash, python, yaml of a file, or text, which is what was seen."""

    kind: str
    text: str
    reason: str


def examples(text: str) -> Iterator[Example]:
    """Yield the blocks of a page."""
    for found in BLOCK.finditer(text):
        yield Example(found['kind'], found['text'], found['reason'] or '')


def run_bash(text: str) -> None:
    """Run each line, which must be `mmvae`; in this process, where PyTorch is loaded already."""
    for line in text.replace('\\\n', ' ').splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] == 'mmvae', f'{line}: say why it is not run: <!-- not run: ... -->'
        result = CliRunner().invoke(app, words[1:])
        print(result.output)
        assert result.exit_code == 0, f'{line}: {result.output}'


def run(example: Example, names: dict[str, object]) -> None:
    """Do what a reader does with a block."""
    if example.reason or example.kind == 'text':
        return
    if example.kind == 'bash':
        run_bash(example.text)
    elif example.kind == 'python':
        exec(compile(example.text, 'example', 'exec'), names)
    else:
        named = FILE.match(example.text)
        assert example.kind == 'yaml', f'{example.kind!r} is none of bash, python, yaml and text'
        assert named, 'the first line of a YAML block names its file'
        Path(named['name']).write_text(example.text, encoding='utf-8')


@pytest.mark.slow
@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_what_a_tutorial_shows_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for example in examples(page.read_text(encoding='utf-8')):
        run(example, names)


def test_an_example_that_fails_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (
        '```yaml\n# a.yaml\nb: 1\n```\n\n<!-- not run: too long -->\n```bash\nsleep 9\n```\n\n'
        "```python\nassert open('a.yaml').read() == 'c'\n```\n\n```bash\nmmvae train\n```\n\n"
        '```bash\nrm a.yaml\n```\n'
    )
    file, waits, reads, trains, removes = examples(page)
    run(file, {})
    run(waits, {})
    for wrong in (reads, trains, removes):
        with pytest.raises(AssertionError):
            run(wrong, {})
