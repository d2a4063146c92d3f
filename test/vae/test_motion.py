"""What moved between the two steps of a picture, as a feature of its own."""

from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.branches import ImageIn
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.widening import widened
import pytest
import torch

MOTION = 10.0


@pytest.fixture
def camera(robot, network_data):
    """Return what builds the way in of the camera, which sees its motion or not."""

    def build(motion):
        network_data['branches']['camera']['motion'] = motion
        config = network_config(Section(network_data, 'test'), robot.modalities)
        torch.manual_seed(1)
        return ImageIn(robot.modalities[0], config).eval()

    return build


@pytest.fixture
def pictures():
    return torch.rand((3, 2, 8, 8, 3), generator=torch.Generator().manual_seed(2))


BOTH = torch.ones(3, 2)


def test_it_comes_after_all_that_was_there_without_it(camera, pictures):
    plain, moving = camera(0.0), camera(MOTION)
    moving.encoder.load_state_dict(plain.encoder.state_dict())
    without, with_motion = plain(pictures, BOTH), moving(pictures, BOTH)
    assert moving.features == with_motion.shape[1] == plain.features + plain.encoder.places
    assert torch.equal(with_motion[:, : plain.features], without)


def test_it_is_how_far_each_place_moved(camera, pictures):
    branch = camera(MOTION)
    moved = branch(pictures, BOTH)[:, -branch.encoder.places :]
    each = [branch.encoder(pictures[:, step].permute(0, 3, 1, 2)) for step in (0, 1)]
    expected = MOTION * (each[1] - each[0])[:, : branch.encoder.places]
    torch.testing.assert_close(moved, expected)
    still = pictures[:, :1].expand(-1, 2, -1, -1, -1)
    assert torch.all(branch(still, BOTH)[:, -branch.encoder.places :] == 0)


@pytest.mark.parametrize('hidden', [0, 1])
def test_of_one_picture_nothing_is_known_to_move(camera, pictures, hidden):
    branch = camera(MOTION)
    known = BOTH.clone()
    known[:, hidden] = 0
    assert torch.all(branch(pictures, known)[:, -branch.encoder.places :] == 0)


def test_in_training_and_under_many_masks_it_is_the_same(camera, pictures):
    branch = camera(MOTION)
    known = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    asked = branch(pictures, known)
    torch.testing.assert_close(branch.train()(pictures, known), asked)
    rows = torch.arange(3)
    torch.testing.assert_close(branch.eval()(pictures, known, rows), asked)


def test_a_vector_needs_none(robot, network_data):
    network_data['branches']['joints']['motion'] = 1.0
    with pytest.raises(VaeError, match='joints: motion is for images'):
        network_config(Section(network_data, 'test'), robot.modalities)


@pytest.fixture
def network(robot, network_data):
    """Return what builds a network whose camera sees its motion or not, from layers of its own."""

    def build(motion, shared_encoder):
        network_data['branches']['camera']['motion'] = motion
        network_data['shared_encoder'] = shared_encoder
        config = network_config(Section(network_data, 'test'), robot.modalities)
        return TwoStepVAE(robot.modalities, config).eval()

    return build


@pytest.mark.parametrize('shared_encoder', [[12], []])
def test_weights_without_it_serve_a_network_with_it(network, robot, shared_encoder):
    old, new = network(0.0, shared_encoder), network(MOTION, shared_encoder)
    new.load_state_dict(widened(old.state_dict(), old, new))
    random = torch.Generator().manual_seed(3)
    values = {m.name: torch.rand((4, 2, *m.shape), generator=random) for m in robot.modalities}
    known = torch.ones(4, len(robot.modalities), 2)
    torch.testing.assert_close(new.encode(values, known).mean, old.encode(values, known).mean)
    same = widened(new.state_dict(), new, new)
    assert all(torch.equal(same[name], weight) for name, weight in new.state_dict().items())
