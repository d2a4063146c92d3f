"""Where episodes begin and end: gaps, clocks that jump, bags, and what somebody marked."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.marks import Marks
from mmvae_controller.recordings.receipt import ClockChoice
from mmvae_controller.recordings.topics import Names, STATUS
import numpy as np
import pytest


def ends(report: Any) -> list[tuple[str, str]]:
    return [(e.began, e.ended) for e in report.episodes]


def test_a_required_sense_that_is_silent_for_longer_than_the_gap_ends_an_episode(
    tape: Any, imported: Any, rows: Any
):
    tape.run(0, 4000, lambda what, ms: what == 'camera' and 1000 <= ms < 2500)
    report = imported(tape.close())
    why = 'camera is silent for more than 1 s'
    assert ends(report) == [
        ('the recording begins', why),
        (f'after: {why}', 'the recording ends'),
    ]
    # The last picture came at 981 ms; the next at 2501, and then the first set-point at 2505.
    assert [e.rows for e in report.episodes] == [40, 30]
    assert report.episodes[1].begin_s == pytest.approx(2.505)
    # What was sensed before the gap is forgotten: the joints of then are no joints of now.
    assert all(rows()['known'][name][40] for name in ('camera', 'joints', 'touch'))


def continues(report: Any) -> list[bool]:
    return [e.continues for e in report.episodes]


def gaps(what: str, *begins_ms: int) -> Any:
    """Return what skips something for 1.5 s from some times on."""
    return lambda name, ms: name == what and any(b <= ms < b + 1500 for b in begins_ms)


def test_what_a_lost_set_point_or_a_silent_sense_divides_is_one_recorded_episode(
    tapes: Any, imported: Any, tmp_path: Any
):
    tape = tapes().run(0, 4000, lambda what, ms: what == 'command' and 1490 <= ms % 2000 < 1590)
    report = imported(tape.close())
    assert continues(report) == [False, True, True]
    dataset = Dataset(tmp_path / 'data')
    assert dataset.description.continued == (1, 2)
    for seed in range(10):
        assert len(dataset.split(0.5, seed)[1]) == 0
    silent = tapes('silent').run(0, 9000, gaps('camera', 2000, 5000))
    assert continues(imported(silent.close(), dry=True)) == [False, True, True]


def test_what_a_pause_of_the_set_points_or_of_everything_divides_are_several(
    tapes: Any, imported: Any
):
    tape = tapes().run(0, 9000, gaps('command', 2000, 5000)).run(12000, 13000)
    report = imported(tape.close(), tapes('other').run(20000, 21000).close())
    assert continues(report) == [False] * 5


def test_where_episodes_are_marked_nothing_else_divides_them(tape: Any, imported: Any):
    tape.flag(True, -1)
    tape.run(0, 5000, gaps('command', 1000)).run(8000, 9000).flag(False, 9001)
    tape.flag(True, 9002)
    report = imported(tape.run(9010, 10000).close(), names=Names(episode='episode'))
    assert continues(report) == [False, True, True, False]


def test_a_bag_never_continues_the_one_before_it_whichever_of_them_is_marked(
    tapes: Any, imported: Any
):
    marked, other = tapes('marked'), tapes('other').run(20000, 21000)
    marked.flag(True, -1)
    report = imported(marked.run(0, 1000).close(), other.close(), names=Names(episode='episode'))
    assert continues(report) == [False, False]
    assert report.continued == ()


def test_a_longer_gap_can_be_allowed(tape: Any, imported: Any):
    tape.run(0, 4000, lambda what, ms: what == 'camera' and 1000 <= ms < 2500)
    report = imported(tape.close(), gap_s=2.0)
    assert len(report.episodes) == 1
    assert report.rows == 80


def test_a_sense_that_is_not_required_may_be_silent_for_good(tape: Any, imported: Any, rows: Any):
    tape.run(0, 4000, lambda what, ms: what == 'touch' and ms >= 1000)
    report = imported(tape.close())
    assert len(report.episodes) == 1
    assert rows()['known']['touch'].sum() == 22
    assert report.tallies['touch'].used == 50


def test_set_points_that_are_silent_for_longer_than_the_gap_end_an_episode(
    tape: Any, imported: Any
):
    tape.run(0, 4000, lambda what, ms: what == 'command' and 1000 <= ms < 2500)
    report = imported(tape.close())
    assert [e.rows for e in report.episodes] == [20, 30]
    assert report.episodes[0].ended == 'no set-point within 0.05 s'
    assert report.episodes[1].began == 'after: set-points are silent for more than 1 s'
    assert report.dropped == {'no set-point within 0.05 s': 20}


def test_a_pause_of_everything_ends_an_episode_and_no_gap_is_counted_for_it(
    tape: Any, imported: Any
):
    report = imported(tape.run(0, 1000).run(5000, 6000).close())
    assert ends(report) == [
        ('the recording begins', 'nothing for 4.01 s: a pause, or the clock was set forward'),
        ('after: nothing for 4.01 s: a pause, or the clock was set forward', 'the recording ends'),
    ]
    assert report.tallies['joints'].masked_s == []
    assert report.tallies['joints'].rate_hz == pytest.approx(100)


def test_a_wall_clock_that_is_set_back_ends_an_episode(tape: Any, imported: Any, rows: Any):
    tape.run(0, 1000)
    tape.epoch_ns -= 30_000_000_000
    report = imported(tape.run(1000, 2000).close())
    assert [e.rows for e in report.episodes] == [20, 20]
    assert report.episodes[0].ended == 'the clock was set back by 29.99 s'
    assert report.episodes[1].begin_s > report.episodes[0].end_s
    assert np.allclose(rows()['joints'][20, 2], 1.0)
    # From which set-point the first one came is not known any more.
    assert rows()['known']['motor'][18:23].tolist() == [True, True, False, True, True]
    assert np.allclose(rows()['label'][:, 0], 1)


def test_two_bags_are_two_recordings(tapes: Any, imported: Any):
    first, second = tapes('first').run(0, 1000), tapes('second').run(1000, 2000)
    report = imported(first.close(), second.close())
    assert [(e.bag, e.rows) for e in report.episodes] == [('first', 20), ('second', 20)]
    assert report.bags[1].begin_s > report.bags[0].end_s
    assert report.bags[1].notes == []


def test_the_same_bag_twice_is_refused(tape: Any, imported: Any):
    path = tape.run(0, 500).close()
    with pytest.raises(RecordingError, match='bag: is named twice'):
        imported(path, path / '..' / 'bag')


def test_a_copy_of_a_bag_is_not_read_a_second_time(tape: Any, imported: Any, tmp_path: Any):
    path = tape.run(0, 500).close()
    shutil.copytree(path, tmp_path / 'copy')
    report = imported(path, tmp_path / 'copy', path / 'bag.mcap')
    assert report.rows == 10
    again = [f'holds the same as {path}: its rows would be there twice']
    assert [bag.missing for bag in report.bags][:2] == [[], again]
    assert report.bags[2].missing[0] == again[0]


def test_two_bags_of_the_same_moments_are_told(tapes: Any, imported: Any):
    first, second = tapes('first').run(0, 1000), tapes('second').run(500, 1500)
    report = imported(first.close(), second.close())
    assert report.bags[1].notes == [
        f'was recorded at the same time as {first.path}: is it the same twice?'
    ]


def test_simulated_time_that_begins_anew_in_each_bag_is_no_same_time(tapes: Any, imported: Any):
    paths = []
    for name, end_ms in (('first', 2000), ('second', 3000)):
        tape = tapes(name, epoch_ns=0)
        simulate(tape, 0, end_ms)
        paths.append(tape.close())
    assert [bag.notes for bag in imported(*paths).bags] == [[], []]


def simulate(
    tape: Any, begin_ms: int, end_ms: int, late_ms: int = 0, clock: str = '/clock'
) -> None:
    """Go in simulated time at half the speed of the recorder's, a tick each 20 ms."""
    for ms in range(begin_ms, end_ms, 20):
        at_ms = 2 * (ms - begin_ms) + late_ms
        tape.clock(ms, at_ms, clock)
        tape.command(ms / 1000, at_ms + 1)
        tape.joints(ms / 1000, at_ms + 10)
        tape.camera(ms // 20 % 256, at_ms + 11)
        tape.touch(ms / 1000, at_ms + 12)


def test_on_simulated_time_a_message_is_received_when_the_clock_was_told_last(
    tape: Any, imported: Any, rows: Any
):
    simulate(tape, 1000, 2000)
    report = imported(tape.close())
    found = rows()
    assert report.bags[0].clock == 'sim'
    # The first set-point after all senses is that of 1020 ms; the joints are from the tick before.
    at_ms = 1020 + 50 * np.arange(20)
    assert report.episodes[0].begin_ns == 1_020_000_000
    assert np.allclose(found['joints'][:, 2], (at_ms - 1) // 20 * 20 / 1000)
    assert np.allclose(found['label'][1:, 0], 1)
    # The command of a moment is the one that was sent at it, if one was.
    assert np.allclose(found['motor'][1:, 0], 1)


@pytest.mark.parametrize('clock', ['clock', '/clock'])
def test_in_a_namespace_time_is_that_of_its_own_simulation_or_of_all(
    tapes: Any, imported: Any, rows: Any, clock: str
):
    tape = tapes(namespace='/robot1')
    simulate(tape, 1000, 2000, clock=clock)
    report = imported(tape.close(), names=Names(namespace='robot1'))
    assert report.bags[0].clock_topic == ('/clock' if clock == '/clock' else '/robot1/clock')
    assert report.episodes[0].begin_ns == 1_020_000_000
    assert np.allclose(rows()['label'][1:, 0], 1)


def test_the_time_of_a_namespace_comes_before_that_of_all(tapes: Any, imported: Any):
    tape = tapes(namespace='/robot1')
    for ms in range(-100, 3000, 10):
        tape.clock(9 * ms + 5000, ms, '/clock')
    simulate(tape, 1000, 2000, clock='clock')
    report = imported(tape.close(), names=Names(namespace='robot1'))
    assert report.bags[0].clock_topic == '/robot1/clock'
    assert [e.begin_ns for e in report.episodes] == [1_020_000_000]


def test_the_clock_can_be_remapped(tape: Any, imported: Any):
    simulate(tape, 1000, 2000, clock='/world/clock')
    report = imported(tape.close(), names=Names(remaps={'/clock': '/world/clock'}))
    assert report.bags[0].clock_topic == '/world/clock'


def test_the_recorders_clock_can_be_asked_for(tape: Any, imported: Any, rows: Any):
    simulate(tape, 1000, 2000)
    report = imported(tape.close(), clock=ClockChoice.BAG)
    assert report.bags[0].clock == 'bag'
    assert np.allclose(rows()['label'][1:, 0], 0.5)


def test_simulated_time_that_is_not_there_cannot_be_asked_for(tape: Any, imported: Any):
    report = imported(tape.run(0, 500).close(), clock=ClockChoice.SIM)
    assert report.rows == 0
    assert report.why_empty.endswith('has no time on /clock, expected one with --clock sim')


def test_a_clock_that_says_one_thing_only_drives_nothing(tape: Any, imported: Any):
    tape.clock(0, 0)
    report = imported(tape.run(10, 500).close())
    assert report.bags[0].clock == 'bag'
    assert report.rows == 10


def test_messages_before_the_first_clock_are_left_out_and_told(tape: Any, imported: Any):
    tape.joints(0.0, -20)
    tape.camera(9, -19)
    simulate(tape, 1000, 1500)
    report = imported(tape.close())
    assert report.bags[0].notes == ['2 messages came before the first /clock: left out']


def test_simulated_time_that_is_set_back_ends_an_episode(tape: Any, imported: Any):
    simulate(tape, 5000, 6000)
    simulate(tape, 1000, 2000, late_ms=2000)
    report = imported(tape.close())
    assert [e.ended for e in report.episodes] == [
        'the clock was set back by 4.98 s',
        'the recording ends',
    ]


def test_simulated_time_that_is_set_forward_ends_an_episode(tape: Any, imported: Any):
    simulate(tape, 1000, 2000)
    simulate(tape, 9000, 10000, late_ms=2000)
    report = imported(tape.close())
    assert [e.rows for e in report.episodes] == [20, 20]
    assert 'set forward' in report.episodes[0].ended


def test_a_flag_marks_episodes_and_nothing_outside_is_read(tape: Any, imported: Any, rows: Any):
    for begin_ms, value in ((0, True), (500, False), (1500, True), (2500, False)):
        end_ms = begin_ms + 500 if begin_ms == 0 else begin_ms + 1000
        tape.run(begin_ms, end_ms)
        tape.flag(value, end_ms - 5)
    report = imported(tape.run(3500, 4000).close(), names=Names(episode='episode'))
    assert ends(report) == [('marked', 'marked'), ('marked', 'marked')]
    # After a mark the senses have to come anew.
    assert [e.begin_s for e in report.episodes] == pytest.approx([0.505, 2.505])
    assert [e.rows for e in report.episodes] == [20, 20]
    assert report.tallies['touch'].used == 100
    assert report.tallies['touch'].outside == 100


def test_what_was_sensed_before_a_mark_is_not_known_after_it(tape: Any, imported: Any, rows: Any):
    tape.put('episode', tape.maker.empty(), 0)
    tape.run(0, 500).put('episode', tape.maker.empty(), 495)
    tape.run(500, 1000, lambda what, ms: what == 'touch')
    imported(tape.close(), names=Names(episode='episode'))
    # The last touch is 23 ms old at the first row, and of another episode.
    assert np.array_equal(rows()['known']['touch'], rows()['episode'] == 0)


def test_a_flag_that_is_never_taken_down_marks_all_that_follows(tape: Any, imported: Any):
    tape.run(0, 500).flag(True, 495)
    tape.run(500, 600).flag(True, 595)
    report = imported(tape.run(600, 1000).close(), names=Names(episode='episode'))
    assert ends(report) == [('marked', 'the recording ends')]
    assert report.rows == 10


def test_an_empty_message_begins_the_next_episode(tape: Any, imported: Any):
    tape.run(0, 500).put('episode', tape.maker.empty(), 495)
    tape.run(500, 1500).put('episode', tape.maker.empty(), 1495)
    report = imported(tape.run(1500, 2000).close(), names=Names(episode='episode'))
    assert [(e.begin_s, e.rows) for e in report.episodes] == [
        (pytest.approx(0.505), 20),
        (pytest.approx(1.505), 10),
    ]


def test_between_marks_a_set_point_is_remembered_and_across_a_pause_it_is_not(
    tape: Any, imported: Any, rows: Any
):
    tape.run(0, 500).put('episode', tape.maker.empty(), 495)
    tape.run(500, 1500).put('episode', tape.maker.empty(), 1495)
    imported(tape.run(1500, 2000).run(5000, 6000).close(), names=Names(episode='episode'))
    first = np.flatnonzero(np.diff(rows()['episode'], prepend=-1))
    label = rows()['label'][first, 0]
    assert np.allclose(label[:2], 1)
    # After the pause: from 5 rad, where the arm is measured, to 5.02 within a period.
    assert label[2] == pytest.approx(1, abs=1e-4)


def stand(tape: Any, left: float, begin_ms: int, end_ms: int, commanded: bool = True) -> None:
    """Stand still somewhere, rad, sense it all, and be told to stay or nothing."""
    for ms in range(begin_ms, end_ms, 20):
        tape.joints(left, ms)
        tape.camera(1, ms + 1)
        tape.touch(0, ms + 2)
        if commanded:
            tape.command(left, ms + 5)


@pytest.mark.parametrize('commanded', [True, False])
def test_the_first_label_of_a_marked_episode_is_no_way_from_the_one_before_it(
    tape: Any, imported: Any, rows: Any, commanded: bool
):
    tape.flag(True, -1)
    tape.run(0, 1000).flag(False, 1001)
    # It is brought back: slowly enough to be taken for a velocity over all of the time.
    stand(tape, 0.7, 1020, 1300, commanded)
    tape.flag(True, 1301)
    stand(tape, 0.7, 1320, 2300)
    imported(tape.close(), names=Names(episode='episode'))
    found = rows()
    assert np.allclose(found['label'][found['episode'] == 0, 0], 1)
    assert np.allclose(found['label'][found['episode'] == 1, 0], 0, atol=1e-5)
    assert (found['episode'] == 1).sum() == 20


def test_a_marked_episode_that_begins_in_motion_goes_on_from_the_set_points_before_it(
    tape: Any, imported: Any, rows: Any
):
    """Its first set-point leads the arm by so much that where it is measured says nothing."""
    tape.flag(True, -1)
    tape.run(0, 500).flag(False, 501)
    for ms in range(520, 1500, 20):
        if ms == 1000:
            tape.flag(True, 999)
        stand(tape, 0.2, ms, ms + 20, commanded=False)
        tape.command(ms / 2000, ms + 5)
    imported(tape.close(), names=Names(episode='episode'))
    found = rows()
    assert np.allclose(found['label'][found['episode'] == 1, 0], 0.5)
    assert (found['episode'] == 1).sum() == 10


def test_the_status_of_a_simulation_tells_when_its_episode_was(tape: Any, imported: Any):
    values = {'episode': '0', 'began_ns': '1200000000', 'elapsed_s': '0.5'}
    simulate(tape, 1000, 2000)
    tape.put('simulation/episode', tape.maker.status('episode 0', values), 1900)
    report = imported(tape.close())
    assert ends(report) == [('marked', 'marked')]
    assert report.episodes[0].begin_ns == 1_220_000_000
    assert report.rows == 10


def test_marks_before_and_after_a_clock_was_set_back_are_told_apart(tape: Any, imported: Any):
    """Of two runs over the same simulated time only the second one is marked."""
    simulate(tape, 1000, 2000)
    tape.flag(True, 1999, 'episode')
    simulate(tape, 1000, 2000, late_ms=2000)
    tape.flag(False, 3999, 'episode')
    simulate(tape, 2000, 3000, late_ms=4000)
    report = imported(tape.close(), names=Names(episode='episode'))
    assert [e.bag for e in report.episodes] == ['bag']
    assert report.episodes[0].begin_s == pytest.approx(1.0, abs=0.1)
    assert report.rows == 20


def test_a_status_of_a_second_run_is_no_mark_of_the_first(tape: Any, imported: Any):
    values = {'began_ns': '1200000000', 'elapsed_s': '0.5'}
    simulate(tape, 1000, 2000)
    simulate(tape, 1000, 2000, late_ms=2000)
    tape.put('simulation/episode', tape.maker.status('episode 0', values), 3999)
    report = imported(tape.close())
    assert len(report.episodes) == 1
    assert report.episodes[0].begin_s > 1


def test_an_episode_that_is_told_while_it_lasts_is_as_long_as_it_was_told_last(
    tape: Any, imported: Any
):
    simulate(tape, 1000, 2000)
    for number, elapsed_s in enumerate((0.1, 0.5, 0.3)):
        values = {'began_ns': '1200000000', 'elapsed_s': str(elapsed_s)}
        tape.put('simulation/episode', tape.maker.status('e', values), 1900 + number)
    assert imported(tape.close()).rows == 10


def test_an_episode_that_is_marked_within_another_ends_it_and_that_is_told(
    tape: Any, imported: Any
):
    simulate(tape, 1000, 3000)
    for number, (begin_ms, elapsed_s) in enumerate(((1200, 1.6), (1700, 0.5))):
        values = {'began_ns': str(begin_ms * 1_000_000), 'elapsed_s': str(elapsed_s)}
        tape.put('simulation/episode', tape.maker.status('e', values), 3900 + number)
    report = imported(tape.close())
    assert [e.rows for e in report.episodes] == [10, 10]
    (note,) = report.bags[0].notes
    assert note.startswith('/simulation/episode marks 1 episodes that last beyond')


def test_of_marks_one_ends_where_the_next_one_begins():
    marks = Marks()
    for begin_s, elapsed_s in ((0, 10), (5, 1), (5.5, 4), (20, 1)):
        values = {'began_ns': str(int(begin_s * NS)), 'elapsed_s': str(elapsed_s)}
        pairs = [SimpleNamespace(key=key, value=value) for key, value in values.items()]
        marks.take(STATUS, SimpleNamespace(name='e', values=pairs), 0)
    ends_s = [(s.begin_ns / NS, s.end_ns / NS) for s in marks.spans()]
    assert ends_s == [(0, 5), (5, 5.5), (5.5, 9.5), (20, 21)]
    assert marks.overlapping == 2


def test_a_status_is_of_no_use_on_the_recorders_clock_and_that_is_told(tape: Any, imported: Any):
    values = {'began_ns': '1200000000', 'elapsed_s': '0.5'}
    simulate(tape, 1000, 2000)
    tape.put('simulation/episode', tape.maker.status('episode 0', values), 1900)
    report = imported(tape.close(), clock=ClockChoice.BAG)
    assert report.bags[0].notes == ['/simulation/episode tells of simulated time: not used']
    assert len(report.episodes) == 1


def test_a_status_of_something_else_is_told_and_marks_nothing(tape: Any, imported: Any):
    simulate(tape, 1000, 2000)
    tape.put('simulation/episode', tape.maker.status('battery', {'volt': '3'}), 1900)
    report = imported(tape.close())
    assert 'expected began_ns and elapsed_s' in report.bags[0].notes[0]
    assert ends(report) == [('the recording begins', 'the recording ends')]
