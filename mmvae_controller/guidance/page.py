"""The page on troubleshooting, section by section, as a terminal shows it."""

from __future__ import annotations

import re

from mmvae_controller.guidance.help import COMMAND

PAGE = 'docs/troubleshooting.md'
HEADING = re.compile(r'^## (.+)$', re.MULTILINE)
LINK = re.compile(r'\[([^]]+)\]\(([^)]+)\)')


def sections(page: str) -> dict[str, str]:
    """Return the text of each section, with its heading, by the anchor that a forge gives it."""
    beginnings = [match.start() for match in HEADING.finditer(page)]
    texts = [page[a:b] for a, b in zip(beginnings, [*beginnings[1:], len(page)], strict=True)]
    return {anchor(heading_of(text)): text.strip() for text in texts}


def heading_of(section: str) -> str:
    """Return the heading of a section."""
    return section.partition('\n')[0].removeprefix('## ')


def anchor(heading: str) -> str:
    """Return what a link to a heading ends with."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


def for_terminal(section: str) -> str:
    """Return a section in Markdown, its links as what can be typed, or read beside the page."""
    return LINK.sub(_typed, section)


def _typed(link: re.Match[str]) -> str:
    words, target = link.groups()
    if target.startswith('#'):
        return f'{words} (`{COMMAND} {target[1:]}`)'
    return f'{words} ({target})'
