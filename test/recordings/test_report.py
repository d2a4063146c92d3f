"""The report of an import: as tables, as JSON, as a picture, and from the command line."""

from __future__ import annotations

from io import StringIO
import json
from pathlib import Path
import signal
from typing import Any

from mmvae_controller.cli import import_bag
from mmvae_controller.cli.main import app
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.recordings.curve import Curve, CURVE_POINTS
from mmvae_controller.recordings.figure import report_figure
from mmvae_controller.recordings.tables import lines, tables
from mmvae_controller.recordings.tally import Tally
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner


def shown(report: Any) -> str:
    console = Console(width=110, file=StringIO(), record=True)
    for part in (*tables(report), *lines(report)):
        console.print(part)
    return console.export_text()


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, ['import-bag', *map(str, words)])


@pytest.fixture
def eventful(tape: Any, imported: Any) -> Any:
    """Return the report of a bag in which a lot goes wrong."""
    tape.run(0, 4000, lambda what, ms: what == 'camera' and 1000 <= ms < 2500)
    tape.put('joint_states', tape.maker.flag(True), 4001)
    tape.put('rosout', tape.maker.flag(True), 4002)
    return imported(tape.close())


def test_a_tally_knows_when_it_was_masked_and_why():
    tally = Tally('camera', '/camera', 'sensor_msgs/Image', max_age_s=0.2)
    for at_s, fault in ((0.0, ''), (0.1, ''), (0.5, ''), (0.6, 'dark'), (0.7, 'dark'), (0.8, '')):
        tally.take(fault, at_s)
    tally.cut(1.5)
    tally.take('', 5.0)
    assert np.allclose(tally.present_s, [(0, 0.3), (0.5, 1.0), (5.0, 5.0)])
    assert np.allclose(tally.masked_s, [(0.3, 0.5), (1.0, 1.5)])
    assert np.allclose(tally.unsound_s, [(0.6, 0.8)])
    assert (tally.used, tally.unsound, tally.first_unsound) == (7, 2, 'dark')
    assert tally.largest_gap_s == pytest.approx(0.7)
    # What is not recorded at all is no slow sensor: 5 intervals in 1.5 s, and none after.
    assert tally.rate_hz == pytest.approx(5 / 1.5)


def test_a_curve_keeps_its_shape_and_not_all_its_points():
    curve = Curve()
    for number in range(3 * CURVE_POINTS):
        curve.add(number, np.array([number]))
    assert CURVE_POINTS / 2 <= len(curve.at_s) <= CURVE_POINTS
    assert set(np.diff(curve.at_s)) == {4.0}
    assert curve.at_s[-1] > 3 * CURVE_POINTS - 5


def test_the_tables_say_what_went_wrong(eventful: Any):
    text = ' '.join(shown(eventful).split())
    assert 'camera /camera/image_raw 125' in text
    assert 'camera is silent for more than 1 s' in text
    assert '1 messages rejected, the first: is a std_msgs/Bool, expected a' in text
    assert '/joint_states carries std_msgs/Bool' in text
    assert 'not asked for: /rosout' in text


def test_it_is_told_what_training_keeps_together(eventful: Any, tapes: Any, imported: Any):
    text = ' '.join(shown(eventful).split())
    assert '1 episodes are more of the one before: training keeps them together' in text
    assert 'all rows are of one recorded episode: none can be held out' in text
    two = tapes('two').run(0, 500).run(5000, 5500).close()
    text = shown(imported(two, dry=True))
    assert 'one before' not in text
    assert 'held out' not in text


def test_many_episodes_are_not_all_shown_and_all_in_the_json(tape: Any, imported: Any):
    for begin_ms in range(0, 60000, 3000):
        tape.run(begin_ms, begin_ms + 300)
    report = imported(tape.close())
    assert '8 more' in shown(report)
    assert len(report.data()['episodes']) == 20


def test_the_picture_shows_every_stretch_and_every_episode(eventful: Any, tmp_path: Path):
    figure = report_figure(eventful)
    senses, curves = figure.axes
    names = [label.get_text() for label in senses.get_yticklabels()]
    assert names == ['camera, 31 Hz', 'joints, 100 Hz', 'touch, 50 Hz', 'motor, 50 Hz']
    bars = [len(c.get_paths()) for c in senses.collections]
    # Present, masked and unsound, of each of the four.
    assert bars == [2, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]
    assert len(curves.lines) == 2
    assert curves.get_ylabel() == 'command, rad/s'
    assert '70 rows of 0.05 s in 2 episodes' in figure.get_suptitle()
    figure.savefig(tmp_path / 'figure.png')


