"""What `mmvae top` shows: never an old number as a live one, on any terminal, whatever is said."""

from __future__ import annotations

from collections.abc import Callable
import json
import math
from typing import Any

from mmvae_controller.cli.top_judging import take
from mmvae_controller.cli.top_snapshot import Place, Snapshot
from mmvae_controller.cli.top_view import advice, clean, draw
from mmvae_controller.nodes.reporting.status import Level
from mmvae_controller.nodes.watch.watched import Command, Curve, Told, Watched
import pytest
from rich.console import Console
from rich.text import Text

NOW_S = 100.0
VARIABLES = {'ROS_DOMAIN_ID': '7', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}
LOOP = {'tick p50 ms': '2.9', 'tick p99 ms': '8.1', 'missed ticks': '3'}
MODEL = {'latent_kl nats': '12.3', 'active units': '14'}


class Robot:
    """What was heard of a robot by now, each message `ago_s` seconds ago."""

    def __init__(self, namespace: str = '/') -> None:
        self.watched = Watched(began_s=NOW_S - 60)
        self.place = Place(namespace, VARIABLES)

    def tell(
        self,
        name: str,
        message: str = '',
        level: Level = Level.OK,
        ago_s: float = 0.1,
        **values: Any,
    ) -> Robot:
        told = Told(level, message, {k: str(v) for k, v in values.items()}, NOW_S - ago_s)
        self.watched.statuses[name] = told
        return self

    def steer(self, ago_s: float = 0.1, **nats: float) -> Robot:
        for name, value in nats.items():
            self.watched.steering[name] = Curve(value, NOW_S - ago_s)
        return self

    def command(self, *values: float, ago_s: float = 0.1) -> Robot:
        names = tuple(f'joint_{i}' for i in range(len(values)))
        for late_s in (0.05, 0.025, 0.0):
            stamp_s = NOW_S - ago_s - late_s
            self.watched.obey(Command('/joint_command', 'rad', names, values, stamp_s))
        return self

    def snapshot(self) -> Snapshot:
        return take(self.watched, self.place, NOW_S, 0.0)

    def text(self, width: int = 80, height: int | None = None, bar: str = '█') -> str:
        return '\n'.join(line.plain for line in self.lines(width, height, bar))

    def lines(self, width: int = 80, height: int | None = None, bar: str = '█') -> list[Text]:
        return draw(self.snapshot(), width, height, bar)

    def line(self, start: str, **size: Any) -> str:
        return next(line for line in self.text(**size).splitlines() if line.startswith(start))


@pytest.fixture
def robot() -> Callable[..., Robot]:
    """Return what makes a healthy robot, all of it heard so many seconds ago."""

    def make(ago_s: float = 0.1) -> Robot:
        made = Robot()
        known = {'age_s': 0.02, 'rate_hz': 20.1}
        for name in ('camera', 'touch'):
            made.tell(f'controller: input {name}', 'known', ago_s=ago_s, **known)
            made.tell(f'diagnostics: sense {name}', 'known', ago_s=ago_s, state='known')
        made.tell('diagnostics: sense motor', 'known', ago_s=ago_s, state='known at t-1 only')
        made.tell('controller: loop', '40 Hz', ago_s=ago_s, **LOOP)
        made.tell('controller: gate', 'commands pass', ago_s=ago_s, sent=12, held=1)
        made.tell('diagnostics: model', 'touch_target', ago_s=ago_s, **MODEL)
        return made.steer(ago_s, camera=6.0, touch=3.0, motor=1.0).command(0.5, -1.25, ago_s=ago_s)

    return make


def test_a_healthy_robot_is_shown_whole_on_a_small_terminal(robot: Any):
    text = robot().text(80, 24)
    assert 'OK     known       0.02 s    20 Hz' in text
    assert 'only t-1' in text
    for part in (
        '60%',
        '6.00',
        'commands pass',
        'sent 12',
        'held 1',
        'tick p50 2.9 ms',
        'p99 8.1',
    ):
        assert part in text
    for part in ('missed 3', 'touch_target', 'latent KL 12.3 nats', '14 active units', '40 Hz'):
        assert part in text
    assert '/joint_command, 40 Hz, in rad' in text
    assert 'joint_0   +0.500  joint_1   -1.250' in text
    assert 'nothing heard' not in text
    assert 'also on' not in text


