"""The pages hold together: each link goes somewhere, and what the code says of them is there."""

from __future__ import annotations

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / 'README.md',
    ROOT / 'models' / 'README.md',
    *(p for p in sorted((ROOT / 'docs').rglob('*.md')) if 'generated' not in p.parts),
]
FENCE = re.compile(r'^ *```.*?^ *```', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\]\(([^()\s]+)\)')
NAMED = re.compile(r'docs/[\w/]+\.md#[\w-]+')


def anchors(page: Path) -> set[str]:
    """Return the anchors that a forge, and the built pages, give to the headings of a page."""
    text = FENCE.sub('', page.read_text(encoding='utf-8'))
    found: set[str] = set()
    for heading in re.findall(r'^#+ (.+)$', text, re.MULTILINE):
        words = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', heading).strip().lower()
        found.add(re.sub(r'[^\w\- ]', '', words).replace(' ', '-'))
    return found


def broken(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    wrong = []
    for link in LINK.findall(FENCE.sub('', page.read_text(encoding='utf-8'))):
        if '://' in link or link.startswith('mailto:'):
            continue
        name, _, anchor = link.partition('#')
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_of_a_page_resolves(page):
    assert broken(page) == []


def test_a_missing_file_and_a_missing_section_are_found(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(
        '# A: b `c`\n\n[here](#a-b-c) [no](#d) [page](page.md#a-b-c) [gone](gone.md)\n'
        '[away](https://example.org/x)\n\n```\n[not a link](gone.md)\n```\n'
    )
    assert broken(page) == ['#d', 'gone.md']


def test_every_section_that_the_code_names_exists():
    named = {
        name
        for path in (ROOT / 'mmvae_controller').rglob('*.py')
        for name in NAMED.findall(path.read_text(encoding='utf-8'))
    }
    assert 'docs/troubleshooting.md#exit-codes' in named
    for name in named:
        page, _, anchor = name.partition('#')
        assert anchor in anchors(ROOT / page), name


def test_every_page_stands_in_the_table_of_contents():
    entries = re.findall(r'^   (?!:)(?:.*<)?([^<>\n]+?)>?$', INDEX, re.MULTILINE)
    for page in PAGES:
        name = page.relative_to(ROOT).with_suffix('')
        in_docs = name.relative_to('docs') if name.parts[0] == 'docs' else Path('/', name)
        assert any(in_docs.match(entry) for entry in entries), name


INDEX = (ROOT / 'docs' / 'index.rst').read_text(encoding='utf-8')
