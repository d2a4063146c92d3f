"""`mmvae calibrate`: what was measured before is not lost, and a copy is a model of its own."""

import shutil

from mmvae_controller.cli import calibrate
from mmvae_controller.cli.main import app
from mmvae_controller.control.comparison import read_comparison, SOUND_FILE, write_sound
from mmvae_controller.control.cusum import SoundRunning
from mmvae_controller.control.network import Network
from mmvae_controller.control.rota import Channel
from mmvae_controller.modality.shared_files import find_model
from mmvae_controller.simulation.calibrate import FalseAlarms
import pytest
from typer.testing import CliRunner

SENSES = ('camera', 'joints', 'touch')
SOUND = {name: {Channel.PAST: SoundRunning(1.0, 0.2, 0.5, 25.0)} for name in SENSES}


@pytest.fixture
def measured(monkeypatch):
    """Have everything measured at once; return how often something was."""
    times = []
    monkeypatch.setattr(calibrate, 'listen', lambda *given: ([], 0.1))
    monkeypatch.setattr(calibrate, 'fit_sound', lambda *given: times.append(given) or SOUND)
    counted(monkeypatch, failed=1)
    return times


def counted(monkeypatch, joints=0, failed=0, alarmed=0, lost=0):
    found = FalseAlarms(1.5, {**dict.fromkeys(SENSES, 0), 'joints': joints}, failed, alarmed, lost)
    monkeypatch.setattr(calibrate, 'count_alarms', lambda *given: found)


@pytest.fixture
def model(tmp_path):
    """Return a copy of the shipped model that nobody measured."""
    left_out = shutil.ignore_patterns(SOUND_FILE)
    return shutil.copytree(find_model('touch_target'), tmp_path / 'model', ignore=left_out)


@pytest.fixture
def calibrated(model):
    network = Network(model)
    write_sound(network, SOUND, {'robot': 'another_arm'})
    return network


def run(*words):
    return CliRunner().invoke(app, ['calibrate', *(str(word) for word in words)])


def test_a_model_that_nobody_measured_is_measured_in_its_folder(measured, model):
    result = run(model)
    assert result.exit_code == 0, result.output
    said = ' '.join(result.output.split())
    told = 'false alarms: 0 in 1.5 min of sound running, in 0 of 480 episodes, 1 of which failed;'
    assert f'{told} 0.1 an hour asked for wrote' in said
    assert read_comparison(Network(model)).provenance['robot'] == 'iiwa_sim'


def test_false_alarms_are_told_beside_what_fails_without_them(measured, model, monkeypatch):
    counted(monkeypatch, joints=9, failed=24, alarmed=8, lost=6)
    said = ' '.join(run(model, '--episodes', 200).output.split())
    assert 'false alarms: 9 in 1.5 min of sound running, in 8 of 100 episodes, 24 of which' in said
    assert 'in 6 of the 8 episodes with one the task is not done either where every sense' in said


def test_what_was_measured_is_not_written_over_unasked(measured, calibrated):
    before = (calibrated.folder / SOUND_FILE).read_text()
    result = run(calibrated.folder)
    assert result.exit_code == 2
    assert 'was measured on another_arm already; --out FOLDER leaves it' in result.stderr
    assert (calibrated.folder / SOUND_FILE).read_text() == before
    assert not measured


def test_with_force_it_is_measured_anew(measured, calibrated):
    assert run(calibrated.folder, '--force').exit_code == 0
    assert read_comparison(calibrated).provenance['robot'] == 'iiwa_sim'


def test_what_was_measured_of_another_network_is_of_no_use_and_replaced(measured, calibrated):
    path = calibrated.folder / SOUND_FILE
    path.write_text(path.read_text().replace('network_sha256: ', 'network_sha256: 0'))
    assert run(calibrated.folder).exit_code == 0
    assert read_comparison(calibrated).provenance['robot'] == 'iiwa_sim'


def test_a_copy_is_a_model_and_the_first_stays_as_it_was(measured, calibrated, tmp_path):
    before = {p.name: p.read_bytes() for p in calibrated.folder.iterdir()}
    out = tmp_path / 'copies' / 'mine'
    result = run(calibrated.folder, '--out', out)
    assert result.exit_code == 0, result.output
    assert f'run it with --model {out}' in result.output
    copy = Network(out)
    assert copy.contract.checksums == calibrated.contract.checksums
    assert read_comparison(copy).provenance['robot'] == 'iiwa_sim'
    assert {p.name: p.read_bytes() for p in calibrated.folder.iterdir()} == before
    assert [p.name for p in out.parent.iterdir()] == ['mine']


def test_a_folder_that_is_there_is_no_place_for_a_copy(measured, model, tmp_path):
    (tmp_path / 'taken').mkdir()
    (tmp_path / 'taken' / 'kept').write_text('')
    result = run(model, '--out', tmp_path / 'taken')
    assert result.exit_code == 2
    assert 'is there already; name a new folder' in result.stderr
    assert not measured


def test_a_full_disk_leaves_no_half_a_copy(measured, calibrated, tmp_path, full_disk):
    with full_disk(100_000):
        result = run(calibrated.folder, '--out', tmp_path / 'copy')
    assert result.exit_code == 2
    assert 'cannot be written' in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ['model']