def test_senses_keep_the_order_of_the_model_and_their_bars_are_shares_of_the_sum(robot: Any):
    senses = robot().snapshot().senses
    assert [(s.name, s.share) for s in senses] == [('camera', 0.6), ('touch', 0.3), ('motor', 0.1)]
    bars = [robot().line(s.name, width=200).count('█') for s in senses]
    assert bars == [24, 12, 4]


def test_what_should_have_come_again_is_stale_and_shows_none_of_its_numbers(robot: Any):
    # Statuses come twice a second, curves and commands more often.
    fresh, old = robot(0.9), robot(1.3)
    assert 'STALE' not in fresh.text()
    text = old.text()
    assert text.count('STALE') == 7  # Three senses, three parts, the command.
    for number in ('0.02', '20 Hz', '6.00', '60%', '█', '2.9', '12.3', '14', '40 Hz,', '+0.500'):
        assert number not in text
    assert 'not heard for 1 s; was OK: commands pass' in text
    snapshot = old.snapshot()
    assert all(s.nats is s.share is s.age_s is s.rate_hz is None for s in snapshot.senses)
    assert all(p.values == {} for p in snapshot.parts)
    assert snapshot.command is not None
    assert snapshot.command.values == ()
    assert snapshot.command.rate_hz is None


def test_a_curve_that_comes_seldom_is_told_by_the_status_as_long_as_its_node_stands_by_it(
    robot: Any,
):
    said = {'state': 'known', 'precision_loss_command nats': '5.5'}
    it = robot().steer(1.9, camera=6.0).tell('diagnostics: sense camera', 'known', **said)
    assert it.snapshot().senses[0].nats == 5.5
    it.tell('diagnostics: sense camera', 'known', ago_s=1.3, **said)
    assert it.snapshot().senses[0].nats is None
    it.tell('diagnostics: sense camera', 'no observation', Level.STALE)
    assert it.snapshot().senses[0].nats is None


def test_a_number_that_its_node_has_taken_back_is_not_shown_though_it_is_fresh(robot: Any):
    it = robot().steer(0.5, camera=6.0)
    it.tell('diagnostics: sense camera', 'no observation', Level.STALE, ago_s=0.4)
    assert it.snapshot().senses[0].nats is None
    it.steer(0.3, camera=6.0)
    assert it.snapshot().senses[0].nats == 6.0


def test_commands_that_come_once_a_second_are_not_stale_between_two_of_them():
    it = Robot()
    for ago_s in (3.2, 2.2, 1.2):
        it.watched.obey(Command('/joint_command', 'rad', ('a',), (0.5,), NOW_S - ago_s))
    assert 'OK' in it.line('command')
    later = take(it.watched, it.place, NOW_S + 1.4, 0.0).command
    assert later is not None
    assert (later.level, later.values) == ('STALE', ())


def test_each_source_grows_old_on_its_own(robot: Any):
    it = robot().tell('diagnostics: model', 'touch_target', ago_s=4.0).steer(4.0, camera=6.0)
    camera, touch, _ = it.snapshot().senses
    assert (camera.level, camera.nats, camera.age_s) == ('OK', None, 0.02)
    assert touch.share == 0.75
    assert it.line('gate').split()[1] == 'OK'
    assert it.line('model').split()[1] == 'STALE'


def test_without_the_diagnostics_node_the_inputs_of_the_controller_are_the_rows():
    values = {'age_s': '0.5', 'rate_hz': '3.2'}
    it = Robot().tell('controller: input eye', 'known', **values, **{'known at t': True})
    it.tell('controller: input ear', 'no message', Level.WARN, ago_s=0.2, **{'known at t': False})
    it.tell('controller: input skin', 'received', **{'age_s': 'none', 'rate_hz': 'nan'})
    eye, ear, skin = it.snapshot().senses
    assert (eye.state, eye.age_s, eye.rate_hz, eye.nats) == ('known', 0.5, 3.2, None)
    assert (ear.state, ear.level, ear.trouble) == ('missing', 'WARN', 'no message')
    assert (skin.state, skin.age_s, skin.rate_hz) == ('', None, None)
    assert it.line('model').endswith('not heard yet')
    assert not it.snapshot().complete


