"""The reference is whole: what the code declares stands in it, and nothing else does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import sys

from mmvae_controller.cli.main import app
import pytest
import typer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'docs'))

from node_parameters import nodes, PACKAGE  # noqa: E402

README = (ROOT / 'README.md').read_text(encoding='utf-8')
TOPICS = (ROOT / 'docs' / 'topics.md').read_text(encoding='utf-8')
IN_README = ('controller', 'diagnostics', 'simulation')
CREATED = ('create_publisher', 'create_service', 'create_subscription')
# Of rclpy's own; no node declares them.
OF_ROS = {'start_type_description_service', 'use_sim_time'}


def test_a_file_of_each_kind_that_is_written_by_hand_is_shown_and_each_of_a_model_is_told():
    from generate import SHOWN
    from mmvae_controller.control.comparison import SOUND_FILE
    from mmvae_controller.modality import contract

    shown = {Path(name) for name in SHOWN.values()}
    config = ROOT / 'config'
    assert {path.parent.name for path in shown} >= {
        folder.name
        for folder in config.iterdir()
        if folder.is_dir() and list(folder.glob('*.yaml'))
    }
    assert {path.relative_to(ROOT) for path in config.iterdir() if path.is_file()} <= shown
    of_a_model = [getattr(contract, name) for name in dir(contract) if name.endswith('_FILE')]
    written = (ROOT / 'docs' / 'written.md').read_text(encoding='utf-8')
    for name in [*of_a_model, SOUND_FILE]:
        assert f'| `{name}` |' in written


def told_parameters() -> dict[str, set[str]]:
    """Return the parameters in the README's table of nodes, by node; `all three` are of each."""
    section = README.split('## Nodes')[1].split('\n## ')[0]
    told: dict[str, set[str]] = {node: set() for node in IN_README}
    node = ''
    for row in re.findall(r'^\|(.*?)\|(.*?)\|', section, re.MULTILINE):
        node = row[0].strip(' `') or node
        names = set(re.findall(r'`(\w+)`', row[1]))
        for one in IN_README if node == 'all three' else (node,):
            if one in told:
                told[one] |= names
    return told


@pytest.mark.parametrize('node', IN_README)
def test_the_readme_has_every_parameter_of_a_node_and_no_other(node):
    declared = {p.name for p in nodes()[node]}
    assert told_parameters()[node] == declared


def test_every_parameter_is_read_as_it_is_declared():
    found = {(node, p.name): p for node, of_node in nodes().items() for p in of_node}
    assert set(nodes()) == {'controller', 'diagnostics', 'goals', 'simulation', 'tracker'}
    assert found['simulation', 'camera'].default == 'works'
    assert found['simulation', 'camera'].meaning.startswith('One of works, covered, silent')
    assert found['simulation', 'cover_after_s'].default == '0.4'
    assert found['tracker', 'offset_v_px'].default == '-0.15'
    assert found['controller', 'clear_after_s'].default == '1.0'


@pytest.mark.ros
def test_a_running_node_has_the_parameters_that_the_reference_gives_it(domain):
    rclpy = pytest.importorskip('rclpy')
    from mmvae_controller.nodes.tracker import TrackerNode

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = TrackerNode(context=context)
    try:
        running = {p.name for p in node.get_parameters_by_prefix('').values()} - OF_ROS
        assert running == {p.name for p in nodes()['tracker']}
    finally:
        node.destroy_node()
        context.try_shutdown()


def topics() -> Iterator[str]:
    """Yield the names that the nodes publish, hear and serve; without what is known only then."""
    for path in sorted((PACKAGE / 'nodes').rglob('*.py')):
        if 'bench' in path.parts:
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if call.func.attr not in CREATED:
                continue
            name = call.args[1]
            if isinstance(name, ast.Constant):
                yield str(name.value)
            elif isinstance(name, ast.JoinedStr):
                yield ''.join(str(p.value) for p in name.values if isinstance(p, ast.Constant))


def test_every_topic_and_service_of_the_nodes_stands_in_the_reference():
    found = {name.replace('~/', '/').strip('/') for name in topics()}
    assert {'stop', 'importance/matrix', 'hand', 'goal', 'prediction'} <= found
    assert [name for name in found - {''} if not is_told(name)] == []
    assert not is_told('camera/depth')


def is_told(name: str) -> bool:
    words = [re.escape(word) for word in name.split('/') if word]
    return bool(re.search(r'[`/_](?:\w*/)?' + r'[\w/<>]*'.join(words), README + TOPICS))


def test_every_command_stands_in_the_readme_and_no_other():
    section = README.split('## The `mmvae` command')[1].split('\n#')[0]
    told = set(re.findall(r'^\| `([\w-]+)` \|', section, re.MULTILINE))
    assert told == set(typer.main.get_command(app).commands)


PAGES = [ROOT / 'README.md', ROOT / 'models' / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
# In a code span or a code block; it goes on over a line that ends with a backslash.
WRITTEN = re.compile(r'(?:`|^|(?<=\s))mmvae ((?:[^`\n|&;#)\\]|\\\n)+)', re.MULTILINE)


def written_commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each command line that a page shows, and the page."""
    for page in PAGES:
        if 'generated' in page.parts:
            continue
        text = page.read_text(encoding='utf-8')
        code = re.findall(r'```bash\n.*?```|`[^`\n]+`', text, re.DOTALL)
        for block in code:
            for found in WRITTEN.finditer(block.strip('`')):
                yield page.name, found[1].replace('\\\n', ' ').split()


def test_every_command_line_that_a_page_shows_has_a_command_and_options_of_it():
    commands = typer.main.get_command(app).commands
    wrong, seen = [], 0
    for page, (name, *words) in written_commands():
        options = [word.partition('=')[0] for word in words if word.startswith('--')]
        # An option of `mmvae` itself, or any command.
        if name.startswith(('-', '…')):
            continue
        seen += 1
        known = (
            {o for p in commands[name].params for o in (*p.opts, *p.secondary_opts)}
            if (name in commands)
            else set()
        )
        wrong += [(page, name, o) for o in options if o not in known | {'--help'}]
        wrong += [(page, name)] if name not in commands else []
    assert wrong == []
    assert seen > 50
