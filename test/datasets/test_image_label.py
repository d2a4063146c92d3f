"""Images with labels in idx files: plain or gzipped, or refused by file."""

import gzip
import struct

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.image_label import FASHION_MNIST, read_image_label
import numpy as np
import pytest

TRAIN_IMAGES, TRAIN_LABELS = 'train-images-idx3-ubyte', 'train-labels-idx1-ubyte'
TEST_IMAGES, TEST_LABELS = 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'
TRAIN_SIZE, TEST_SIZE = 12, 5


def images_file(pixels, magic=2051):
    return struct.pack('>4I', magic, *pixels.shape) + pixels.tobytes()


def labels_file(classes, magic=2049):
    return struct.pack('>2I', magic, len(classes)) + bytes(classes)


@pytest.fixture
def pixels(random):
    return random.integers(256, size=(TRAIN_SIZE, 28, 28)).astype(np.uint8)


@pytest.fixture
def files(pixels):
    """Return the content of the four files by name, to be spoilt at will."""
    return {
        TRAIN_IMAGES: images_file(pixels),
        TRAIN_LABELS: labels_file([9, *range(10), 0]),
        TEST_IMAGES: images_file(pixels[:TEST_SIZE]),
        TEST_LABELS: labels_file(range(TEST_SIZE)),
    }


@pytest.fixture
def read(tmp_path):
    def write_and_read(files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        return read_image_label(tmp_path)

    return write_and_read


def zipped(files):
    return {f'{name}.gz': gzip.compress(content) for name, content in files.items()}


@pytest.mark.parametrize('pack', [dict, zipped], ids=['plain', 'gzipped'])
def test_images_and_labels_come_out_as_they_went_in(read, files, pixels, pack):
    data = read(pack(files))
    assert (len(data.train), len(data.test)) == (TRAIN_SIZE, TEST_SIZE)
    batch = data.train.batch(np.array([11, 0, 0]))
    assert {n: (v.shape, v.dtype) for n, v in batch.items()} == {
        'image': ((3, 1, 784), np.float32),
        'label': ((3, 1, 10), np.float32),
    }
    np.testing.assert_allclose(
        batch['image'][:, 0], pixels.reshape(-1, 784)[[11, 0, 0]] / 255, rtol=1e-6
    )
    assert batch['label'][:, 0].argmax(axis=1).tolist() == [0, 9, 9]
    assert batch['label'].sum(axis=2).tolist() == [[1.0]] * 3


def test_pixels_stay_bytes_until_they_are_asked_for(read, files):
    assert read(files).train.pixels.dtype == np.uint8


def test_brightness_reaches_from_0_to_1(read, files):
    files[TEST_IMAGES] = images_file(np.stack([np.full((28, 28), v, 'u1') for v in [0, 255] * 2]))
    files[TEST_LABELS] = labels_file([0] * 4)
    images = read(files).test.batch(np.arange(4))['image']
    assert (images.min(), images.max()) == (0.0, 1.0)


def test_the_modalities_are_those_of_a_batch(read, files):
    data = read(files)
    sizes = {m.name: m.size for m in data.modalities}
    assert sizes == {n: v.shape[2] for n, v in data.test.batch(np.arange(2)).items()}
    assert data.train.modalities == data.test.modalities == data.modalities


@pytest.mark.parametrize('name', [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS])
def test_a_missing_file_is_named(read, files, name):
    del files[name]
    with pytest.raises(DatasetError, match=rf'lacks {name} \(plain or \.gz\)$'):
        read(files)


def test_the_default_folder_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr('mmvae_controller.datasets.image_label.FASHION_MNIST', tmp_path)
    with pytest.raises(DatasetError, match='apt install dataset-fashion-mnist'):
        read_image_label(tmp_path)


def spoilt_images(pixels):
    return [
        (images_file(pixels, magic=2052), 'magic number 2052, expected 2051'),
        (labels_file(range(9)) + bytes(9), 'magic number 2049, expected 2051'),
        (images_file(pixels[:, :27]), r'samples of shape \(27, 28\), expected \(28, 28\)'),
        (images_file(pixels)[:-1], '9423 bytes, expected 9424 for its 12 samples'),
        (images_file(pixels) + b'x', '9425 bytes, expected 9424 for its 12 samples'),
        (struct.pack('>4I', 2051, 2**32 - 1, 28, 28), '16 bytes, expected 3367254359296'),
        (images_file(pixels[:0]), 'holds no sample'),
        (images_file(pixels[:7]), '12 labels for 7 images of train-images'),
        (b'\0' * 15, '15 bytes, its header alone has 16'),
        (b'', '0 bytes, its header alone has 16'),
    ]


@pytest.mark.parametrize('case', range(10))
@pytest.mark.parametrize('pack', [dict, zipped], ids=['plain', 'gzipped'])
def test_images_that_do_not_fit_are_refused_by_file(read, files, pixels, pack, case):
    files[TRAIN_IMAGES], words = spoilt_images(pixels)[case]
    with pytest.raises(DatasetError, match=f'train-(images|labels).*: {words}'):
        read(pack(files))


def test_a_label_that_is_no_class_is_refused_by_row(read, files):
    files[TEST_LABELS] = labels_file([0, 9, 10, 3, 255])
    with pytest.raises(DatasetError, match=f'{TEST_LABELS}: label 10 in row 2, expected 0 to 9'):
        read(files)


def test_a_gzipped_file_that_is_cut_short_or_damaged_is_refused(read, files):
    packed = zipped(files)
    whole = packed[f'{TRAIN_IMAGES}.gz']
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for content in (*(whole[:n] for n in (3, 11, 100, len(whole) - 1)), bytes(flipped)):
        packed[f'{TRAIN_IMAGES}.gz'] = content
        with pytest.raises(DatasetError, match=rf'{TRAIN_IMAGES}\.gz: cannot be read'):
            read(packed)


def test_the_gzipped_file_of_a_pair_is_read_whatever_it_is_called(read, files):
    files[TRAIN_LABELS] = gzip.compress(files[TRAIN_LABELS])
    assert len(read(files).train) == TRAIN_SIZE


@pytest.mark.skipif(not FASHION_MNIST.is_dir(), reason='dataset-fashion-mnist is not installed')
def test_fashion_mnist_is_read():
    data = read_image_label()
    assert (len(data.train), len(data.test)) == (60000, 10000)
    labels = data.test.batch(np.arange(10000))['label']
    assert labels.sum(axis=(0, 1)).tolist() == [1000.0] * 10