@pytest.mark.parametrize(
    ('by_controller', 'by_diagnostics', 'shown'),
    [
        (Level.OK, Level.STALE, 'STALE'),
        (Level.WARN, Level.STALE, 'WARN'),
        (Level.WARN, Level.ERROR, 'ERROR'),
        (Level.ERROR, Level.WARN, 'ERROR'),
        (Level.OK, Level.OK, 'OK'),
    ],
)
def test_of_two_opinions_on_a_sense_the_worse_is_shown_with_its_reason(
    by_controller: Level, by_diagnostics: Level, shown: str
):
    it = Robot().tell('controller: input eye', f'is {by_controller.name}', by_controller)
    it.tell('diagnostics: sense eye', f'is {by_diagnostics.name}', by_diagnostics)
    (eye,) = it.snapshot().senses
    assert (eye.level, eye.trouble) == (shown, '' if shown == 'OK' else f'is {shown}')
    assert (f'is {shown}' in it.text()) == (shown != 'OK')
    assert it.snapshot().others == ()


@pytest.mark.parametrize(('known', 'shown'), [(True, None), (False, 0.02)])
def test_what_an_input_says_on_a_clock_that_stands_still_is_not_shown(
    known: bool, shown: float | None
):
    values = {'age_s': 0.02, 'rate_hz': 20, 'known at t': known}
    it = Robot().tell('controller: input eye', 'known', **values)
    it.tell('diagnostics: sense eye', 'no observation for 1 s', Level.STALE)
    (eye,) = it.snapshot().senses
    assert (eye.level, eye.state, eye.age_s) == ('STALE', '', shown)
    assert (eye.rate_hz is None) == (shown is None)


def test_the_order_is_that_of_the_model_though_the_controller_was_heard_first():
    it = Robot()
    for name in ('controller: input b', 'controller: input a', 'diagnostics: sense a'):
        it.tell(name)
    it.tell('diagnostics: sense m').tell('diagnostics: sense b').steer(z=1.0)
    assert [s.name for s in it.snapshot().senses] == ['a', 'm', 'b', 'z']


def test_a_robot_in_a_namespace_is_told_from_others():
    it = Robot('/arm')
    it.tell('arm/controller: gate', 'holding: stale', Level.WARN)
    it.tell('controller: gate', 'commands pass').tell('controller: input eye', 'known')
    it.tell('leg/controller: gate', 'holding: uncertain', Level.WARN)
    assert 'holding: stale' in it.line('gate')
    assert it.snapshot().senses == ()
    it.tell('arm/simulation: episode', 'waits', Level.WARN).tell('leg/driver: bus', '', Level.WARN)
    it.tell('hand/tracker: hand', 'not found', Level.WARN).tell('fan', 'hot', Level.WARN)
    it.watched.namespaces = ('/arm', '/hand')
    assert [o.name for o in it.snapshot().others] == ['arm/simulation: episode', 'fan']


def test_without_a_namespace_the_troubles_of_robots_in_one_are_not_shown():
    it = Robot().tell('controller: gate', 'commands pass').tell('driver: bus', 'slow', Level.WARN)
    it.tell('leg/controller: loop', '40 Hz').tell('leg/controller: gate', 'holds', Level.WARN)
    assert [o.name for o in it.snapshot().others] == ['driver: bus']


def test_trouble_that_is_over_is_not_shown_as_if_it_lasted():
    held = {'level held': 'True', 'level now': 'OK'}
    it = Robot().tell(
        'controller: gate', 'pass (WARN until 1 s without trouble)', Level.WARN, **held
    )
    it.tell(
        'controller: input eye', 'known (ERROR until 1 s without trouble)', Level.ERROR, **held
    )
    assert it.line('gate').split() == ['gate', 'OK', 'pass']
    assert [(s.level, s.trouble) for s in it.snapshot().senses] == [('OK', '')]
    held['level now'] = 'WARN'
    it.tell('controller: input eye', 'late (ERROR until 1 s without trouble)', Level.ERROR, **held)
    assert [(s.level, s.trouble) for s in it.snapshot().senses] == [('WARN', 'late')]


