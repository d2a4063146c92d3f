"""The optimiser and its rate."""

from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
import pytest
import torch


@pytest.mark.parametrize('schedule', RateSchedule)
def test_a_rate_is_warmed_up_first(schedule):
    factors = [schedule.factor(step, 10**6, 4) for step in range(5)]
    assert factors == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0], abs=1e-4)
    assert schedule.factor(0, 100, 0) == 1.0


def test_a_constant_rate_stays_and_a_cosine_goes_to_nothing_and_not_up_again():
    assert RateSchedule.CONSTANT.factor(10**5, 100, 4) == 1.0
    halfway, last, after = (RateSchedule.COSINE.factor(step, 100, 4) for step in (50, 100, 150))
    assert (halfway, last, after) == pytest.approx((0.5, 0.0, 0.0))


@pytest.mark.parametrize('schedule', RateSchedule)
def test_a_warm_up_that_leaves_no_time_to_learn_is_told_with_what_to_do(schedule):
    told = schedule.slowness(130, 200, 0.001)
    assert 'warmup_steps 200 is more than all 130 steps' in told
    assert 'to 13 for example' in told
    assert 'more than half of all 300 steps' in schedule.slowness(300, 200, 0.001)
    assert not schedule.slowness(400, 200, 0.001)
    assert not schedule.slowness(1, 0, 0.001)


def test_how_far_the_rate_rises_is_told():
    told = RateSchedule.CONSTANT.slowness(50, 200, 0.001)
    assert 'rises to 0.00025 instead of 0.001' in told


@pytest.mark.parametrize(
    ('name', 'kind'),
    [(OptimiserName.ADAM, torch.optim.Adam), (OptimiserName.ADAMW, torch.optim.AdamW)],
)
def test_an_optimiser_is_built_as_named(name, kind):
    built = OptimiserConfig(name, 0.3).build([torch.nn.Parameter(torch.ones(2))], 0.01)
    assert type(built) is kind
    assert (built.defaults['lr'], built.defaults['weight_decay']) == (0.01, 0.3)


def test_what_is_not_said_is_what_pytorch_takes():
    parameter = torch.nn.Parameter(torch.ones(1))
    assert OptimiserConfig().build([parameter], 0.1).defaults == (
        torch.optim.AdamW([parameter], lr=0.1).defaults
    )
