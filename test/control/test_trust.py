"""Which senses are believed: who is accused, since when, and when one is believed again."""

import math

from mmvae_controller.control.cusum import SoundRunning
from mmvae_controller.control.pace import AtMost
from mmvae_controller.control.rota import Channel
from mmvae_controller.control.trust import AGREE_S, Trust
from mmvae_controller.control.window import BEGINNING_NS, NS, ObservationWindow
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.spec import Encoder, Modality, Role
import numpy as np
import pytest

SOUND = SoundRunning(level=1.0, scale=0.5, allowance=0.5, threshold=15.0)
SURE = math.exp(1.0)  # What sound running says at most nine times in ten.
RARE = math.exp(3.0)  # Four times the scale above it.
PERIOD_NS = NS // 40
NAMES = ('camera', 'joints', 'touch')


def modality(name):
    return Modality(name, Role.SENSE, Encoder.VECTOR, (1,), 'm', ('x',), 0.2)


class Scripted:
    """Surprises as they are written down, by sense, and by sense and who is left out."""

    def __init__(self):
        self.now = dict.fromkeys(NAMES, SURE)
        self.without = {}
        self.pasts = set()
        self.past = True

    def has_past(self, name, window, now_ns):
        return self.past

    def of(self, name, window, observation, past, without=None):
        self.pasts.add(past)
        absent = [without, *(n for n in NAMES if window.distrusted_since_ns(n) is not None)]
        found = [self.without[name, n] for n in absent if (name, n) in self.without]
        return found[0] if found else self.now[name]


class Rig:
    """A trust whose clock runs from check to check."""

    def __init__(self, sound):
        self.window = ObservationWindow([modality(n) for n in NAMES], 0.1, {}, history_s=1.0)
        self.surprise = Scripted()
        self.trust = Trust(self.surprise, sound, self.window)
        self.now_ns = 10 * NS
        self.silent = set()

    def run(self, seconds, strayed_rad=None, urgent=None, anyhow=False):
        """Check for a while; return after how many seconds a sense was first distrusted."""
        first = None
        for number in range(round(seconds * NS / PERIOD_NS)):
            self.now_ns += PERIOD_NS
            for name in set(NAMES) - self.silent:
                self.window.push(name, np.zeros(1), self.now_ns)
            self.window.read(self.now_ns)
            strayed = None if strayed_rad is None else np.array([0.0, strayed_rad])
            seen = Observation(self.now_ns, {}, np.ones((3, 2), bool), None)
            self.trust.check(seen, strayed, urgent, anyhow)
            if first is None and any(self.trust.why(n) for n in NAMES):
                first = (number + 1) * PERIOD_NS / NS
        return first

    @property
    def accused(self):
        return [n for n in NAMES if self.trust.why(n)]


@pytest.fixture
def rig():
    return Rig({name: {Channel.PAST: SOUND} for name in NAMES})


def test_single_surprises_raise_no_alarm_however_large(rig):
    for _ in range(20):
        rig.surprise.now['camera'] = 1e9
        rig.run(0.1)
        rig.surprise.now['camera'] = SURE
        rig.run(1.5)
    assert rig.accused == []


def test_a_sense_that_goes_on_surprising_is_distrusted_from_when_it_began(rig):
    rig.run(1.0)
    began_ns = rig.now_ns
    rig.surprise.now['camera'] = RARE
    assert rig.run(2.0) == pytest.approx(0.35, abs=0.1)
    assert rig.accused == ['camera']
    assert rig.trust.why('camera') == 'contradicts the other senses and its own past'
    since_ns = rig.window.distrusted_since_ns('camera')
    assert began_ns < since_ns <= began_ns + 3 * PERIOD_NS


def test_a_sense_that_never_agreed_is_distrusted_from_before_everything(rig):
    rig.surprise.now['camera'] = RARE
    rig.run(1.0)
    assert rig.accused == ['camera']
    assert rig.window.distrusted_since_ns('camera') == BEGINNING_NS


