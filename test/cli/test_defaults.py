"""The robot and the model that are taken where none is named."""

from mmvae_controller.cli.defaults import model_for, task_and_robot
from mmvae_controller.cli.errors import CliError
from mmvae_controller.modality.robot_file import robot_checksum
from mmvae_controller.modality.shared_files import find_model, find_robot
import pytest
import yaml

OWN, SHIPPED = 'my_arm.yaml', 'panda_sim.yaml'


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own(somewhere):
    """Return a robot YAML of one's own, in the working directory."""
    path = somewhere / OWN
    path.write_text(find_robot('panda_sim').read_text())
    return path


@pytest.fixture
def model_of(somewhere):
    """Return what makes a model's contract, with data of a robot file that says something."""

    def make(robot_file, checksum):
        contract = yaml.safe_load((find_model('panda_touch_target') / 'model.yaml').read_text())
        noted = {} if checksum is None else {'robot_sha256': checksum}
        contract['provenance']['dataset'] |= {'robot_file': robot_file, **noted}
        (somewhere / 'mine').mkdir()
        (somewhere / 'mine' / 'model.yaml').write_text(yaml.safe_dump(contract))
        return 'mine'

    return make


def test_a_model_is_run_on_the_file_here_that_its_data_was_collected_with(own, model_of):
    assert task_and_robot(model_of(OWN, robot_checksum(own)), None, None) == (
        'touch_target',
        OWN,
    )


def test_a_file_that_says_something_else_by_now_is_not_taken_for_it(own, model_of):
    model = model_of(OWN, robot_checksum(own))
    own.write_text(own.read_text().replace('rate_hz: 40', 'rate_hz: 20'))
    with pytest.raises(CliError, match=r'says something else by now; name the robot: --robot'):
        task_and_robot(model, None, None)
    assert task_and_robot(model, None, OWN)[1] == OWN


def test_a_robot_that_is_not_here_has_to_be_named(model_of):
    with pytest.raises(CliError, match=rf'collected with {OWN}, .*name the robot: --robot FILE'):
        task_and_robot(model_of(OWN, 'abc'), None, None)


def test_without_a_checksum_only_a_robot_of_the_package_is_known(own, model_of):
    with pytest.raises(CliError, match='name the robot: --robot FILE'):
        task_and_robot(model_of(OWN, None), None, None)


def test_a_file_that_is_called_as_one_of_the_package_is_not_taken_for_that(somewhere, model_of):
    model = model_of(SHIPPED, 'abc')
    with pytest.raises(CliError, match='that of the package says something else'):
        task_and_robot(model, None, None)


def test_data_of_a_robot_of_the_package_names_it(model_of):
    model = model_of(SHIPPED, robot_checksum(find_robot('panda_sim')))
    assert task_and_robot(model, None, None)[1] == 'panda_sim'


@pytest.mark.parametrize('robot', [OWN, 'ur5e'])
def test_no_model_is_chosen_for_a_robot_that_none_was_trained_for(own, robot):
    with pytest.raises(CliError, match='give --model FOLDER; of the package') as told:
        model_for(robot)
    assert ('fit panda_touch_target' in str(told.value)) == (robot == OWN)


def test_a_copy_that_is_called_as_a_robot_of_the_package_is_none_of_it(somewhere):
    (somewhere / SHIPPED).write_text(find_robot('panda_sim').read_text())
    with pytest.raises(CliError, match='give --model FOLDER'):
        model_for(SHIPPED)
