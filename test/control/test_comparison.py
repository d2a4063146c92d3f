"""What was measured of sound running, as a file beside the network."""

from dataclasses import replace
import shutil

from mmvae_controller.control.comparison import read_comparison, SOUND_FILE, write_sound
from mmvae_controller.control.cusum import SoundRunning
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.network import Network
from mmvae_controller.control.rota import Channel
from mmvae_controller.control.window import ObservationWindow
import pytest

SOUND = {
    'camera': {Channel.PAST: SoundRunning(-1.0, 0.05, 0.5, 12.0)},
    'joints': {
        Channel.PAST: SoundRunning(1.0, 0.2, 0.5, 25.0),
        Channel.FOLLOWING: SoundRunning(-3.4, 0.05, 0.5, 86.0),
    },
}


@pytest.fixture
def network(model_folder, tmp_path):
    """Return a model that may be written to."""
    return Network(shutil.copytree(model_folder, tmp_path / 'model'))


def test_what_was_written_is_read_again(network):
    write_sound(network, SOUND, {'task': 'touch'})
    found = read_comparison(network)
    assert found.sound == SOUND
    assert found.provenance == {'task': 'touch'}
    assert sorted(p.name for p in network.folder.iterdir() if p.name.startswith('.')) == []


def test_a_model_that_was_not_measured_has_nothing_to_compare_with(network):
    assert read_comparison(network) is None


def test_what_was_measured_of_another_network_is_refused(network):
    write_sound(network, SOUND, {})
    path = network.folder / SOUND_FILE
    path.write_text(path.read_text().replace('network_sha256: ', 'network_sha256: 0'))
    with pytest.raises(ControlError, match=r'another network.*mmvae calibrate'):
        read_comparison(network)


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ('camera:', 'nose:', r"\['nose'\] is no sense"),
        ('past:', 'future:', r"\['future'\], expected some of"),
        ('scale: 0.05', 'scale: -1', 'expected finite numbers'),
        ('format: 1', 'format: 2', 'this version reads 1'),
    ],
)
def test_a_file_that_does_not_fit_says_what_is_wrong(network, old, new, words):
    write_sound(network, SOUND, {})
    path = network.folder / SOUND_FILE
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ControlError, match=words):
        read_comparison(network)


def test_a_sense_that_is_not_to_be_compared_is_believed(network, robot):
    write_sound(network, SOUND, {})
    sources = dict(robot.sources)
    sources['camera'] = replace(sources['camera'], compared=False)
    window = ObservationWindow(robot.modalities, 0.1, {})
    trust = read_comparison(network).trust(window, replace(robot, sources=sources))
    assert trust.evidence('camera') is None
    assert trust.evidence('joints') == 0


def test_what_was_measured_on_another_robot_is_said_to_be(network, robot):
    write_sound(network, SOUND, {'robot': robot.name, 'rate_hz': robot.rate_hz})
    found = read_comparison(network)
    assert found.foreign(robot) == ''
    assert 'was measured on' in found.foreign(replace(robot, name='another'))
    assert f'at {robot.rate_hz:g} Hz, this is' in found.foreign(replace(robot, rate_hz=10.0))
    assert found.foreign(replace(robot, rate_hz=200.0)) == ''
    write_sound(network, SOUND, {})
    assert read_comparison(network).foreign(robot) == ''


@pytest.mark.parametrize(('rate_hz', 'expected'), [(200.0, 40), (40.0, 40), (20.0, 20)])
def test_on_a_faster_loop_senses_are_compared_as_often_as_where_that_was_measured(
    network, robot, monkeypatch, rate_hz, expected
):
    write_sound(network, SOUND, {'robot': robot.name, 'rate_hz': 40.0})
    window = ObservationWindow(robot.modalities, 0.1, {})
    trust = read_comparison(network).trust(window, replace(robot, rate_hz=rate_hz))
    compared = []
    monkeypatch.setattr(trust._rota, 'next', lambda *asked: compared.append(asked) or None)
    for tick in range(round(rate_hz)):
        trust.check(window.read(round(tick * 1e9 / rate_hz)), None)
    assert len(compared) == expected