def test_to_have_agreed_with_the_others_before_it_had_a_past_is_to_have_agreed():
    rig = vouching()
    rig.surprise.past = False
    rig.run(0.3)
    rig.surprise.past = True
    began_ns = rig.now_ns
    rig.surprise.now['camera'] = RARE
    rig.run(1.0)
    assert rig.accused == ['camera']
    assert rig.window.distrusted_since_ns('camera') > began_ns


def test_what_speaks_against_a_sense_began_with_the_first_that_did():
    rig = vouching()
    rig.surprise.past = False
    rig.run(0.3)
    began_ns = rig.now_ns
    rig.surprise.now['camera'] = RARE
    rig.run(0.25)
    assert rig.accused == []
    rig.surprise.past = True
    rig.run(1.0)
    assert rig.accused == ['camera']
    assert began_ns < rig.window.distrusted_since_ns('camera') <= began_ns + 3 * PERIOD_NS


def test_the_culprit_is_distrusted_from_when_on_it_made_another_one_surprising(rig):
    rig.run(1.0)
    began_ns = rig.now_ns
    rig.surprise.now |= {'joints': RARE}
    rig.surprise.without = {('joints', 'camera'): SURE, ('camera', 'joints'): RARE}
    assert rig.run(0.4) > 0.2
    assert rig.accused == ['camera']
    assert began_ns < rig.window.distrusted_since_ns('camera') <= began_ns + 3 * PERIOD_NS


def test_what_spoke_against_the_others_is_forgotten_when_a_lie_was_found(rig):
    rig.run(1.0)
    rig.surprise.now |= {'camera': RARE, 'joints': 0.9 * RARE}
    rig.surprise.without = {('joints', 'camera'): SURE, ('camera', 'joints'): RARE}
    rig.run(0.2)
    assert rig.trust.evidence('joints') > 0
    rig.run(0.8)
    assert rig.accused == ['camera']
    assert rig.trust.evidence('joints') == 0


def test_of_two_suspects_it_is_the_one_without_which_the_other_is_as_expected(rig):
    # The camera lies; the joints are expected where the camera shows them, and surprise more.
    rig.surprise.now |= {'camera': RARE, 'joints': 2 * RARE}
    rig.surprise.without = {('joints', 'camera'): SURE, ('camera', 'joints'): RARE}
    rig.run(1.0)
    assert rig.accused == ['camera']


@pytest.mark.parametrize('missing', ['silent', 'distrusted'])
def test_while_another_sense_is_missing_nobody_is_accused_by_the_model(rig, missing):
    if missing == 'silent':
        rig.silent = {'touch'}
    else:
        rig.surprise.now['touch'] = RARE
        rig.run(1.0)
    rig.run(0.5)
    rig.surprise.now['camera'] = RARE
    rig.run(3.0)
    assert 'camera' not in rig.accused


def test_joints_that_do_not_follow_are_found_whatever_else_is_missing():
    sound = SoundRunning(level=math.log(0.01), scale=0.5, allowance=0.5, threshold=15.0)
    rig = Rig({'joints': {Channel.FOLLOWING: sound}})
    rig.silent = {'camera', 'touch'}
    rig.run(1.0, strayed_rad=0.1)
    assert rig.accused == ['joints']


def test_a_sense_that_agrees_again_for_a_while_is_believed_again(rig):
    rig.surprise.now['touch'] = RARE
    rig.run(1.0)
    rig.surprise.now['touch'] = SURE
    rig.run(AGREE_S - 0.1)
    assert rig.accused == ['touch']
    rig.run(0.3)
    assert rig.accused == []
    assert rig.window.distrusted_since_ns('touch') is None
    assert rig.trust.evidence('touch') == 0


def test_silence_is_no_agreement(rig):
    rig.surprise.now['touch'] = RARE
    rig.run(1.0)
    rig.surprise.now['touch'] = SURE
    rig.run(0.1)
    rig.silent = {'touch'}
    rig.run(5.0)
    rig.silent = set()
    rig.run(0.1)
    assert rig.accused == ['touch']
    rig.run(0.6)
    assert rig.accused == []