def test_what_is_written_to_a_file_is_not_cut():
    reason = 'holding: ' + 'stale; required senses missing: camera ' * 5
    it = Robot().tell('controller: gate', reason, Level.WARN).tell('fan', reason, Level.WARN)
    told = '\n'.join(line.plain for line in draw(it.snapshot(), 80, whole=True))
    assert told.count(reason.strip()) == 2
    assert reason not in it.text(80)


def test_where_the_command_loses_next_to_nothing_there_are_no_shares(robot: Any):
    it = robot().steer(camera=0.0098, touch=0.0002, motor=0.0)
    assert {s.share for s in it.snapshot().senses} == {None}
    assert '%' not in it.text()


def test_troubles_of_anybody_are_listed_the_worst_first_and_with_their_age():
    it = Robot().tell('fine', 'all well').tell('battery', 'low', Level.WARN, ago_s=2.0)
    it.tell('motor 3', 'hot', Level.ERROR).tell('arm', 'stiff', Level.WARN, ago_s=7.0)
    lines = it.text().splitlines()
    assert lines[lines.index('also on /diagnostics') + 1 :] == [
        'ERROR  motor 3: hot',
        'STALE  arm: not heard for 7 s; was WARN: stiff',
        'WARN   battery: low, 2 s ago',
    ]


def test_silence_says_what_to_check_and_where_else_somebody_speaks():
    it = Robot('/arm')
    it.watched.namespaces = ('/leg', '/tail')
    text = ' '.join(it.text().split())
    assert 'nothing heard for 60 s in namespace /arm' in text
    assert 'ROS_DOMAIN_ID=7 and ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET' in text
    assert 'published in /leg, /tail' in text
    it.watched.namespaces = ('/arm',)
    assert 'do they run as the same user?' in advice(it.snapshot())[-1]
    it.watched.namespaces = ()
    assert 'in none that is seen' in advice(it.snapshot())[-1]


@pytest.mark.parametrize('age_s', [2.9, 3.0])
def test_it_is_silent_after_three_seconds_even_if_others_talk(robot: Any, age_s: float):
    it = robot(age_s).tell('leg/controller: loop', '40 Hz')
    assert it.snapshot().silent == (age_s >= 3)
    assert ('nothing heard for 3 s' in it.text()) == (age_s >= 3)


def test_markup_and_escape_codes_of_others_are_mere_text(robot: Any):
    nasty = '[/] [bold]x[/bold] \x1b[2J\n\r\x9b31m\ud800 日本'
    it = robot().tell('[red]a: \x1b]0;b\x07', nasty, Level.ERROR)
    it.tell('controller: input [/]', nasty, Level.WARN).tell('controller: gate', nasty, Level.WARN)
    it.watched.statuses['controller: loop'].values['missed ticks'] = '\x1b[1m'  # type: ignore[index]
    console = Console(width=200, force_terminal=False, record=True)
    with console.capture() as capture:
        for line in it.lines(200):
            console.print(line)
    shown = capture.get()
    assert '[/] [bold]x[/bold]' in shown
    assert '[red]a:' in shown
    assert '日本' in shown
    assert not set('\x1b\x9b\x07\r') & set(shown)
    assert clean('a\tb\u202ec') == 'a b c'


@pytest.mark.parametrize('width', [1, 10, 40, 79, 80, 300])
def test_no_line_is_wider_than_the_terminal(robot: Any, width: int):
    it = robot().tell(
        'controller: input 日本のカメラの長い名前です', 'x' * 400, Level.ERROR, state='長' * 30
    )
    it.tell('controller: gate', 'holding: ' + 'why ' * 40, Level.WARN).command(*range(9))
    assert all(line.cell_len <= width for line in it.lines(width))


