"""Reads where a sense of a robot YAML comes from; the keys depend on the type of its message."""

from __future__ import annotations

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.pictures import (
    BAYER_ENCODINGS,
    COLOURS_OF,
    DECODED_ENCODINGS,
    DEPTH_ENCODINGS,
    HEIGHT,
    HeightMap,
    HIGHEST,
    LOWEST,
    PictureFormat,
)
from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.robot import (
    CAMERA_MESSAGES,
    CHANNELS_OF,
    CONTACT_MESSAGES,
    CONTRAST_MARGIN,
    InputMessage,
    JOINT_PARTS,
    MOST_CONTRAST,
    SCALAR_MESSAGES,
    Source,
    TOUCHING,
    WRENCH_CHANNELS,
)
from mmvae_controller.modality.spec import Encoder, Modality

DEFAULT_ENCODING = 'rgb8'
IMAGE_RANK = 3
METRES = 'm'
LONGEST_PREDICTION_S = 60.0
# Below half a grey level rounding decides; above the other, a picture that was blank could never
# count again.
MIN_CONTRAST_RANGE = (0.5, MOST_CONTRAST / CONTRAST_MARGIN)
# OpenCV makes no colours of a mosaic with fewer rows or columns.
SMALLEST_MOSAIC = 4
# No depth camera tells less than 1 mm; what is beyond 10 km is most likely in mm.
SMALLEST_SPAN_M, FARTHEST_M = 0.001, 10_000.0


def colours_of(section: Section) -> tuple[str, ...]:
    """Return what the channels of a picture are called, by its encoding.

    Raises:
        ModalityError: No such encoding, or it has another number of channels than the shape.

    """
    shape = section.shape('shape')
    if len(shape) != IMAGE_RANK:
        return ('unnamed',) * shape[-1]  # The modality itself will refuse the shape.
    if section.text('message', '') == InputMessage.POINT_CLOUD:
        if shape[-1] != len(HEIGHT):
            raise ModalityError(
                f'{section.where}: shape is {list(shape)}, expected [rows, columns, 1]: one '
                'height for each cell'
            )
        return HEIGHT
    encoding = section.text('encoding', DEFAULT_ENCODING)
    colours = COLOURS_OF.get(encoding)
    if colours is None or len(colours) != shape[-1]:
        raise ModalityError(
            f'{section.where}: encoding {encoding!r} with {shape[-1]} channels, expected one of '
            f'{ ({name: len(found) for name, found in COLOURS_OF.items()}) }'
        )
    return colours


def read_source(section: Section, modality: Modality) -> Source:
    """Return where a sense comes from.

    Raises:
        ModalityError: A key is wrong, or does not fit the type of the message.

    """
    message = section.choice('message', InputMessage)
    is_camera, is_cloud = message in CAMERA_MESSAGES, message is InputMessage.POINT_CLOUD
    is_picture = is_camera or is_cloud
    if is_picture != (modality.encoder is Encoder.IMAGE):
        raise ModalityError(
            f'{section.where}: encoder {modality.encoder} does not fit message {message}'
        )
    _check_channels(section, modality, message)
    return Source(
        topic=section.text('topic'),
        message=message,
        part=_part(section) if message is InputMessage.JOINT_STATE else '',
        picture=_picture(section, modality, message) if is_camera else None,
        heights=_heights(section) if is_cloud else None,
        min_contrast=_min_contrast(section) if is_picture else None,
        max_prediction_s=_max_prediction_s(section, modality),
        compared=section.flag('compared', default=True),
    )


def unit_of(section: Section, source: Source) -> str:
    """Return the unit of a sense; of ranges and heights with what their levels mean.

    A data set and a model carry it: levels that mean other distances than those it was trained on
    would be read as another scene.

    Raises:
        ModalityError: The file says another one than m of ranges or heights.

    """
    unit, picture, heights = section.text('unit'), source.picture, source.heights
    if heights is not None:
        x_min, x_max, y_min, y_max = (f'{end:.9g}' for end in heights.area_m)
        area = f', over x {x_min} to {x_max} and y {y_min} to {y_max}'
        levels = _levels(heights.height_m) + area
    elif picture is not None and picture.depth_m is not None:
        levels = _levels(picture.depth_m)
    else:
        return unit
    if unit not in (METRES, levels):
        raise ModalityError(
            f'{section.where}: unit is {unit!r}, expected {METRES}, which becomes {levels!r}'
        )
    return levels


def _levels(span_m: tuple[float, float]) -> str:
    low, high = span_m
    return f'{METRES}, {LOWEST} at {low:.9g} to {HIGHEST} at {high:.9g}'


