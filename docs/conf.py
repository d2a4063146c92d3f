"""What the documentation is built of: `make docs` runs Sphinx over the whole checkout.

The pages are Markdown as the forge shows it, with links relative to the file; docs/index.rst alone
is for Sphinx.
"""

from pathlib import Path
import sys
import xml.etree.ElementTree as ElementTree

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'docs'))

from generate import generate  # noqa: E402

generate()

project = 'mmvae_controller'
release = ElementTree.parse(ROOT / 'package.xml').getroot().findtext('version')
extensions = ['myst_parser', 'sphinx_copybutton']
root_doc = 'docs/index'
include_patterns = ['README.md', 'CHANGELOG.rst', 'models/README.md', 'docs/**']
html_theme = 'furo'
html_show_copyright = False
html_title = f'{project} {release}'
html_extra_path = ['site']
# A prompt is not copied, nor what a command answers.
copybutton_prompt_text = '$ '
# Those of GitHub.
myst_heading_anchors = 4
# Tables that a command wrote begin where they are included.
suppress_warnings = ['myst.header']