def test_the_while_is_twice_as_long_after_each_relapse_and_short_again_much_later(rig):
    def seconds_until_believed():
        rig.surprise.now['touch'] = RARE
        rig.run(1.0)
        rig.surprise.now['touch'] = SURE
        for number in range(1000):
            if not rig.accused:
                return number * 0.1
            rig.run(0.1)
        return math.inf

    spans = [seconds_until_believed() for _ in range(3)]
    assert spans == pytest.approx([0.5, 1.0, 2.0], abs=0.25)
    rig.run(31.0)
    assert seconds_until_believed() == pytest.approx(0.5, abs=0.25)


def test_the_joints_are_compared_with_what_was_commanded_at_every_check():
    sound = SoundRunning(level=math.log(0.01), scale=0.5, allowance=0.5, threshold=15.0)
    rig = Rig({'joints': {Channel.FOLLOWING: sound}})
    assert rig.run(5.0, strayed_rad=0.01) is None
    assert rig.run(1.0, strayed_rad=-0.1) == pytest.approx(0.1, abs=0.05)
    assert rig.trust.why('joints') == 'contradicts what was commanded'
    rig.run(1.0, strayed_rad=0.005)
    assert rig.accused == []


def test_joints_are_believed_again_only_once_model_and_set_point_both_agree():
    following = SoundRunning(level=math.log(0.01), scale=0.5, allowance=0.5, threshold=15.0)
    rig = Rig(
        {'joints': {Channel.FOLLOWING: following, Channel.OTHERS: SOUND, Channel.PAST: SOUND}}
    )
    rig.run(1.0, strayed_rad=0.1)
    assert rig.accused == ['joints']
    rig.surprise.now['joints'] = RARE
    rig.run(2.0, strayed_rad=0.001)
    assert rig.accused == ['joints']
    rig.surprise.now['joints'] = SURE
    rig.run(2.0, strayed_rad=0.1)
    assert rig.accused == ['joints']
    rig.run(2.0)  # Without a set-point nobody can say that they are where they were sent.
    assert rig.accused == ['joints']
    rig.run(1.0, strayed_rad=0.001)
    assert rig.accused == []


def test_without_a_set_point_nothing_can_have_strayed_from_it():
    rig = Rig({'joints': {Channel.FOLLOWING: SOUND}})
    assert rig.run(1.0) is None
    assert rig.trust.evidence('joints') == 0


def test_what_is_not_named_is_believed_whatever_it_says():
    rig = Rig({'camera': {Channel.PAST: SOUND}})
    rig.surprise.now['joints'] = 1e9
    rig.run(2.0)
    assert rig.accused == []
    assert rig.trust.evidence('joints') is None


def test_after_clear_everything_is_believed(rig):
    rig.surprise.now['camera'] = RARE
    rig.run(1.0)
    rig.trust.clear()
    assert rig.accused == []
    assert rig.window.distrusted_since_ns('camera') is None


def vouching():
    """Return a trust that compares with the others alone, as long as a sense is urgent."""
    return Rig({name: {Channel.PAST: SOUND, Channel.OTHERS: SOUND} for name in NAMES})


def test_a_sense_is_doubted_until_it_has_agreed_three_times_in_a_row():
    rig = vouching()
    rig.surprise.now['joints'] = RARE
    rig.run(0.2, urgent='joints')
    assert rig.trust.doubts('joints')
    rig.surprise.now['joints'] = SURE
    rig.run(2 * PERIOD_NS / NS, urgent='joints')
    assert rig.trust.doubts('joints')
    rig.run(PERIOD_NS / NS, urgent='joints')
    assert not rig.trust.doubts('joints')
    assert rig.trust.doubts('camera')
    rig.trust.clear()
    assert rig.trust.doubts('joints')


def test_it_agrees_with_the_others_and_not_with_its_own_past():
    rig = vouching()
    rig.run(0.2, urgent='joints')
    assert rig.surprise.pasts == {False}
    rig.run(0.2)
    assert rig.surprise.pasts == {False, True}