def _check_channels(section: Section, modality: Modality, message: InputMessage) -> None:
    channels = modality.channels
    if message in SCALAR_MESSAGES and len(channels) != 1:
        raise ModalityError(
            f'{section.where}: channels {list(channels)}, expected one: {message} carries one '
            'number'
        )
    forces = [c for c in channels if c in WRENCH_CHANNELS]
    if message in CONTACT_MESSAGES and forces:
        raise ModalityError(
            f'{section.where}: channels {forces}, expected {TOUCHING!r} alone: the force of a '
            'contact is that on the first of its two bodies, so its sign would depend on which '
            'body the simulator names first; a force comes as geometry_msgs/WrenchStamped, of a '
            'force-torque sensor'
        )
    allowed = CHANNELS_OF.get(message, channels)
    unknown = [c for c in channels if c not in allowed]
    if unknown:
        raise ModalityError(f'{section.where}: channels {unknown}, expected some of {allowed}')


def _part(section: Section) -> str:
    part = section.text('part', JOINT_PARTS[0])
    if part not in JOINT_PARTS:
        raise ModalityError(
            f'{section.where}: part is {part!r}, expected position, velocity or effort'
        )
    return part


def _picture(section: Section, modality: Modality, message: InputMessage) -> PictureFormat:
    encoding = section.text('encoding', DEFAULT_ENCODING)
    if message is InputMessage.COMPRESSED_IMAGE and encoding not in DECODED_ENCODINGS:
        raise ModalityError(
            f'{section.where}: encoding {encoding!r}, expected {" or ".join(DECODED_ENCODINGS)}: '
            f'{message} is decoded to colours; depth comes as {InputMessage.IMAGE}'
        )
    camera_size = _camera_size(section, modality)
    size = camera_size or modality.shape[: IMAGE_RANK - 1]
    if encoding in BAYER_ENCODINGS and any(n % 2 or n < SMALLEST_MOSAIC for n in size):
        raise ModalityError(
            f'{section.where}: encoding {encoding!r} of {size[0]} rows and {size[1]} columns, '
            f'expected even numbers of at least {SMALLEST_MOSAIC}'
        )
    return PictureFormat(encoding, camera_size, _depth_m(section, encoding))


def _camera_size(section: Section, modality: Modality) -> tuple[int, int] | None:
    if not section.has('camera_size'):
        return None
    size = section.shape('camera_size')
    height, width = modality.shape[:2]
    if len(size) != IMAGE_RANK - 1 or size[0] < height or size[1] < width:
        raise ModalityError(
            f'{section.where}: camera_size is {list(size)}, expected [height, width] of at least '
            f'{[height, width]}: pictures are only shrunk'
        )
    return size[0], size[1]


def _depth_m(section: Section, encoding: str) -> tuple[float, float] | None:
    if encoding in DEPTH_ENCODINGS:
        near, far = _spans(section, 'depth_m', 'near', 'far')
        if near < 0:
            raise ModalityError(
                f'{section.where}: depth_m begins at {near:g} m, expected 0 or more'
            )
        return near, far
    if section.has('depth_m'):
        raise ModalityError(
            f'{section.where}: depth_m belongs to encodings {", ".join(DEPTH_ENCODINGS)}, found '
            f'{encoding!r}'
        )
    return None


def _heights(section: Section) -> HeightMap:
    x_min, x_max, y_min, y_max = _spans(section, 'area_m', 'x_min', 'x_max', 'y_min', 'y_max')
    z_min, z_max = _spans(section, 'height_m', 'z_min', 'z_max')
    return HeightMap((x_min, x_max, y_min, y_max), (z_min, z_max))


def _spans(section: Section, key: str, *names: str) -> tuple[float, ...]:
    """Return pairs of numbers, each rising."""
    found = section.numbers(key)
    pairs = list(zip(found[::2], found[1::2], strict=False))
    rising = all(high - low >= SMALLEST_SPAN_M for low, high in pairs)
    if len(found) != len(names) or not rising or max(map(abs, found)) > FARTHEST_M:
        rises = ' and '.join(f'{a} < {b}' for a, b in zip(names[::2], names[1::2], strict=True))
        raise ModalityError(
            f'{section.where}: {key} is {list(found)}, expected [{", ".join(names)}] with '
            f'{rises}, in m, at least {SMALLEST_SPAN_M:g} apart and up to {FARTHEST_M:g}'
        )
    return found


def _max_prediction_s(section: Section, modality: Modality) -> float:
    if not section.has('max_prediction_s') or section.is_off('max_prediction_s'):
        return 0.0
    # Up to max_age_s a sample is no prediction.
    return section.number('max_prediction_s', low=modality.max_age_s, high=LONGEST_PREDICTION_S)


def _min_contrast(section: Section) -> float | None:
    if section.is_off('min_contrast'):
        return None
    low, high = MIN_CONTRAST_RANGE
    try:
        return section.number('min_contrast', low=low, high=high)
    except ModalityError as error:
        raise ModalityError(
            f'{error}; write the grey levels of contrast below which a picture shows nothing (a '
            'covered lens), or off: then every picture counts, a black one too'
        ) from error
