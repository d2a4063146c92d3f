"""Files that are no YAML mapping, and values that are not what they should be."""

from enum import StrEnum
import re

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.reader import read_yaml, Section
import pytest
import yaml


class Colour(StrEnum):
    """To choose from."""

    RED = 'red'


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'\xff\xfe\x00', 'is not text'),
        (b'a: [1', 'is not valid YAML'),
        (b'a: \x01', 'is not valid YAML'),
        (b'when: 2024-13-40', 'is not valid YAML'),
        (b'[' * 20000, 'is not valid YAML'),
        (b'- 1\n- 2', 'expected a mapping, found list'),
        (b'', 'expected a mapping, found NoneType'),
        (b'!!python/object/apply:os.system [true]', 'is not valid YAML'),
    ],
    ids=['binary', 'open', 'control', 'date', 'deep', 'list', 'empty', 'code'],
)
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path, content, words):
    path = tmp_path / 'broken.yaml'
    path.write_bytes(content)
    with pytest.raises(ModalityError, match=words) as refused:
        read_yaml(path)
    assert str(path) in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(ModalityError, match=r'nothing\.yaml: cannot be read: No such file'):
        read_yaml(tmp_path / 'nothing.yaml')
    with pytest.raises(ModalityError, match='cannot be read'):
        read_yaml(tmp_path)


@pytest.mark.parametrize('value', ['1', True, None, float('nan'), float('inf'), [1], 10**400])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ModalityError, match='x: a '):
        Section({'a': value}, 'x').number('a')


@pytest.mark.parametrize(
    ('read', 'value'),
    [
        (Section.integer, 1.0), (Section.integer, True), (Section.integer, -1),
        (Section.text, 3),
        (Section.numbers, [1, 'a']), (Section.numbers, 1), (Section.numbers, [True]),
        (Section.texts, ['a', 1]), (Section.shape, []), (Section.shape, [1.0]),
        (Section.shape, [True]), (Section.section, 'a'),
        (lambda s, k: s.choice(k, Colour), 'blue'), (lambda s, k: s.choice(k, Colour), ['red']),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_with_itself(read, value):
    with pytest.raises(ModalityError, match='here: a') as refused:
        read(Section({'a': value}, 'here'), 'a')
    assert repr(value) in str(refused.value)


def test_a_default_stands_in_for_what_is_absent_or_null():
    section = Section({'b': None}, 'here')
    assert section.number('a', default=2.5) == 2.5
    assert section.text('b', default='x') == 'x'
    assert section.choice('c', Colour, Colour.RED) is Colour.RED
    section.done()


def test_a_default_of_nothing_is_a_default_too():
    section = Section({}, 'here')
    assert section.texts('b', default=()) == ()
    assert section.integer('c', default=0) == 0


@pytest.mark.parametrize(
    ('typed', 'meant'),
    [
        ('learningrate', 'learning_rate'),
        ('leraning_rate', 'learning_rate'),
        ('Epochs', 'epochs'),
        ('epoch', 'epochs'),
    ],
)
def test_a_missing_key_names_the_one_that_it_was_typed_as(typed, meant):
    section = Section({typed: 1, 'batch_size': 2}, 'here')
    with pytest.raises(ModalityError, match=f'{meant} is missing; is {typed} meant to be it'):
        section.number(meant)


@pytest.mark.parametrize(('other', 'missing'), [('decoder', 'encoder'), ('start', 'plateau')])
def test_a_key_that_will_be_read_later_is_not_called_unknown(other, missing):
    with pytest.raises(ModalityError, match=f'{missing} is missing$'):
        Section({other: 1}, 'here').number(missing)


@pytest.mark.parametrize(
    ('written', 'hint'), [('2e-3', '2.0e-3'), ('1.5E3', '1.5e+3'), ('-1e5', '-1.0e+5')]
)
def test_a_number_that_yaml_reads_as_text_is_told_how_to_be_written(written, hint):
    data = yaml.safe_load(f'a: {written}')
    with pytest.raises(ModalityError, match=re.escape(f'{written!r}, expected a number')) as told:
        Section(data, 'here').number('a')
    assert str(told.value).endswith(f'write {hint}')
    assert Section(yaml.safe_load(f'a: {hint}'), 'here').number('a') == float(written)


def test_a_key_that_nobody_read_is_unknown():
    section = Section({'rate': 1, 'rat': 2}, 'here')
    section.number('rate')
    with pytest.raises(ModalityError, match=r'here: unknown key rat \(is rate meant\?\); known'):
        section.done()


def test_an_unknown_key_that_is_like_none_is_named_alone():
    section = Section({'rate': 1, 'colour': 2}, 'here')
    section.number('rate')
    with pytest.raises(ModalityError, match='here: unknown key colour; known are rate'):
        section.done()
