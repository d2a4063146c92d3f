"""The shipped model, calibrated, in the simulation: what joints that lie can make the arm do."""

from itertools import islice

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.comparison import read_comparison
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.tasks.standing import Standing
import numpy as np
import pytest

NS = 1_000_000_000
SEEDS = range(30000, 30003)


@pytest.fixture
def run(touch_network, iiwa, touch_simulator):
    """Return what runs an episode; what becomes of the readings depends on how long it is on."""

    def run_one(seed, distort=None):
        began_ns = []

        def since(values, now_ns):
            began_ns.append(now_ns)
            return distort(dict(values), (now_ns - began_ns[0]) / NS)

        controller = controller_of(touch_network, iiwa, comparison=read_comparison(touch_network))
        wiring = wire(iiwa, touch_simulator)
        return ticks(touch_simulator, controller, wiring, seed, distort=since if distort else None)

    return run_one


def mixed_up(values):
    if 'joints' in values:
        values['joints'] = np.roll(values['joints'], 1)
    return values


@pytest.mark.parametrize('seed', SEEDS)
def test_none_is_taken_from_joints_that_lie_though_they_come_before_the_first_picture(run, seed):
    def late(values, elapsed_s):
        if elapsed_s < 0.06:
            values.pop('camera', None)
        return mixed_up(values)

    for number, tick in enumerate(run(seed, late)):
        assert tick.decision is None
        if number == 80:
            break


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('lying', [True, False])
def test_without_touch_joints_have_to_agree_with_the_camera(run, seed, lying):
    def without_touch(values, elapsed_s):
        values.pop('touch', None)
        return mixed_up(values) if lying else values

    taken = [tick.decision is not None for tick in islice(run(seed, without_touch), 40)]
    assert any(taken) is not lying


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('mirrored', [True, False])
def test_a_camera_that_lied_from_the_beginning_leads_no_arm_once_it_is_found(run, seed, mirrored):
    def lie(values, elapsed_s):
        if 'camera' in values:
            picture = values['camera'][:, ::-1].copy() if mirrored else values['camera'].copy()
            if not mirrored:
                picture[16:48, 16:48] = 90
            values['camera'] = picture
        return values

    moving = [
        tick.decision is not None and not tick.decision.holding
        for tick in islice(run(seed, lie), 120)
    ]
    assert not any(moving[24:])


@pytest.mark.slow
@pytest.mark.parametrize('seed', SEEDS)
def test_none_is_taken_from_joints_that_come_back_with_a_lie_after_a_silence(
    run, touch_simulator, monkeypatch, seed
):
    # Else the arm touches the ball, and the episode is over, before they are back.
    monkeypatch.setattr(touch_simulator.task, 'standing', lambda arm: Standing(False, False))

    def silent(values, elapsed_s):
        if 0.2 < elapsed_s < 4.0:
            values.pop('joints', None)
        return mixed_up(values) if elapsed_s >= 4.0 else values

    lost = False
    for tick in run(seed, silent):
        lost = lost or tick.idle == 'joints is not known'
        assert not lost or tick.decision is None
    assert lost


@pytest.mark.parametrize('seed', SEEDS)
def test_an_arm_that_is_blocked_is_let_go_as_if_its_senses_were_not_compared(
    run, iiwa, touch_simulator, monkeypatch, seed
):
    free, blocked_rad = touch_simulator.command, []

    def command(position_rad):
        if touch_simulator.outcome().elapsed_s > 0.3:
            blocked_rad.append(touch_simulator.arm.state()[0].copy())
        free(blocked_rad[0] if blocked_rad else position_rad)

    monkeypatch.setattr(touch_simulator, 'command', command)
    ahead_rad, last = 0.0, None
    for tick in run(seed):
        if tick.decision is not None:
            stands_rad = touch_simulator.arm.state()[0]
            ahead_rad = max(ahead_rad, np.abs(tick.decision.sent.position - stands_rad).max())
        last = tick
    assert ahead_rad < iiwa.max_following_error_rad + 0.04
    assert 'rad from its set-point' in last.idle
