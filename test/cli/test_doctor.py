"""`mmvae doctor` where things are missing: faked, for they are all here."""

from pathlib import Path
import subprocess
import sys
from types import SimpleNamespace
import xml.etree.ElementTree as ElementTree

from mmvae_controller.cli import doctor_package, doctor_packages, doctor_ros, doctor_start
from mmvae_controller.cli.doctor import examine, run
from mmvae_controller.cli.doctor_machine import (
    judge_encoding,
    judge_ports,
    judge_priority,
    judge_shared_memory,
    may_set_priority,
)
from mmvae_controller.cli.doctor_package import copies, judge_models, judge_package, kind_of_place
from mmvae_controller.cli.doctor_packages import judge_packages, judge_python
from mmvae_controller.cli.doctor_ros import (
    judge_domain,
    judge_profile,
    judge_range,
    judge_ros,
    MESSAGES,
)
from mmvae_controller.cli.doctor_start import judge_start, Started, wheels
from mmvae_controller.cli.findings import exit_code, Finding, Level
import pytest

ROOT = Path(__file__).parents[2]


def of(findings, subject):
    return [f for f in findings if f.subject == subject]


@pytest.mark.parametrize(
    ('module', 'level', 'needed_by'),
    [('numpy', 'missing', 'every command'), ('torch', 'note', 'training')],
)
def test_an_absent_package_is_told_with_what_needs_and_installs_it(
    monkeypatch, module, level, needed_by
):
    monkeypatch.setitem(sys.modules, module, None)
    (finding,) = of(judge_packages(), module)
    assert finding.level == level
    assert finding.message == f'is not installed; needed by {needed_by}'
    assert f'pip install {module}' in finding.todo


def test_a_package_that_breaks_when_imported_is_missing(monkeypatch, tmp_path):
    (tmp_path / 'broken_one.py').write_text('raise OSError("libGL.so.1: cannot open")')
    monkeypatch.syspath_prepend(tmp_path)
    broken = doctor_packages.Package('broken_one', 'broken', 'reading pictures')
    monkeypatch.setattr(doctor_packages, 'PACKAGES', (broken,))
    (finding,) = of(judge_packages(), 'broken_one')
    assert finding.level is Level.MISSING
    assert 'OSError: libGL.so.1: cannot open' in finding.message


def test_what_is_here_is_found():
    (finding,) = of(judge_packages(), 'numpy')
    assert finding.level is Level.OK


def test_an_old_python_is_refused():
    assert judge_python((3, 11)).level is Level.OK
    assert judge_python((3, 10)).level is Level.MISSING


def test_without_ros_the_rest_is_still_told(monkeypatch):
    for name in ('rclpy', 'sensor_msgs', 'launch_ros'):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    findings = list(judge_ros())
    assert of(findings, 'rclpy')[0].level is Level.MISSING
    assert '/opt/ros/jazzy/setup.bash' in of(findings, 'rclpy')[0].todo
    assert 'ros-jazzy-sensor-msgs' in of(findings, 'messages')[0].todo
    assert of(findings, 'launch files')[0].level is Level.NOTE
    assert of(findings, 'RMW') == []
    assert of(findings, 'ROS_DOMAIN_ID')


def test_the_messages_are_those_of_the_manifest():
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    needed = {e.text for e in manifest.findall('exec_depend')}
    others = {'ament_index_python', 'launch', 'launch_ros', 'rclpy'}
    assert {n for n in needed if not n.startswith('python3-')} - others == set(MESSAGES)


@pytest.mark.parametrize(
    ('value', 'level'),
    [
        ('', 'ok'),
        ('0', 'ok'),
        ('101', 'ok'),
        ('102', 'note'),
        ('232', 'note'),
        ('233', 'missing'),
        ('-1', 'missing'),
        ('lab', 'missing'),
    ],
)
def test_a_domain_is_judged(value, level):
    assert judge_domain({'ROS_DOMAIN_ID': value}).level == level


@pytest.mark.parametrize(
    ('env', 'level'),
    [
        ({}, 'ok'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}, 'ok'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, 'note'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'near'}, 'missing'),
        ({'ROS_LOCALHOST_ONLY': '1'}, 'note'),
        ({'ROS_LOCALHOST_ONLY': '0'}, 'ok'),
    ],
)
def test_how_far_nodes_talk_is_judged(env, level):
    assert judge_range(env).level == level


NEW, OLD = 'FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'
PROFILE = ROOT / 'config/fastdds.xml'


