"""The last line of an importance run says by which sense the robot steers."""

from dataclasses import replace

from mmvae_controller.importance.asking import ask, Question
from mmvae_controller.importance.measures import COMMAND_LOSS
from mmvae_controller.importance.page import page
from mmvae_controller.importance.report import report_data
from mmvae_controller.importance.summary import Spread
from mmvae_controller.importance.verdict import verdict
import pytest


@pytest.fixture
def answer(factor, modalities, gains, draw):
    network = factor(modalities, gains)
    return ask(network, draw(120), Question('data'), lambda *told: None)


@pytest.fixture
def losing(answer):
    """Return what has the command lose so many nats without eye, skin and itself."""

    def make(*means):
        policy = answer.protocols['policy']
        spreads = tuple(
            mean if mean is None else Spread(mean, mean / 10, None, None, 0.0, mean, 120)
            for mean in means
        )
        told = replace(policy, spreads={**policy.spreads, COMMAND_LOSS: spreads})
        return replace(answer, protocols={**answer.protocols, 'policy': told})

    return make


def test_senses_are_told_by_what_the_command_loses(losing):
    assert verdict(losing(2.0, 8.5, 99.0), median=False) == (
        'motor: relies most on skin (8.50 nats), then on eye (2.00 nats); under policy, at t'
    )


def test_what_is_not_needed_is_told_too(losing):
    said = verdict(losing(8.5, 0.4, 99.0), median=False)
    assert 'most on eye (8.50 nats), loses nothing without skin (0.400 nats);' in said


def test_a_command_that_no_sense_is_needed_for_is_told(losing):
    said = verdict(losing(0.1, 0.4, 99.0), median=False)
    assert said.startswith('motor: loses nothing without any one sense, most without skin (0.400')


def test_it_is_of_the_average_that_is_asked_for(losing):
    assert 'relies most' in verdict(losing(2.0, 0.1, 0.0), median=False)
    assert 'loses nothing without any one' in verdict(losing(2.0, 0.1, 0.0), median=True)


def test_a_sense_that_is_hidden_is_not_judged(losing):
    assert 'skin' not in verdict(losing(2.0, None, 1.0), median=False)
    assert verdict(losing(None, None, 1.0), median=False) == (
        'motor: no sense is known under policy'
    )


def test_numbers_and_page_say_it_and_nothing_where_nobody_asked(answer):
    said = verdict(answer, median=False)
    assert report_data(answer)['verdict'] == said
    assert f'<b>{said}</b>' in page(answer, {}, median=False)
    unasked = replace(answer, protocols={'complete': answer.protocols['complete']})
    assert not verdict(unasked, median=False)
    assert report_data(unasked)['verdict'] is None
    assert '<p><b></b></p>' not in page(unasked, {}, median=False)
