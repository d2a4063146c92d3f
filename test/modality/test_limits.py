"""Limits, from a configuration or from a robot description."""

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import JointLimits, limits_from_urdf
import numpy as np
import pytest

URDF = """<?xml version="1.0"?>
<robot name="r">
  <joint name="b" type="revolute"><limit lower="-2" upper="3" velocity="4" effort="1"/></joint>
  <joint name="a" type="revolute"><limit lower="-1" upper="1" velocity="2" effort="1"/></joint>
  <joint name="wheel" type="continuous"><limit velocity="2" effort="1"/></joint>
  <joint name="fixed" type="fixed"/>
  <joint name="odd" type="revolute"><limit lower="low" upper="1" velocity="2"/></joint>
  <joint name="still" type="revolute"><limit lower="0" upper="1" velocity="0"/></joint>
  <ros2_control name="arm" type="system">
    <joint name="a"><command_interface name="position"/></joint>
  </ros2_control>
  <transmission name="t"><joint name="b"><hardwareInterface/></joint></transmission>
</robot>
"""


def test_a_description_gives_limits_in_the_order_that_was_asked_for():
    limits = limits_from_urdf(URDF, ('a', 'b'), 5.0)
    assert limits.lower_rad.tolist() == [-1, -2]
    assert limits.upper_rad.tolist() == [1, 3]
    assert limits.velocity_rad_s.tolist() == [2, 4]
    assert limits.acceleration_rad_s2.tolist() == [5, 5]


def test_what_ros2_control_says_of_a_joint_does_not_hide_its_limits():
    assert limits_from_urdf(URDF, ('a',), 5.0).upper_rad.tolist() == [1]


@pytest.mark.parametrize(
    ('urdf', 'joint', 'words'),
    [
        ('<robot', 'a', 'not valid XML'),
        ('', 'a', 'not valid XML'),
        (URDF, 'nobody', 'joint nobody is missing'),
        (URDF, 'fixed', 'joint fixed .* has no <limit>'),
        (URDF, 'odd', 'limit of odd'),
        (URDF, 'wheel', 'not finite.*wheel'),
        (URDF, 'still', 'limits of still: velocity and acceleration must be > 0'),
    ],
)
def test_a_description_without_usable_limits_is_refused_by_joint(urdf, joint, words):
    with pytest.raises(ModalityError, match=words):
        limits_from_urdf(urdf, (joint,), 5.0)


def test_an_acceleration_of_zero_is_refused():
    with pytest.raises(ModalityError, match='limits of a'):
        limits_from_urdf(URDF, ('a',), 0.0)


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('row', range(4))
def test_no_limit_is_ever_without_end(row, bad):
    numbers = np.array([[-1.0, -1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    numbers[row, 1] = bad
    with pytest.raises(ModalityError, match='not finite'):
        JointLimits(('a', 'b'), *numbers)
