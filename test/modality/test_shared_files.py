"""What comes with the package is found by name, and what is not there is told with what may be."""

from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.shared_files import CONTRACT_FILE, find_model, find_robot, typed
import pytest


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(find, name):
    with pytest.raises(ModalityError, match=f'no .* {name!r}') as refused:
        find(name)
    return str(refused.value)


def test_a_file_that_is_mistyped_names_the_one_beside_it_and_looks_at_one_place(somewhere):
    (somewhere / 'my_arm.yaml').write_text('')
    assert 'is my_arm.yaml meant?' in told(find_robot, 'my_arn.yaml')
    assert told(find_robot, 'my_arn.yaml').endswith(f'looked at {somewhere / "my_arn.yaml"}')


def test_a_path_of_a_model_is_not_looked_for_below_the_models_of_the_package(somewhere):
    (somewhere / 'models' / 'mine').mkdir(parents=True)
    said = told(find_model, 'models/mien')
    assert 'is models/mine meant?' in said
    assert 'models/models' not in said


def test_a_name_that_is_mistyped_names_what_comes_with_the_package():
    assert 'is panda_sim meant?' in told(find_robot, 'panda_sin')
    assert 'is touch_target meant?' in told(find_model, 'touch_targt')


def test_a_name_like_none_is_told_which_there_are():
    assert 'with the package come icub, iiwa_imitate' in told(find_robot, 'nobody')


def test_what_comes_with_the_package_is_typed_by_name_and_all_else_as_a_path(somewhere):
    assert typed(find_robot('panda_sim')) == 'panda_sim'
    assert typed(find_model('press')) == 'press'
    (somewhere / 'my arm.yaml').write_text('')
    assert typed(find_robot('my arm.yaml')) == "'my arm.yaml'"
    assert typed(somewhere / 'panda_sim.yaml') == str(somewhere / 'panda_sim.yaml')


def test_a_folder_of_that_name_is_neither_the_robot_nor_the_model(somewhere):
    (somewhere / 'iiwa_sim').mkdir()
    (somewhere / 'press').mkdir()
    assert find_robot('iiwa_sim').name == 'iiwa_sim.yaml'
    assert (find_model('press') / CONTRACT_FILE).is_file()
    (somewhere / 'press' / CONTRACT_FILE).write_text('')
    assert find_model('press') == Path('press')


def test_a_way_that_leads_out_of_the_folder_is_no_name(somewhere):
    told(find_model, '../models/press')


def test_what_is_neither_is_left_to_its_reader(somewhere):
    (somewhere / 'mine').mkdir()
    assert find_model('mine') == Path('mine')


def test_what_the_system_refuses_is_told(somewhere):
    with pytest.raises(ModalityError, match='name too long'):
        find_robot(300 * 'a')
