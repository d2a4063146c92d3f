"""The command line as its user meets it: exit codes, one-line errors, whole files."""

from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys

from mmvae_controller import __version__
from mmvae_controller.cli import main as main_module
from mmvae_controller.cli.defaults import model_for, task_and_robot
from mmvae_controller.cli.main import app
import pytest
from typer.testing import CliRunner
import yaml

ROOT = Path(__file__).parents[2]
SMALL_TRAINING = {
    'name': 'small',
    'seed': 0,
    'epochs': 2,
    'batch_size': 64,
    'learning_rate': 0.001,
    'held_out': 0.5,
    'picture_share': 0.25,
    'kl': {'start': 0.1, 'plateau': 0.1, 'epochs': 1},
    'muting': {'policy': 1.0},
    'network': {
        'latent': 4,
        'shared_encoder': [16],
        'shared_decoder': [16],
        'branches': {
            'camera': {'encoder': [4, 4, 4, 4], 'decoder': [4, 4, 4, 4], 'weight': 0.0001},
            'joints': {'encoder': [8], 'decoder': [8]},
            'touch': {'encoder': [8], 'decoder': [8], 'variance_floor': 0.05},
            'motor': {'encoder': [8], 'decoder': [8]},
        },
    },
}


def run(*words: str | Path):
    return CliRunner().invoke(app, [str(w) for w in words])


def test_version_is_the_packages():
    assert run('version').stdout.strip() == __version__


def test_the_list_of_commands_loads_nothing_that_a_command_needs():
    """It is what a shell asks for at every Tab."""
    code = (
        'import sys\n'
        'import mmvae_controller.cli.main\n'
        "print(*{'cv2', 'matplotlib', 'numpy', 'rclpy', 'torch', 'yaml'} & sys.modules.keys())\n"
    )
    found = subprocess.run(
        [sys.executable, '-c', code], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert found.stdout.split() == []


def test_who_interrupts_does_not_wait_for_the_interpreter(monkeypatch):
    def end(code):
        def app():
            raise SystemExit(code)

        monkeypatch.setattr(main_module, 'app', app)
        main_module.main()

    left = []
    monkeypatch.setattr(main_module, 'leave', left.append)
    end(130)
    assert left == [130]
    with pytest.raises(SystemExit):
        end(2)
    assert left == [130]


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['rollout', 'nowhere'], "no model 'nowhere'"),
        (['rollout', '.'], 'is no model folder, it has no model.yaml'),
        (['rollout', 'touch_target', '--task', 'fly'], "no task 'fly', there are touch_target"),
        (['rollout', 'touch_target', '--robot', 'nobody'], "no robot 'nobody'"),
        (['train', '--dataset', '.', '--out', 'x'], 'is no complete data set'),
        (['collect', '--out', 'x', '--robot', 'nobody'], "no robot 'nobody'"),
        (['collect', '--out', 'x', '--learner', 'nobody'], "no model 'nobody'"),
        (['collect', '--out', 'x', '--learner', 'imitate'], 'is led by goals'),
        (['up', 'nobody'], "no robot 'nobody'"),
        (['check-robot', 'nobody'], "no robot 'nobody'"),
        (['check-robot', 'iiwa_sim', '--model', 'nobody'], "no model 'nobody'"),
        (['check-robot', 'iiwa_sim', '--namespace', '7 of 9'], 'is not valid'),
        (['check-robot', 'iiwa_sim', '--robot-description', 'x.urdf'], 'x.urdf: no robot desc'),
        (['demo', '--model', 'nowhere'], "no model 'nowhere'"),
        (['demo', '--model', 'imitate'], 'is led by goals'),
        (['calibrate', 'imitate'], 'is led by goals'),
    ],
)
def test_what_is_not_there_is_one_line_and_exit_code_2(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('given', 'used'),
    [
        (('imitate', None, None), ('imitate', 'iiwa_imitate')),
        (('imitate', 'press', None), ('press', 'iiwa_imitate')),
        (('imitate', None, 'my.yaml'), ('imitate', 'my.yaml')),
        (('touch_target', None, None), ('touch_target', 'iiwa_sim')),
        (('icub', None, None), ('touch_target', 'iiwa_sim')),
        (('', None, None), ('touch_target', 'iiwa_sim')),
        (('', 'press', None), ('press', 'iiwa_sim')),
    ],
)
def test_a_model_is_run_on_what_its_data_was_collected_with_unless_told(given, used):
    assert task_and_robot(*given) == used