def test_a_recording_without_a_row_can_be_drawn_too(tape: Any, imported: Any, tmp_path: Path):
    report = imported(tape.close())
    report_figure(report).savefig(tmp_path / 'figure.png')
    assert 'no sensor_msgs/Image on /camera/image_raw' in shown(report)


def test_the_command_imports_reports_and_draws(tape: Any, robot: Any, tmp_path: Path):
    path, out = tape.run(0, 1000).close(), tmp_path / 'data'
    report, figure = tmp_path / 'r' / 'report.json', tmp_path / 'r' / 'figure.png'
    result = run(path, '--robot', robot.path, '--out', out, '--json', report, '--figure', figure)
    assert result.exit_code == 0, result.output
    assert len(Dataset(out)) == 20
    data = json.loads(report.read_text())
    assert data['rows'] == 20
    assert data['topics'][1] | {'rate_hz': 100.0} == data['topics'][1] | {
        'modality': 'joints',
        'topic': '/joint_states',
        'samples': 100,
        'rate_hz': 100.0,
        'rows_known': 20,
    }
    assert figure.read_bytes().startswith(b'\x89PNG')
    assert f'{out}: 20 rows in 1 episodes' in result.output


def test_the_command_says_what_is_missing_and_fails(tapes: Any, robot: Any, tmp_path: Path):
    path = tapes(namespace='/arm').run(0, 500).close()
    result = run(path, '--robot', robot.path, '--dry-run')
    assert result.exit_code == 2
    assert 'of that type there is /arm/camera/image_raw' in ' '.join(result.output.split())
    result = run(path, '--robot', robot.path, '--dry-run', '--namespace', 'arm')
    assert result.exit_code == 0
    assert 'dry run: 10 rows in 1 episodes' in result.output
    result = run(
        path, '--robot', robot.path, '--dry-run',
        *(w for t in ('camera/image_raw', 'joint_states', 'touch', 'joint_command')
          for w in ('--remap', f'{t}:=/arm/{t}')),
    )  # fmt: skip
    assert result.exit_code == 0, result.output


def test_a_bag_of_which_nothing_came_is_told_last_and_the_exit_code_says_so(
    tapes: Any, robot: Any, tmp_path: Path
):
    # Not the same rows, which `join` would refuse.
    two = tapes('two', namespace='/arm').run(500, 1000)
    bags = (tapes('one').run(0, 500).close(), two.close())
    result = run(*bags, '--robot', robot.path, '--out', tmp_path / 'data')
    assert result.exit_code == 1
    assert len(Dataset(tmp_path / 'data')) == 10
    assert result.output.splitlines()[-1].startswith(f'no row came of {bags[1]}: see above')
    arm = tmp_path / 'arm'
    assert run(bags[1], '--robot', robot.path, '--out', arm, '--namespace', 'arm').exit_code == 0
    words = ['join', str(tmp_path / 'data'), str(arm), '--out', str(tmp_path / 'both')]
    result = CliRunner().invoke(app, words)
    assert f'{tmp_path / "both"}: 20 rows in 2 episodes, of 2 data sets' in result.output
    assert len(Dataset(tmp_path / 'both')) == 20
    assert CliRunner().invoke(app, words).exit_code == 2


def test_what_is_missing_is_told_once(tapes: Any, robot: Any):
    path = tapes(namespace='/arm').run(0, 500).close()
    said = run(path, '--robot', robot.path, '--dry-run').output
    assert ' '.join(said.split()).count('no sensor_msgs/Image') == 1
    assert said.splitlines()[-1] == 'error: no row: see `unused` above; mmvae explain few-rows'


def test_set_points_that_come_more_slowly_than_the_rows_ask_for_fewer_rows(
    tape: Any, imported: Any
):
    path = tape.run(0, 4000, lambda what, ms: what == 'command' and ms % 100 > 0).close()
    assert 'lower --record-hz' not in shown(imported(path, dry=True, record_hz=10))
    slow = ' '.join(shown(imported(path, dry=True)).split())
    assert 'than 20 times a second; lower --record-hz' in slow


def test_the_command_wants_a_place_or_a_dry_run(robot: Any):
    for words in ([], ['--out', 'data', '--dry-run']):
        result = run('bag', '--robot', robot.path, *words)
        assert result.exit_code == 2
        assert 'give either --out or --dry-run' in result.output


def test_the_signals_that_end_it_are_those_of_who_calls_it(tape: Any, robot: Any):
    """What ends a command is said in one place, for all of them."""
    bag, before = tape.run(0, 500).close(), signal.getsignal(signal.SIGTERM)
    options = import_bag.Options(
        [bag], str(robot.path), None, '', (), '', '', '', 'auto', 1.0, 20.0, None, None
    )
    assert import_bag.run(options) == 0
    assert signal.getsignal(signal.SIGTERM) is before
