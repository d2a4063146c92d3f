"""Controller and simulation together: the whole loop over real DDS and a simulated clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.robot_file import load_robot
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = [pytest.mark.ros, pytest.mark.timed]

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from mmvae_controller.nodes.controller import ControllerNode  # noqa: E402
from mmvae_controller.nodes.simulation import SimulationNode  # noqa: E402
from mmvae_controller.nodes.wire.pointcloud import read_observation  # noqa: E402
from mmvae_controller.nodes.wire.qos import EPISODES  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import PointCloud2  # noqa: E402

SPEED_RAD_S = 0.2
CONTROL_HZ = 40
FRESH_S = 0.005


def test_two_episodes_run_smoothly_on_observations_as_fresh_as_in_training(
    peer: Any, iiwa_file: Path, iiwa_model: Path
):
    modalities = load_robot(iiwa_file).modalities
    episodes = peer.listen(DiagnosticStatus, 'simulation/episode', EPISODES)
    observations = peer.listen(PointCloud2, 'controller/observation')
    controller = peer.add(
        ControllerNode(
            context=peer.context,
            parameter_overrides=[
                Parameter('robot_file', value=str(iiwa_file)),
                Parameter('model', value=str(iiwa_model)),
                Parameter('use_sim_time', value=True),
            ],
        )
    )
    controller.start()
    peer.add(
        SimulationNode(
            context=peer.context,
            parameter_overrides=[
                Parameter('episodes', value=2),
            ],
        )
    )
    peer.until(lambda: len(episodes) == 2, 'two episodes')

    told = [{v.key: v.value for v in e.values} for e in episodes]
    for values in told:
        # The two nodes and the listener share one thread here, so some ticks are late.
        assert int(values['commands']) > 5 * CONTROL_HZ / 4
        # The first command of an episode starts from its posture, not from the last one's.
        assert float(values['max_command_step_rad']) < 4 * SPEED_RAD_S / CONTROL_HZ
    ages_s = np.array([read_observation(m, modalities).age_s for m in observations])
    joints = [m.name for m in modalities].index('joints')
    fresh = np.isfinite(ages_s[:, joints]).all(axis=1)
    for slot in (PREVIOUS, CURRENT):
        assert np.median(ages_s[fresh, joints, slot]) < FRESH_S
    # The arm obeys no more: who went on would find that its joints contradict what is sent.
    peer.until(lambda: controller._holds.between, 'the controller to hold after the last episode')