@pytest.mark.parametrize(
    ('env', 'level', 'told'),
    [
        ({}, 'note', f'export {OLD}={PROFILE}'),
        ({OLD: '/nowhere.xml'}, 'missing', '/nowhere.xml is no file'),
        ({OLD: str(PROFILE)}, 'ok', f'{OLD}={PROFILE}'),
        ({NEW: str(PROFILE)}, 'note', 'does not read that'),
    ],
)
def test_a_profile_counts_where_it_is_a_file_and_read(env, level, told):
    finding = judge_profile(env, (OLD,), PROFILE)
    assert finding.level == level
    assert told in str(finding)


@pytest.mark.parametrize(('used', 'judged'), [('rmw_fastrtps_cpp', 1), ('rmw_cyclonedds_cpp', 0)])
def test_only_fast_dds_has_such_a_profile(monkeypatch, used, judged):
    monkeypatch.setattr(doctor_ros, 'start', lambda: Started(used, ''))
    monkeypatch.setattr(doctor_start, 'is_there', lambda module: True)
    findings = list(judge_ros())
    assert used in of(findings, 'RMW')[0].message
    assert len(of(findings, 'DDS profile')) == judged


def test_a_profile_that_is_no_xml_is_missing(tmp_path):
    broken = tmp_path / 'broken.xml'
    broken.write_text('<dds')
    finding = judge_profile({OLD: str(broken)}, (OLD,), PROFILE)
    assert finding.level is Level.MISSING
    assert 'Fast DDS goes on without' in finding.message


@pytest.mark.ros
@pytest.mark.parametrize(
    ('variable', 'value', 'subject', 'todo'),
    [
        ('RMW_IMPLEMENTATION', 'rmw_nothing_cpp', 'RMW', 'unset RMW_IMPLEMENTATION'),
        ('ROS_LOG_DIR', '/proc/none', 'ROS log', 'export ROS_LOG_DIR'),
    ],
)
def test_what_ends_the_process_that_starts_ros_does_not_end_the_doctor(
    monkeypatch, variable, value, subject, todo
):
    pytest.importorskip('rclpy')
    monkeypatch.setenv(variable, value)
    (finding,) = of(judge_ros(), subject)
    assert finding.level is Level.MISSING
    assert value in finding.message
    assert todo in finding.todo


