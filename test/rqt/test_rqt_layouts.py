"""The layouts for rqt, PlotJuggler and Foxglove ask for topics that the nodes publish."""

from __future__ import annotations

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any
import xml.etree.ElementTree as ElementTree

from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.modality.contract import read_contract
import pytest

CONFIG = Path(__file__).resolve().parents[2] / 'config'
MODEL = CONFIG.parent / 'models' / 'touch_target'
PLUGIN_IDS = {
    'mmvae_controller/Importance',
    'rqt_graph/RosGraph',
    'rqt_image_view/ImageView',
    'rqt_plot/Plot',
    'rqt_robot_monitor/RobotMonitor',
    'rqt_runtime_monitor/RuntimeMonitor',
}


@pytest.fixture(scope='module')
def curves() -> set[str]:
    """Return the topic of every curve of the shipped model."""
    names = [m.name for m in read_contract(MODEL).modalities]
    return {
        f'/{root}/{measure}/{name}'
        for root in ('importance', 'importance_raw')
        for measure in MEASURES
        for name in names
    }


@pytest.fixture(scope='module')
def perspective() -> Any:
    return json.loads((CONFIG / 'rqt' / 'mmvae.perspective').read_text(encoding='utf-8'))


def leaves(group: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    for key, value in group['keys'].items():
        yield f'{path}{key}', value
    for key, inner in group['groups'].items():
        yield from leaves(inner, f'{path}{key}/')


def test_the_perspective_starts_each_plugin_once(perspective: Any):
    running = perspective['groups']['pluginmanager']['keys']['running-plugins']['repr']
    assert ast.literal_eval(running) == {plugin: [1] for plugin in PLUGIN_IDS}


def test_rqt_can_read_every_value_of_the_perspective(perspective: Any):
    for key, value in leaves(perspective):
        if value['type'] == 'repr':
            ast.literal_eval(value['repr'])
            continue
        assert value['type'] == 'repr(QByteArray.hex)', key
        text = re.fullmatch(r"QtCore\.QByteArray\(b'([0-9a-f]+)'\)", value[value['type']])
        assert text, key
        bytes.fromhex(text.group(1))


def test_the_dock_layout_places_every_plugin(perspective: Any):
    state = perspective['groups']['mainwindow']['keys']['state']['repr(QByteArray.hex)']
    placed = bytes.fromhex(state.split("'")[1]).decode('utf-16-be', errors='ignore')
    odd = bytes.fromhex(state.split("'")[1])[1:].decode('utf-16-be', errors='ignore')
    for plugin in PLUGIN_IDS:
        name = f'{plugin.replace("/", "__")}__1__'
        assert name in placed or name in odd, plugin


def test_rqt_plot_draws_the_command_of_every_modality(perspective: Any, curves: set[str]):
    plugins = perspective['groups']['pluginmanager']['groups']
    plot = plugins['plugin__rqt_plot__Plot__1']['groups']['plugin']['keys']
    topics = ast.literal_eval(plot['topics']['repr'])
    wanted = {c for c in curves if c.startswith('/importance/precision_loss_command/')}
    assert {t.removesuffix('/data') for t in topics} == wanted


def test_plotjuggler_subscribes_to_what_it_draws(curves: set[str]):
    root = ElementTree.parse(CONFIG / 'plotjuggler' / 'mmvae.xml').getroot()
    drawn = {c.get('name', '').removesuffix('/data') for c in root.iter('curve')}
    (selected,) = root.iter('selected_topics')
    assert drawn <= curves
    assert set(selected.get('value', '').split(';')) == drawn
    assert {t.get('name') for t in selected.iter('topic')} == drawn
    assert root.find('previouslyLoaded_Streamer').get('name') == 'ROS2 Topic Subscriber'


def test_foxglove_shows_every_panel_and_knows_its_topics(curves: set[str]):
    layout = json.loads((CONFIG / 'foxglove' / 'mmvae.json').read_text(encoding='utf-8'))

    def panels(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        else:
            yield from (p for side in ('first', 'second') for p in panels(node[side]))

    assert sorted(panels(layout['layout'])) == sorted(layout['configById'])
    paths = [
        path['value'].removesuffix('.data')
        for panel in layout['configById'].values()
        for path in panel.get('paths', [])
    ]
    assert paths
    assert set(paths) <= curves