def test_what_it_agreed_to_before_it_was_urgent_again_does_not_count():
    rig = vouching()
    rig.run(0.2, urgent='joints')
    assert not rig.trust.doubts('joints')
    rig.run(PERIOD_NS / NS)
    assert rig.trust.doubts('joints')


def test_while_another_sense_is_missing_it_is_doubted_still():
    rig = vouching()
    rig.silent = {'touch'}
    rig.run(0.5, urgent='joints')
    assert rig.trust.doubts('joints')


def test_told_to_compare_anyhow_it_vouches_and_is_accused_of_nothing():
    rig = vouching()
    rig.silent = {'touch'}
    rig.surprise.now['joints'] = RARE
    rig.run(2.0, urgent='joints', anyhow=True)
    assert rig.accused == []
    assert rig.trust.evidence('joints') == 0
    assert rig.trust.doubts('joints')
    rig.surprise.now['joints'] = SURE
    rig.run(0.2, urgent='joints', anyhow=True)
    assert not rig.trust.doubts('joints')


def test_a_distrusted_sense_is_believed_again_also_while_joints_wait_for_it():
    rig = vouching()
    rig.surprise.now['camera'] = RARE
    rig.run(1.0)
    assert rig.accused == ['camera']
    rig.run(1.0, urgent='joints')
    assert rig.accused == ['camera']
    rig.surprise.now['camera'] = SURE
    rig.run(1.0, urgent='joints')
    assert rig.accused == []
    assert not rig.trust.doubts('joints')


def test_a_sense_that_is_compared_with_nothing_but_itself_or_what_was_sent_is_not_doubted(rig):
    assert not rig.trust.doubts('joints')
    following = Rig({'joints': {Channel.FOLLOWING: SOUND}})
    assert not following.trust.doubts('joints')
    assert not following.trust.doubts('camera')


def test_silence_is_no_lie(rig):
    rig.run(0.5)
    rig.silent = {'camera'}
    rig.surprise.now['camera'] = 1e9
    rig.run(3.0)
    assert rig.accused == []


def test_what_was_said_once_is_evidence_once(rig):
    rig.run(0.5)
    rig.surprise.now['camera'] = 1e9
    rig.run(PERIOD_NS / NS)
    rig.run(PERIOD_NS / NS)
    rig.run(PERIOD_NS / NS)
    rig.silent = set(NAMES)  # What is there is still new enough to count, for the window.
    rig.run(0.08)
    before = rig.trust.evidence('camera')
    assert before > 0
    rig.run(0.08)
    assert rig.trust.evidence('camera') == before


def test_when_the_clock_is_set_back_nothing_speaks_against_a_sense_any_more(rig):
    rig.surprise.now['camera'] = RARE
    rig.run(0.2)
    assert rig.trust.evidence('camera') > 0
    rig.now_ns = NS
    rig.surprise.now['camera'] = SURE
    rig.run(PERIOD_NS / NS)
    assert rig.trust.evidence('camera') == 0


@pytest.mark.parametrize('phase', range(5))
def test_joints_slower_than_a_fast_loop_are_held_against_their_set_point_whatever_their_phase(
    phase,
):
    sound = SoundRunning(level=math.log(0.01), scale=0.5, allowance=0.5, threshold=15.0)
    rig = Rig({'joints': {Channel.FOLLOWING: sound}})
    fast_hz, measured_hz = 200.0, 40.0
    rig.trust = Trust(
        rig.surprise,
        {'joints': {Channel.FOLLOWING: sound}},
        rig.window,
        AtMost(measured_hz, fast_hz),
    )
    for tick in range(400):
        now_ns = rig.now_ns + round(tick / fast_hz * NS)
        # The joints are new at every fifth tick alone.
        strayed = np.array([0.0, 0.1]) if tick % 5 == phase else None
        rig.trust.check(Observation(now_ns, {}, np.ones((3, 2), bool), None), strayed)
    assert rig.accused == ['joints']
