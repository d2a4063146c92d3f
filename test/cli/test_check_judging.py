"""From facts to findings, without ROS 2."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from mmvae_controller.cli.check_judging import document, Given, judge, verdict
from mmvae_controller.cli.check_names import similar_topics, where_instead
from mmvae_controller.cli.findings import exit_code, Finding, Level
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.check.facts import Endpoint, Facts, Heard, TopicFacts, UNNAMED
from mmvae_controller.nodes.check.hearing import Hearing
from mmvae_controller.nodes.check.pace import Pace
import numpy as np
import pytest

URDF = (
    '<robot><joint name="{}"><limit lower="-1" upper="1" velocity="2"/></joint>'
    '<joint name="right"><limit lower="-1" upper="1" velocity="2"/></joint></robot>'
)
HEARD = Heard(
    received=50,
    rate_hz=25.0,
    longest_gap_s=0.05,
    masked_share=0.0,
    delay_s=0.01,
    waited_s=0.001,
)
SENSES = {
    'camera': TopicFacts(
        '/camera/image_raw',
        (Endpoint('/cam', 'sensor_msgs/Image'),),
        heard=replace(HEARD, picture='8 x 8 rgb8', size=(8, 8), encoding='rgb8', contrast=20.0),
    ),
    'joints': TopicFacts(
        '/joint_states',
        (Endpoint('/arm', 'sensor_msgs/JointState'),),
        heard=replace(
            HEARD,
            names=('left', 'right', 'spare'),
            values={'left': 0.1, 'right': 0.2, 'spare': 0.0},
        ),
    ),
    'touch': TopicFacts('/touch', (Endpoint('/tip', 'geometry_msgs/WrenchStamped'),), heard=HEARD),
}
FACTS = Facts(
    '/',
    5.0,
    SENSES,
    TopicFacts('/joint_command', listeners=(Endpoint('/arm', 'std_msgs/Float64MultiArray'),)),
)


def with_heard(name: str, **changes: Any) -> Facts:
    sense = SENSES[name]
    heard = replace(sense.heard, **changes)
    return replace(FACTS, senses={**SENSES, name: replace(sense, heard=heard)})


def with_topic(name: str, **changes: Any) -> Facts:
    return replace(FACTS, senses={**SENSES, name: replace(SENSES[name], **changes)})


def found(
    robot: Robot, facts: Facts, subject: str, what: str, given: Given | None = None
) -> Finding:
    """Return the worst finding of something."""
    order = list(Level)
    findings = judge(robot, facts, given or Given())
    own = [f for f in findings if (f.subject, f.what) == (subject, what)]
    return max(own, key=lambda f: order.index(f.level))


def test_a_robot_that_has_all_is_ready(robot):
    findings = judge(robot, FACTS, Given())
    assert [f for f in findings if f.level is not Level.OK] == []
    assert exit_code(findings) == 0
    assert verdict(robot, findings) == 'small is ready.'


def test_a_missing_topic_is_told_with_the_one_that_it_may_be_called(robot):
    facts = replace(
        with_topic('camera', publishers=(), heard=Heard()),
        published={
            '/front/camera/image_raw': ('sensor_msgs/Image',),
            '/depth/points': ('sensor_msgs/PointCloud2',),
        },
    )
    findings = judge(robot, facts, Given())
    finding = found(robot, facts, 'camera', 'topic')
    assert finding.level is Level.MISSING
    assert finding.message == '/camera/image_raw is not published'
    assert 'topic: /front/camera/image_raw' in finding.todo
    assert '--namespace front' in finding.todo
    assert exit_code(findings) == 1
    assert 'Without camera the arm holds' in verdict(robot, findings)


def test_without_an_optional_sense_the_verdict_says_that_the_arm_would_move(robot):
    findings = judge(robot, with_topic('touch', publishers=(), heard=Heard()), Given())
    assert exit_code(findings) == 1
    assert 'The arm would move, without touch' in verdict(robot, findings)


@pytest.mark.parametrize(
    ('wanted', 'topics', 'likeliest'),
    [
        (
            '/camera/image_raw',
            ('/camera/image', '/back/camera/image_raw'),
            '/back/camera/image_raw',
        ),
        ('/joint_states', ('/joint_state', '/zzz'), '/joint_state'),
        ('/a', ('/zzz',), '/zzz'),
    ],
)
def test_the_likeliest_name_ends_the_same_or_has_most_letters_in_common(wanted, topics, likeliest):
    assert similar_topics(wanted, 'k', dict.fromkeys(topics, ('k',)))[0] == likeliest
    assert similar_topics(wanted, 'other', dict.fromkeys(topics, ('k',))) == ()


def test_a_robot_without_a_namespace_is_found_from_within_one():
    todo = where_instead('touch', '/arm/touch', 'k', {'/touch': ('k',)}, 'published')
    assert todo.endswith('write `topic: /touch` in the robot YAML, or leave out --namespace')


def test_where_no_topic_of_the_type_is_the_driver_is_asked_for():
    todo = where_instead(
        'camera/image', '/arm/camera/image', 'k', {'/arm/front/image': ('k',)}, 'published'
    )
    assert '/arm/front/image is published' in todo
    assert 'write `topic: front/image` in the robot YAML' in todo
    todo = where_instead('camera', '/camera', 'k', {'/front/camera_1': ('k',)}, 'published')
    assert 'write `topic: /front/camera_1` in' in todo
    assert 'does its driver run' in where_instead('a', '/a', 'k', {'/b': ('x',)}, 'published')


def test_another_type_is_told_and_what_to_write(robot):
    publisher = Endpoint('/tip', 'geometry_msgs/Wrench')
    facts = with_topic('touch', publishers=(publisher,), heard=Heard())
    finding = found(robot, facts, 'touch', 'type')
    assert finding.level is Level.MISSING
    assert 'is geometry_msgs/Wrench, expected geometry_msgs/WrenchStamped' in finding.message
    assert finding.todo == 'write `message: geometry_msgs/Wrench` in the robot YAML'


def test_two_publishers_of_a_sense_are_noted(robot):
    both = tuple(Endpoint(node, 'sensor_msgs/Image') for node in ('/one', '/two'))
    finding = found(robot, with_topic('camera', publishers=both), 'camera', 'topic')
    assert finding.level is Level.NOTE
    assert '/one, /two' in finding.message


def test_a_topic_on_which_nothing_comes_is_missing(robot):
    finding = found(robot, with_topic('touch', heard=Heard()), 'touch', 'rate')
    assert finding.level is Level.MISSING
    assert 'nothing came on /touch in 5.0 s' in finding.message


def test_a_publisher_whose_qos_does_not_fit_is_named(robot):
    publisher = Endpoint('/cam', 'sensor_msgs/Image', incompatible='deadline')
    finding = found(robot, with_topic('camera', publishers=(publisher,)), 'camera', 'QoS')
    assert finding.level is Level.MISSING
    assert 'deadline' in finding.message


def test_misnamed_joints_are_told_once_with_what_they_are_called(robot):
    facts = with_heard('joints', names=('left_', 'right', 'spare', 'gripper'), refused=50)
    (finding,) = [f for f in judge(robot, facts, Given()) if f.level is not Level.OK]
    assert finding.level is Level.MISSING
    assert "['left'] not in the message" in finding.message
    assert finding.todo == 'write left_ for left under `joints:`'


def test_joints_that_are_not_used_are_told(robot):
    facts = with_heard('joints', names=('left', 'right', 'spare', 'gripper'))
    finding = found(robot, facts, 'joints', 'joints')
    assert finding.level is Level.OK
    assert "not used: ['gripper']" in finding.message


@pytest.mark.parametrize(('share', 'level'), [(0.005, 'ok'), (0.05, 'note'), (0.4, 'missing')])
def test_a_sense_that_would_be_masked_for_long_is_not_ready(robot, share, level):
    facts = with_heard('camera', masked_share=share, longest_gap_s=0.5)
    finding = found(robot, facts, 'camera', 'rate')
    assert finding.level == level
    assert ('max_age_s: 0.75' in finding.todo) == (level != 'ok')


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'longest_gap_s': 0.5, 'unsound': 3}, 'make the sensor faster'),
        ({'unsound': 3}, 'mend the samples first'),
        ({'late_s': 2.0}, 'it began late'),
    ],
)
def test_what_to_do_about_a_masked_sense_is_what_masks_it(robot, changes, told):
    facts = with_heard('touch', masked_share=0.4, **changes)
    finding = next(f for f in judge(robot, facts, Given()) if f.subject == 'touch' and f.todo)
    rate = found(robot, facts, 'touch', 'rate')
    assert told in rate.todo, finding


def test_a_sense_that_one_lost_sample_masks_is_noted(robot):
    facts = with_heard('joints', rate_hz=15.0, longest_gap_s=0.07)
    finding = found(robot, facts, 'joints', 'rate')
    assert finding.level is Level.NOTE
    assert 'one lost sample masks it' in finding.message
    assert '`max_age_s: 0.2`' in finding.todo


def test_a_sense_slower_than_the_step_is_noted(robot):
    finding = found(robot, with_heard('touch', rate_hz=5.0), 'touch', 'rate')
    assert finding.level is Level.NOTE
    assert 'slower than step_s, 0.1 s' in finding.message


def test_a_trigger_slower_than_the_loop_is_noted(robot):
    finding = found(replace(robot, trigger='joints'), FACTS, 'joints', 'rate')
    assert finding.level is Level.NOTE
    assert 'drives the loop at 25.0 Hz, rate_hz is 50' in finding.message


def test_another_picture_is_told_with_the_keys_that_fit(robot):
    facts = with_heard(
        'camera', refused=50, refusal='size', size=(480, 640), encoding='bgr8', contrast=None
    )
    finding = found(robot, facts, 'camera', 'samples')
    assert finding.level is Level.MISSING
    assert '`encoding: bgr8` and `camera_size: [480, 640]`' in finding.todo
    smaller = with_heard('camera', refused=50, refusal='size', size=(4, 4), encoding='rgb8')
    assert 'at least 8 x 8' in found(robot, smaller, 'camera', 'samples').todo


def test_joints_that_are_all_there_and_refused_are_told_why(robot):
    facts = with_heard('joints', refused=50, refusal='velocity is empty')
    finding = found(robot, facts, 'joints', 'samples')
    assert finding.level is Level.MISSING
    assert 'velocity is empty' in finding.message


def test_some_refused_messages_are_noted_because_others_came(robot):
    facts = with_heard('joints', refused=25, refusal='name is gripper')
    assert found(robot, facts, 'joints', 'samples').level is Level.NOTE


def test_pictures_without_contrast_are_missing(robot):
    facts = with_heard('camera', unsound=50, fault='no contrast (0.5)')
    finding = found(robot, facts, 'camera', 'samples')
    assert finding.level is Level.MISSING
    assert 'no contrast (0.5)' in finding.message


def test_a_stamp_of_another_clock_is_noted(robot):
    finding = found(robot, with_heard('touch', delay_s=-3.0), 'touch', 'delay')
    assert finding.level is Level.NOTE
    assert 'stamped 3.0 s ahead of the clock here' in finding.message


@pytest.mark.parametrize(
    ('delay_s', 'told'),
    [
        (0.6, '600 ms since'),
        (95.0, '95.0 s since'),
        (600.0, '10 min since'),
        (1e7, '2778 h since'),
    ],
)
def test_a_delay_is_told_in_a_unit_that_can_be_read(robot, delay_s, told):
    finding = found(robot, with_heard('touch', delay_s=delay_s), 'touch', 'delay')
    assert finding.level is Level.NOTE
    assert finding.message.startswith(told)


def test_a_delay_that_grows_is_noted_whatever_the_clocks_are(robot):
    finding = found(robot, with_heard('touch', delay_s=0.05, delay_pace=1.0), 'touch', 'delay')
    assert finding.level is Level.NOTE
    assert '1.0 s more in each second' in finding.message
    assert 'stamps stand still' in finding.todo


@pytest.mark.parametrize(('namespace', 'clock'), [('/', '/clock'), ('/left', '/left/clock')])
def test_stamps_of_simulated_time_are_not_compared(robot, namespace, clock):
    facts = with_heard('touch', delay_s=1e9)
    facts = replace(facts, namespace=namespace, published={clock: ('x',)})
    finding = found(robot, facts, 'touch', 'delay')
    assert finding.level is Level.OK
    assert 'simulated time' in finding.message
    clock = found(robot, facts, 'control', 'clock')
    assert clock.level is Level.NOTE
    assert 'it stands' in clock.message
    running = found(robot, replace(facts, time_factor=0.25), 'control', 'clock')
    assert running.level is Level.OK
    assert '0.25 s of it in a real second' in running.message


def test_of_a_time_that_jumps_no_age_is_advised(robot):
    facts = with_heard('touch', longest_gap_s=73.0, masked_share=0.9)
    assert any('max_age_s' in f.todo for f in judge(robot, facts, Given()))
    facts = replace(facts, published={'/clock': ('x',)}, time_factor=37464.2, clocks=2)
    findings = judge(robot, facts, Given())
    assert not any('max_age_s' in f.todo for f in findings)
    clock = found(robot, facts, 'control', 'clock')
    assert clock.level is Level.MISSING
    assert '2 publish simulated time, and it jumps' in clock.message


def test_two_controllers_of_ours_on_one_command_are_missing_something(robot):
    ours = [Endpoint('/controller', str(robot.output.message), 'reliable', True)] * 2
    facts = replace(FACTS, command=replace(FACTS.command, publishers=tuple(ours)))
    told = [f for f in judge(robot, facts, Given()) if 'end all but one' in f.todo]
    assert [f.level for f in told] == [Level.MISSING]
    assert '2 of our /controller publish on' in told[0].message


def test_what_is_said_of_a_subject_stands_together(robot):
    subjects = [f.subject for f in judge(robot, FACTS, Given())]
    changes = sum(a != b for a, b in pairwise(subjects))
    assert changes == len(set(subjects)) - 1


def test_a_message_that_is_not_installed_is_missing(robot):
    finding = found(robot, with_topic('touch', not_installed='install x'), 'touch', 'type')
    assert (finding.level, finding.message) == (Level.MISSING, 'install x')


@pytest.mark.parametrize(
    'listeners', [(), ('/_ros2cli_12',), ('/ns/top',), ('/recorder',), ('/rosbag2_recorder',)]
)
def test_a_command_that_only_watchers_hear_is_missing(robot, listeners):
    endpoints = tuple(Endpoint(node, 'std_msgs/Float64MultiArray') for node in listeners)
    facts = replace(FACTS, command=TopicFacts('/joint_command', listeners=endpoints))
    finding = found(robot, facts, 'motor', 'topic')
    assert finding.level is Level.MISSING
    assert 'nobody listens to /joint_command' in finding.message


@pytest.mark.parametrize(
    ('listener', 'what', 'told'),
    [
        (Endpoint('/arm', 'sensor_msgs/JointState'), 'type', 'as sensor_msgs/JointState'),
        (
            Endpoint('/arm', 'std_msgs/Float64MultiArray', incompatible='durability'),
            'QoS',
            'durability',
        ),
    ],
)
def test_a_listener_that_does_not_understand_the_command_is_missing(robot, listener, what, told):
    facts = replace(FACTS, command=TopicFacts('/joint_command', listeners=(listener,)))
    finding = found(robot, facts, 'motor', what)
    assert finding.level is Level.MISSING
    assert told in finding.message


@pytest.mark.parametrize(
    ('node', 'namespace', 'level', 'told'),
    [
        ('/teleop', '/', 'missing', '/teleop publishes'),
        ('/controller', '/', 'note', 'our /controller publishes'),
        ('/left/controller', '/left', 'note', 'our /left/controller publishes'),
        ('/right/controller', '/left', 'missing', '/right/controller publishes'),
        (UNNAMED, '/', 'note', 'a node not named yet publishes'),
    ],
)
def test_somebody_who_commands_already_is_told_and_is_in_the_way_unless_it_is_ours(
    robot, node, namespace, level, told
):
    command = replace(FACTS.command, publishers=(Endpoint(node, 'x'),))
    facts = replace(FACTS, namespace=namespace, command=command)
    finding = found(robot, facts, 'motor', 'topic')
    assert finding.level == level
    assert told in finding.message


def test_a_listener_that_is_not_named_yet_may_only_watch(robot):
    unknown = Endpoint(UNNAMED, 'std_msgs/Float64MultiArray')
    facts = replace(FACTS, command=replace(FACTS.command, listeners=(unknown,)))
    finding = found(robot, facts, 'motor', 'topic')
    assert finding.level is Level.NOTE
    assert 'ask once more' in finding.todo


def test_two_that_obey_one_command_are_noted(robot):
    both = tuple(Endpoint(n, 'std_msgs/Float64MultiArray') for n in ('/arm', '/simulation'))
    facts = replace(FACTS, command=replace(FACTS.command, listeners=both))
    finding = found(robot, facts, 'motor', 'topic')
    assert finding.level is Level.NOTE
    assert '2 nodes obey /joint_command: /arm, /simulation' in finding.message


@pytest.mark.parametrize(
    ('states', 'level'),
    [((), 'ok'), (('active',), 'ok'), (('inactive',), 'missing'), (('active', 'inactive'), 'ok')],
)
def test_a_controller_that_listens_but_is_not_active_obeys_nothing(robot, states, level):
    listener = Endpoint('/forward_position_controller', 'std_msgs/Float64MultiArray')
    facts = replace(
        FACTS,
        command=replace(FACTS.command, listeners=(listener,)),
        controllers={'forward_position_controller': frozenset(states)} if states else {},
    )
    findings = [f for f in judge(robot, facts, Given()) if f.subject == 'motor']
    assert max(findings, key=lambda f: list(Level).index(f.level)).level == level
    if level == 'missing':
        assert '--activate forward_position_controller' in findings[0].todo


def without_limits(robot: Robot) -> Robot:
    return replace(robot, output=replace(robot.output, limits=None))


def test_without_limits_the_controller_does_not_activate(robot):
    finding = found(without_limits(robot), FACTS, 'motor', 'limits')
    assert finding.level is Level.MISSING
    assert 'does not activate' in finding.message


@pytest.mark.parametrize(
    ('given', 'topic', 'level', 'told'),
    [
        (Given(urdf=URDF.format('left'), acceleration_rad_s2=5), '', 'ok', 'from the URDF'),
        (Given(acceleration_rad_s2=5), URDF.format('left'), 'note', 'robot_description'),
        (Given(urdf=URDF.format('left')), '', 'missing', 'acceleration'),
        (Given(urdf=URDF.format('l'), acceleration_rad_s2=5), '', 'missing', 'joint left'),
    ],
)
def test_limits_of_a_robot_description_are_judged(robot, given, topic, level, told):
    facts = replace(FACTS, description=topic)
    finding = found(without_limits(robot), facts, 'motor', 'limits', given)
    assert finding.level == level
    assert told in finding.message


def described(lower: float = -3, upper: float = 3, velocity: float = 9) -> str:
    limit = f'<limit lower="{lower}" upper="{upper}" velocity="{velocity}"/>'
    names = ('left', 'spare', 'right')
    joints = [f'<joint name="{name}">{limit}</joint>' for name in names]
    return f'<robot>{"".join(joints)}</robot>'


@pytest.mark.parametrize(
    ('urdf', 'told'),
    [
        (described(), ''),
        (described(lower=-0.9), 'left lower -1, expected at least -0.9'),
        (described(upper=0.5), 'left upper 1, expected at most 0.5'),
        (described(velocity=0.1), 'left velocity'),
        ('<robot/>', ''),
    ],
)
def test_limits_wider_than_those_of_the_robot_are_noted(robot, urdf, told):
    notes = [
        f
        for f in judge(robot, replace(FACTS, description=urdf), Given())
        if f.what == 'limits' and f.level is Level.NOTE
    ]
    assert [told in f.message for f in notes] == ([True] if told else [])


def test_a_joint_outside_its_limits_is_named(robot):
    facts = with_heard('joints', values={'left': 1.5, 'right': 0.0, 'spare': 0.0})
    finding = found(robot, facts, 'joints', 'limits')
    assert finding.level is Level.MISSING
    assert finding.message == 'left is 1.5000 rad, limits -1 to 1'
    resting = with_heard('joints', values={'left': 1.000001, 'right': 0.0, 'spare': 0.0})
    assert found(robot, resting, 'joints', 'limits').level is Level.OK


def test_a_step_shorter_than_a_period_is_noted(robot):
    finding = found(replace(robot, step_s=0.01), FACTS, 'control', 'loop')
    assert finding.level is Level.NOTE


@pytest.mark.parametrize(
    ('published', 'level'), [('/left/controller/goal', 'ok'), ('/controller/goal', 'note')]
)
def test_a_robot_that_is_led_by_goals_is_told_whether_anybody_shows_it_one(
    robot, published, level
):
    facts = replace(FACTS, namespace='/left', published={published: ('x',)})
    finding = found(replace(robot, goal='touch'), facts, 'control', 'goal')
    assert finding.level == level
    assert '/left/controller/goal' in finding.message
    assert [f for f in judge(robot, facts, Given()) if f.what == 'goal'] == []


def test_the_document_says_all_of_it(robot):
    data = document(robot, FACTS, judge(robot, FACTS, Given()))
    assert data['ready'] is True
    assert data['measured']['camera']['rate_hz'] == 25.0
    assert {'subject', 'what', 'level', 'message', 'todo'} == set(data['findings'][0])


def joints_message(names: list[str], values: list[float]) -> Any:
    return SimpleNamespace(name=names, position=values)


@pytest.fixture
def hearing(robot: Robot) -> Callable[[str], Hearing]:
    def build(name: str) -> Hearing:
        modality = next(m for m in robot.modalities if m.name == name)
        return Hearing(modality, robot.sources[name])

    return build


def test_the_share_of_masked_time_is_that_without_a_fresh_sound_sample(hearing):
    """At 0 and 0.05 s sound, then silence until 0.5 s; max_age_s is 0.1."""
    ear = hearing('joints')
    for at_s in (0.0, 0.05):
        ear.hear(joints_message(['left', 'spare', 'right'], [0.1, 0.2, 0.3]), at_s, 0.001, None)
    heard = ear.heard(0.5)
    assert heard.masked_share == pytest.approx((0.45 - 0.1) / 0.5)
    assert heard.longest_gap_s == pytest.approx(0.45)
    assert heard.rate_hz == pytest.approx(20.0)
    assert heard.values == {'right': 0.3, 'spare': 0.2, 'left': 0.1}
    assert (heard.waited_s, heard.delay_s) == (0.001, None)


def test_under_simulated_time_rates_and_gaps_are_in_its_seconds(hearing):
    """A slow simulation is no slow sensor: 0.2 s apart, that is 0.05 at a quarter of the pace."""
    pace, ear = Pace(), hearing('joints')
    for step in range(21):
        pace.hear(0.2 * step, 100 + 0.05 * step)
        message = joints_message(['left', 'spare', 'right'], [0.1, 0.2, 0.3])
        ear.hear(message, 0.2 * step, None, None)
    assert pace.factor == pytest.approx(0.25)
    heard = ear.heard(4.0, 0.0, pace.at)
    assert heard.rate_hz == pytest.approx(20)
    assert heard.longest_gap_s == pytest.approx(0.05)
    assert heard.masked_share == 0
    assert ear.heard(4.0, 0.0).masked_share > 0.4


def test_without_a_clock_time_is_steady_and_a_clock_that_is_set_back_begins_anew():
    pace = Pace()
    assert (pace.at(7.0), pace.factor) == (7.0, None)
    for steady_s, told_s in ((0.0, 50.0), (1.0, 51.0), (2.0, 0.0), (4.0, 1.0)):
        pace.hear(steady_s, told_s)
    assert pace.factor == pytest.approx(0.5)
    assert pace.at(3.0) == pytest.approx(0.5)


def test_a_single_sample_near_the_end_does_not_make_a_sense_fresh(hearing):
    """Its publisher is known at 0, and is granted 3 s to be connected."""
    ear = hearing('joints')
    ear.hear(joints_message(['left', 'spare', 'right'], [0.1, 0.2, 0.3]), 4.9, None, None)
    assert ear.heard(5.0, 0.0).masked_share == pytest.approx(1.9 / 2.0)
    soon = hearing('joints')
    soon.hear(joints_message(['left', 'spare', 'right'], [0.1, 0.2, 0.3]), 0.9, None, None)
    assert soon.heard(0.95, 0.0).masked_share == 0


def test_a_sample_that_is_not_finite_says_nothing_of_where_the_joints_are(hearing):
    ear = hearing('joints')
    ear.hear(joints_message(['left', 'spare', 'right'], [np.nan] * 3), 0.0, None, None)
    assert ear.heard(0.1).values == {}


def test_the_delay_of_stamps_that_stand_still_grows_as_time_goes_on(hearing):
    still, sound = hearing('joints'), hearing('joints')
    for step in range(10):
        at_s = 0.1 * step
        message = joints_message(['left', 'spare', 'right'], [0.1, 0.2, 0.3])
        still.hear(message, at_s, None, 600 + at_s)
        sound.hear(message, at_s, None, 600.0)
    assert still.heard(1.0).delay_pace == pytest.approx(1.0)
    assert sound.heard(1.0).delay_pace == 0


def test_ranges_are_judged_as_the_controller_does_on_what_came_back(load, robot_data):
    """A flat wall with holes shows nothing: the holes are no levels."""
    robot_data['modalities']['camera'] |= {
        'shape': [8, 8, 1],
        'unit': 'm',
        'encoding': '16UC1',
        'depth_m': [0.3, 2],
        'min_contrast': 6,
    }
    robot = load(robot_data)
    ear = Hearing(robot.modalities[0], robot.sources['camera'])
    levels = np.full((8, 8), 1000, dtype='<u2')
    levels[::2] = 0
    ear.hear(
        SimpleNamespace(
            width=8, height=8, encoding='16UC1', step=16, data=levels.tobytes(), is_bigendian=0
        ),
        0.0,
        None,
        None,
    )
    heard = ear.heard(0.1)
    assert (heard.unsound, heard.contrast) == (1, pytest.approx(0, abs=1e-3))


def test_a_sample_that_is_not_finite_masks_until_the_next(hearing):
    ear = hearing('joints')
    for at_s, value in ((0.0, np.nan), (0.05, 0.0)):
        ear.hear(joints_message(['left', 'spare', 'right'], [value] * 3), at_s, None, 0.2)
    heard = ear.heard(0.1)
    assert (heard.unsound, heard.masked_share) == (1, pytest.approx(0.5))
    assert 'not finite' in heard.fault
    assert heard.delay_s == 0.2


def test_refused_messages_are_counted_with_the_first_reason(hearing):
    ear = hearing('joints')
    ear.hear(joints_message(['gripper'], [0.0]), 0.0, None, None)
    ear.hear(joints_message(['left', 'spare', 'right'], [0.0] * 3), 0.0, None, None)
    ear.hear(joints_message([], []), 0.0, None, None)
    heard = ear.heard(1.0)
    assert (heard.received, heard.refused) == (3, 2)
    assert "expected also ['right', 'spare', 'left']" in heard.refusal
    assert heard.names == ('left', 'spare', 'right')


def test_nothing_heard_is_masked_all_the_time(hearing):
    heard = hearing('camera').heard(5.0)
    assert (heard.received, heard.masked_share, heard.longest_gap_s) == (0, 1.0, None)


def test_a_picture_is_described_even_if_it_is_refused(hearing):
    ear = hearing('camera')
    picture = SimpleNamespace(
        width=4, height=2, encoding='mono8', step=4, data=bytes(8), is_bigendian=0
    )
    ear.hear(picture, 0.0, None, None)
    heard = ear.heard(1.0)
    assert (heard.refused, heard.picture, heard.size) == (1, '4 x 2 mono8', (2, 4))
