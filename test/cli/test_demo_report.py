"""What remains of a demo, from a record that needs no nodes; and what it covers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mmvae_controller.cli.demo_figures import failure_figure
from mmvae_controller.cli.demo_pictures import imagined_moments, scenes, to_show
from mmvae_controller.cli.demo_report import report_data, write_report
from mmvae_controller.cli.main import app
from mmvae_controller.modality.contract import read_contract
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.nodes.watch.record import Episode, Record
from mmvae_controller.simulation.arm_file import arm_of
import numpy as np
from PIL import Image
import pytest
from typer.testing import CliRunner

SENSES = ('camera', 'joints', 'touch', 'motor')
SEEING = Episode(0, 3, True, 'success', 10.0, 1.0, 0.06, 40, 0.02, 'works')
LOST = replace(SEEING, number=1, success=False, ending='lost', began_s=12.0, elapsed_s=0.5)
BLIND = replace(LOST, number=2, began_s=14.0, camera='covered', camera_failed_after_s=0.2)
TOUCHING = replace(BLIND, number=3, began_s=16.0, success=True, ending='success')
CONTRACT = read_contract(find_model('touch_target'))
ROBOT = load_robot(find_robot('iiwa_sim'))


def record_of(*episodes: Episode) -> Record:
    """Return a record in which the arm stands still; pictures are as grey as the time."""
    record = Record(list(episodes), importance={name: [] for name in SENSES})
    for moment in np.arange(9.0, 18.0, 0.05):
        picture = np.full((64, 64, 3), 10 * moment, np.uint8)
        record.joints.append((moment, arm_of(ROBOT).home_rad))
        record.pictures.append((moment, picture))
        record.imagined.append((moment, picture + 50))
        for name in SENSES:
            record.importance[name].append((moment, 2.0))
    return record


def test_the_success_rate_is_that_of_the_episodes_in_which_the_camera_works():
    data = report_data('touch_target', CONTRACT, ROBOT, record_of(SEEING, BLIND, BLIND, TOUCHING))
    assert data['success_rate'] == 1
    assert data['median_success_time_s'] == 1.0
    assert data['covered_success_rate'] == pytest.approx(1 / 3)
    assert data['covered_median_success_time_s'] == 0.5
    assert [e['camera'] for e in data['episodes']] == ['works'] + ['covered'] * 3
    assert data['episodes'][1]['camera_failed_after_s'] == 0.2


def test_without_a_covered_camera_there_is_no_rate_for_it():
    data = report_data('touch_target', CONTRACT, ROBOT, record_of(SEEING, LOST))
    assert data['success_rate'] == 0.5
    assert data['covered_success_rate'] is None


def test_the_page_says_of_each_episode_how_it_ended_and_what_became_of_the_camera(tmp_path: Path):
    write_report(tmp_path, 'touch_target', CONTRACT, ROBOT, record_of(SEEING, LOST, BLIND))
    page = (tmp_path / 'report.html').read_text()
    assert page.count('>lost</td>') == 2
    assert 'out of time' not in page
    assert page.count('<td>works</td>') == 2
    assert page.count('<td>covered after 0.2 s</td>') == 1
    assert 'What the model imagined instead' in page
    assert '50% of 2 episodes' in page
    assert '0% of 1 episodes' in page
    for name in ('episode.gif', 'covered.gif'):
        with Image.open(tmp_path / name) as animation:
            assert animation.n_frames > 3


def test_no_picture_of_another_run_is_left(tmp_path: Path):
    old = tmp_path / 'covered.gif'
    old.write_bytes(b'old')
    write_report(tmp_path, 'touch_target', CONTRACT, ROBOT, record_of(LOST))
    page = (tmp_path / 'report.html').read_text()
    assert not old.exists()
    assert 'image/gif' not in page
    assert 'imagined instead' not in page


def test_shown_is_the_first_success_and_of_the_covered_else_the_first():
    later = replace(TOUCHING, number=9)
    assert to_show(record_of(LOST, BLIND, SEEING, TOUCHING, later), failed=False) == SEEING
    assert to_show(record_of(BLIND, SEEING, TOUCHING, later), failed=True) == TOUCHING
    assert to_show(record_of(SEEING, BLIND, LOST), failed=True) == BLIND
    assert to_show(record_of(LOST, BLIND), failed=False) is None


def test_an_episode_that_began_unseen_is_not_shown():
    unseen = replace(SEEING, began_s=8.5)
    assert to_show(record_of(unseen), failed=False) is None


def test_shown_is_rather_an_episode_whose_beginning_was_imagined_too():
    record = record_of(SEEING, replace(SEEING, number=1, began_s=13.0))
    record.imagined[:] = [(t, picture) for t, picture in record.imagined if t > 12.0]
    assert to_show(record, failed=False).number == 1
    record.episodes[1] = replace(record.episodes[1], success=False)
    assert to_show(record, failed=False).number == 0
    record.imagined.clear()
    assert to_show(record, failed=False).number == 0


def test_what_moves_by_itself_is_shown_where_it_was_then():
    record = record_of(SEEING)
    first, last = scenes(ROBOT, 'intercept', record, SEEING, [0.0, 0.5])
    assert not np.array_equal(first.arm, last.arm)


def test_the_pictures_of_a_scene_are_those_of_its_moment():
    scene = scenes(ROBOT, 'touch_target', record_of(SEEING), SEEING, [0.5])[0]
    assert scene.seen is not None
    assert scene.imagined is not None
    assert np.all(scene.seen == 105)
    assert np.all(scene.imagined == 155)


def test_a_camera_that_delivers_nothing_leaves_its_place_empty():
    record = record_of(SEEING)
    record.pictures = [(t, p) for t, p in record.pictures if t < SEEING.began_s]
    assert scenes(ROBOT, 'touch_target', record, SEEING, [0.5])[0].seen is None


def test_the_moments_shown_are_moments_at_which_the_model_imagined():
    moments = imagined_moments(record_of(TOUCHING), TOUCHING)
    assert 5 <= len(moments) <= 7
    assert moments[0] == pytest.approx(0, abs=0.05)
    assert moments[-1] == pytest.approx(TOUCHING.elapsed_s, abs=0.05)


def test_each_covered_episode_has_a_panel_with_its_own_curves():
    figure = failure_figure(record_of(SEEING, BLIND, TOUCHING))
    assert figure is not None
    for panel in figure.axes:
        for curve in panel.lines[: len(SENSES)]:
            assert len(curve.get_xdata()) == pytest.approx(BLIND.elapsed_s / 0.05, abs=1)
        assert panel.lines[len(SENSES)].get_xdata()[0] == pytest.approx(0.2)
    assert failure_figure(record_of(SEEING)) is None


@pytest.mark.ros
@pytest.mark.parametrize(('episodes', 'covered'), [(20, 5), (4, 1), (3, 0)])
def test_a_quarter_is_covered_if_no_number_is_named(episodes: int, covered: int):
    pytest.importorskip('rclpy')
    from mmvae_controller.cli.demo import _covered, DemoSettings

    settings = DemoSettings('m', 'r', 't', episodes, 0, 0.9, 1.0, False, Path())
    assert _covered(settings, ROBOT) == covered
    assert _covered(settings, replace(ROBOT, sources={})) == 0


@pytest.mark.ros
def test_a_demo_in_which_no_camera_works_is_refused(tmp_path: Path):
    pytest.importorskip('rclpy')
    words = ['demo', '--episodes', '4', '--covered', '4', '--out', str(tmp_path / 'out')]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert 'covered is 4, expected 0 to 3' in result.stderr
    assert not (tmp_path / 'out').exists()
