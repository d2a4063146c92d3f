"""What a sense that is a picture comes in: the pixels of a camera, ranges, or the points of a map.

A model knows the name of each channel alone; how the numbers lie in a message is the robot's.
"""

from __future__ import annotations

from dataclasses import dataclass

RGB = ('red', 'green', 'blue')
BGR = ('blue', 'green', 'red')
GREY = ('grey',)
DEPTH = ('depth',)
HEIGHT = ('height',)
# Channels whose levels are no brightness, but how far away something is or how high.
RANGES = (DEPTH, HEIGHT)
# Their levels: where nothing came back, and both ends of what can come back.
NO_RETURN, LOWEST, HIGHEST = 0, 1, 255
# What each encoding of sensor_msgs/Image says about the channels. Alpha is dropped, and the mosaic
# of a Bayer sensor becomes colours.
COLOURS_OF = {
    'rgb8': RGB,
    'bgr8': BGR,
    'mono8': GREY,
    'rgba8': RGB,
    'bgra8': BGR,
    'bayer_rggb8': RGB,
    'bayer_bggr8': RGB,
    'bayer_gbrg8': RGB,
    'bayer_grbg8': RGB,
    '16UC1': DEPTH,
    '32FC1': DEPTH,
}
# What JPEG and PNG are decoded to.
DECODED_ENCODINGS = ('rgb8', 'bgr8', 'mono8')
BAYER_ENCODINGS = tuple(e for e in COLOURS_OF if e.startswith('bayer_'))
DEPTH_ENCODINGS = tuple(e for e, colours in COLOURS_OF.items() if colours == DEPTH)


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """What a camera publishes.

    Args:
        encoding: A key of `COLOURS_OF`; another one is refused.
        camera_size: Height and width in pixels of what the camera publishes, shrunk to the shape
            of the modality; None: it publishes that shape.
        depth_m: Of a depth encoding, and only of one, near and far in m: they become 1 and 255,
            what is nearer or farther as well; 0 is no return.

    """

    encoding: str
    camera_size: tuple[int, int] | None = None
    depth_m: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class HeightMap:
    """What part of a point cloud becomes a picture, in the frame of the cloud.

    It is seen from above: the first row is at `x_max`, the first column at `y_max`, so that with
    x ahead and y to the left (REP 103) ahead is up.

    Args:
        area_m: x_min, x_max, y_min, y_max; points outside are left out.
        height_m: z_min, z_max: they become 1 and 255, what is lower or higher as well; 0 is no
            point.

    """

    area_m: tuple[float, float, float, float]
    height_m: tuple[float, float]