@pytest.mark.parametrize('code', ['raise ImportError("libyaml.so")', 'import os; os._exit(9)'])
def test_an_rclpy_that_does_not_start_is_told(monkeypatch, tmp_path, code):
    (tmp_path / 'rclpy').mkdir()
    (tmp_path / 'rclpy' / '__init__.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    monkeypatch.setattr(doctor_start, 'is_there', lambda module: True)
    finding = of(judge_ros(), 'rclpy')[0]
    assert finding.level is Level.MISSING
    assert 'libyaml.so' in finding.message or 'exit code 9' in finding.message


def test_a_second_rclpy_on_the_path_is_noted(monkeypatch, tmp_path):
    for name in ('one', 'two'):
        (tmp_path / name / 'rclpy').mkdir(parents=True)
        (tmp_path / name / 'rclpy' / '__init__.py').touch()
    monkeypatch.setattr(sys, 'path', [str(tmp_path / 'one'), str(tmp_path / 'two')])
    (finding,) = [f for f in judge_start(Started('rmw', ''), '') if f.what == 'place']
    assert finding.level is Level.NOTE
    assert str(tmp_path / 'two' / 'rclpy') in finding.message
    assert str(tmp_path / 'one' / 'rclpy') not in finding.message


def test_wheels_of_two_distributions_in_one_environment_are_told(monkeypatch):
    one = ['ros-jazzy-std-msgs', 'ros-rcl', 'numpy']
    assert wheels(one) == ['jazzy']
    both = [SimpleNamespace(name=name) for name in [*one, 'ros-kilted-std-msgs']]
    monkeypatch.setattr(doctor_start.metadata, 'distributions', lambda: both)
    (finding,) = [f for f in judge_start(Started('rmw', ''), '') if f.what == 'wheels']
    assert finding.level is Level.MISSING
    assert 'of jazzy and kilted' in finding.message


def test_where_the_package_is_from(tmp_path, monkeypatch):
    overlay = tmp_path / 'install'
    inside = overlay / 'lib' / 'python3' / 'site-packages' / 'mmvae_controller'
    inside.mkdir(parents=True)
    (inside / '__init__.py').touch()
    assert kind_of_place(inside, [overlay]) == 'an overlay of colcon'
    assert kind_of_place(inside, []) == 'installed'
    assert kind_of_place(ROOT / 'mmvae_controller', [ROOT]).startswith('sources')
    assert copies([str(inside.parent), str(tmp_path), str(inside.parent)]) == [inside]
    monkeypatch.syspath_prepend(inside.parent)
    hidden = [f for f in judge_package() if f.level is Level.NOTE and f.what == 'place']
    assert str(inside) in hidden[0].message


def test_a_version_that_pip_does_not_know_is_noted(monkeypatch):
    monkeypatch.setattr(doctor_package, 'version_of', lambda project: '0.0.1')
    (finding,) = [f for f in judge_package() if f.what == 'version']
    assert finding.level is Level.NOTE


def test_the_shipped_models_answer_and_a_damaged_one_is_missing(monkeypatch, tmp_path):
    from mmvae_controller.modality import shared_files

    damaged = tmp_path / 'damaged'
    damaged.mkdir()
    (damaged / 'model.yaml').write_text('version https://git-lfs')
    shipped = ROOT / 'models' / 'touch_target'
    monkeypatch.setattr(shared_files, 'shipped_models', lambda: [shipped, damaged])
    assert [f.level for f in judge_models()] == [Level.OK, Level.MISSING]
    monkeypatch.setattr(shared_files, 'shipped_models', list)
    assert [f.level for f in judge_models()] == [Level.MISSING]


def test_without_onnxruntime_no_model_is_asked():
    code = (
        'import sys; sys.modules["onnxruntime"] = None\n'
        'from mmvae_controller.cli.doctor_package import judge_models\n'
        'print(*judge_models())'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith('note: models answers: not asked: '), done.stderr
    assert 'onnxruntime' in done.stdout


def test_little_shared_memory_is_noted(monkeypatch, tmp_path):
    import os

    few = SimpleNamespace(f_bavail=10, f_frsize=2**20)
    monkeypatch.setattr(os, 'statvfs', lambda place: few)
    finding = judge_shared_memory(tmp_path)
    assert (finding.level, finding.message) == (
        Level.NOTE,
        '10 MiB free, expected at least 64',
    )
    assert judge_shared_memory(tmp_path / 'none').level is Level.NOTE


@pytest.mark.parametrize('name', ['fastrtps_port20167', 'fastdds_port7411'])
def test_shared_memory_that_a_killed_node_left_half_made_is_named(tmp_path, name):
    half = tmp_path / name
    half.touch()
    (tmp_path / 'fastrtps_port7412').write_bytes(bytes(8))
    # A lock is empty, and stays where it is.
    (tmp_path / f'{name}_el').touch()
    (tmp_path / 'fastrtps_9fa87f_el').touch()
    made_s = half.stat().st_mtime
    assert not list(judge_ports(tmp_path, made_s + 1))
    (finding,) = judge_ports(tmp_path, made_s + 60)
    assert (finding.subject, finding.level) == (str(half), Level.MISSING)
    assert f'rm {half}' in finding.todo


def test_another_encoding_is_noted():
    assert judge_encoding('utf-8').level is Level.OK
    assert judge_encoding('ascii').level is Level.NOTE


@pytest.mark.parametrize(
    ('limit', 'capable', 'level'),
    [(0, False, 'note'), (0, True, 'ok'), (99, False, 'ok'), (-1, False, 'ok')],
)
def test_whether_real_time_priority_is_permitted(limit, capable, level):
    assert judge_priority(limit, capable).level == level


@pytest.mark.parametrize(
    ('mask', 'capable'), [('0000000000800000', True), ('0000000000400000', False)]
)
def test_the_capability_is_read_from_the_status(mask, capable):
    assert may_set_priority(f'Name:\tx\nCapEff:\t{mask}\n') is capable
    assert may_set_priority('') is False


def test_a_part_that_breaks_does_not_silence_the_others():
    def broken():
        raise RuntimeError('no such thing')
        yield

    fine = Finding('a', 'b', Level.OK, 'c')
    findings = examine({'broken': broken, 'fine': lambda: [fine]})
    assert findings[1] is fine
    assert findings[0].message == 'RuntimeError: no such thing'
    assert exit_code(findings) == 1


def test_a_part_that_wants_to_leave_does_not_silence_the_others():
    def leaving():
        raise SystemExit('boom')
        yield

    (finding,) = examine({'leaving': leaving})
    assert finding.message == 'SystemExit: boom'


def test_it_exits_with_1_and_says_how_many_when_something_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    assert run() == 1
    assert 'missing.' in capsys.readouterr().out


def test_it_runs_where_no_package_is_installed_at_all():
    """Python alone, without site-packages: not even typer and rich are there."""
    command = [sys.executable, '-S', '-m', 'mmvae_controller.cli.doctor']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert 'missing: numpy package: is not installed' in done.stdout
    assert 'missing: rclpy package' in done.stdout
    assert 'Traceback' not in done.stderr