def test_columns_stand_below_each_other_whatever_the_width_of_the_letters():
    it = Robot().tell('controller: input eye').tell('controller: input 手首', ago_s=0.3)
    lines = it.lines(80)
    eye, wrist = (next(x.plain for x in lines if x.plain.startswith(n)) for n in ('eye', '手首'))
    assert eye.index('OK') == wrist.index('OK') + 2  # Two letters, each two columns wide.


def test_a_low_terminal_says_that_there_is_more(robot: Any):
    it = robot()
    whole = it.text().splitlines()
    assert it.text(height=len(whole)).splitlines() == whole
    cut = it.text(height=5).splitlines()
    assert cut[:4] == whole[:4]
    assert cut[4] == f'... {len(whole) - 4} more lines than fit'


def test_figures_go_to_a_line_of_their_own_before_they_push_a_message_out(robot: Any):
    message = '19 of the last 219 ticks missed'
    it = robot().tell('controller: loop', message, Level.WARN, **LOOP)
    lines = it.text(70).splitlines()
    row = next(i for i, line in enumerate(lines) if message in line)
    assert lines[row + 1].strip() == 'tick p50 2.9 ms, p99 8.1 ms, missed 3'
    assert it.line('loop', width=120).endswith('missed 3')


def test_an_importance_that_is_no_number_is_none_and_spoils_no_share(robot: Any):
    it = robot().steer(camera=math.nan, touch=3.0, motor=math.inf)
    assert [(s.nats, s.share) for s in it.snapshot().senses] == [
        (None, None),
        (3.0, 1.0),
        (None, None),
    ]
    assert 'nan' not in it.text()


def test_where_nothing_matters_there_are_no_shares(robot: Any):
    it = robot().steer(camera=0.0, touch=0.0, motor=0.0)
    assert {(s.nats, s.share) for s in it.snapshot().senses} == {(0.0, None)}


def test_a_command_that_is_no_number_is_seen_as_such(robot: Any):
    it = robot().command(0.5, math.nan)
    line = next(line for line in it.lines() if 'nan' in line.plain)
    assert any('red' in str(span.style) for span in line.spans)


def test_levels_have_a_colour_as_well_as_a_word(robot: Any):
    it = robot().tell('controller: gate', 'holding: stale', Level.WARN)
    line = next(line for line in it.lines() if line.plain.startswith('gate'))
    assert 'WARN' in line.plain
    assert {str(span.style) for span in line.spans} == {'yellow'}


def test_a_terminal_without_the_letters_gets_ascii(robot: Any):
    text = robot().text(70, bar='#')
    assert '#' in text
    assert text.isascii()


def test_json_is_one_line_by_names_and_has_no_number_that_json_lacks(robot: Any):
    it = robot().command(0.5, math.nan).tell('battery', 'low\n', Level.WARN)
    text = it.snapshot().as_json()
    data = json.loads(text, parse_constant=pytest.fail)
    assert '\n' not in text
    assert data['senses']['camera']['nats'] == 6.0
    assert data['gate']['values']['sent'] == '12'
    assert data['loop']['level'] == data['model']['level'] == 'OK'
    assert data['command']['values'] == [0.5, None]
    assert data['others']['battery']['level'] == 'WARN'
    assert data['place']['variables'] == VARIABLES


def test_a_snapshot_is_complete_once_every_part_of_a_healthy_robot_was_heard(robot: Any):
    assert robot().snapshot().complete
    for missing in ('controller: gate', 'diagnostics: model'):
        it = robot()
        del it.watched.statuses[missing]
        assert not it.snapshot().complete
    it = robot()
    del it.watched.steering['touch']
    assert not it.snapshot().complete
    it = robot()
    it.watched.command = None
    assert not it.snapshot().complete
    assert it.line('command').endswith('none yet')


def test_the_rate_of_commands_is_that_of_the_last_moments():
    watched = Watched(0.0)
    assert watched.command_hz(1.0) is None
    for stamp_s in (1.0, 10.0, 10.5, 11.0):
        watched.obey(Command('/c', 'rad', (), (), stamp_s))
    assert watched.command_hz(11.5) == 2.0
    assert watched.command_hz(12.9) is None