@pytest.mark.parametrize(
    ('robot', 'model'),
    [
        (None, 'touch_target'),
        ('iiwa_sim', 'touch_target'),
        ('iiwa_intercept', 'intercept'),
        ('panda_sim', 'panda_touch_target'),
        ('iiwa_imitate', 'imitate'),
    ],
)
def test_a_robot_runs_the_model_that_was_trained_on_data_of_it_unless_told(robot, model):
    assert model_for(robot) == model


def test_the_demo_of_another_robot_asks_for_the_model_of_that_robot(tmp_path):
    refused = run('demo', '--robot', 'iiwa_imitate', '--out', tmp_path)
    assert refused.exit_code == 2
    assert 'iiwa_imitate.yaml is led by goals' in refused.stderr


def test_a_robot_that_the_model_does_not_fit_is_refused_by_name(tmp_path):
    robot = yaml.safe_load((ROOT / 'config/robots/iiwa_sim.yaml').read_text())
    robot['modalities']['touch']['channels'] = ['force.z']
    path = tmp_path / 'robot.yaml'
    path.write_text(yaml.safe_dump(robot))
    result = run('rollout', 'touch_target', '--robot', path)
    assert result.exit_code == 2
    assert "touch: channels of the robot is ['force.z']" in result.stderr


@pytest.mark.slow
def test_collect_train_and_rollout_make_a_model_that_runs(tmp_path):
    data, model, config = tmp_path / 'data', tmp_path / 'model', tmp_path / 'small.yaml'
    config.write_text(yaml.safe_dump(SMALL_TRAINING))
    collected = run('collect', '--out', data, '--episodes', 2, '--processes', 1)
    assert collected.exit_code == 0, collected.output
    trained = run('train', '--dataset', data, '--out', model, '--config', config)
    assert trained.exit_code == 0, trained.output
    assert {f.name for f in model.iterdir()} >= {
        'model.yaml',
        'network.onnx',
        'weights.safetensors',
        'logs',
    }
    report = tmp_path / 'out' / 'report.json'
    rolled = run('rollout', model, '--episodes', 1, '--json', report)
    assert rolled.exit_code == 0, rolled.output
    data = json.loads(report.read_text())
    assert {'success_rate', 'blind_success_rate', 'network_sha256'} <= data.keys()
    assert len(data['seeing']) == len(data['blind']) == 1
    assert not list(tmp_path.rglob('*.part'))


@pytest.mark.slow
def test_the_shipped_model_needs_its_eyes():
    """Few episodes, so a loose bound: the card has the figures of a hundred."""
    from mmvae_controller.control.network import Network
    from mmvae_controller.modality.robot_file import load_robot
    from mmvae_controller.modality.shared_files import find_model, find_robot
    from mmvae_controller.simulation.rollout import rollout

    network, robot = Network(find_model('touch_target')), load_robot(find_robot('iiwa_sim'))
    report = rollout(network, robot, 'touch_target', 10, 500, True, lambda kind, result: None)
    assert sum(r.success for r in report.seeing) >= 9
    assert sum(r.success for r in report.blind) <= 4


def test_a_robot_needs_neither_pybullet_nor_torch():
    """A real robot runs the controller and its diagnostics, and simulates nothing."""
    pytest.importorskip('rclpy')
    code = (
        'import sys\n'
        "sys.modules |= dict.fromkeys(['pybullet', 'pybullet_data', 'torch'])\n"
        'import mmvae_controller.cli.up\n'
        'import mmvae_controller.nodes.controller\n'
        'import mmvae_controller.nodes.diagnostics\n'
    )
    subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)
