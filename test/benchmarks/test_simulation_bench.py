"""Collecting beside bare PyBullet: both draw as many pictures, and let as much time pass."""

import json

from mmvae_controller.benchmarks import simulation
from mmvae_controller.benchmarks.bare_pybullet import BarePyBullet
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.collect import CollectSettings
from mmvae_controller.simulation.simulator import PHYSICS_HZ
import numpy as np
import pybullet
import pytest


@pytest.fixture
def settings(iiwa_file):
    return CollectSettings(str(iiwa_file), simulation.TASK, episodes=1, seed=3)


@pytest.fixture
def calls(monkeypatch):
    """Return the arguments of every call that draws, and how many calls stepped, from now on."""
    drawn, stepped = [], []
    draw, step = pybullet.getCameraImage, pybullet.stepSimulation

    def spied(*arguments, **named):
        image = draw(*arguments, **named)
        drawn.append(((arguments, named), image[2][..., :3].copy()))
        return image

    monkeypatch.setattr(pybullet, 'getCameraImage', spied)
    monkeypatch.setattr(
        pybullet, 'stepSimulation', lambda **named: stepped.append(0) or step(**named)
    )
    return drawn, stepped


def taken(calls):
    """Return what was called since, and forget it."""
    drawn, stepped = (list(made) for made in calls)
    for made in calls:
        made.clear()
    return drawn, len(stepped)


def asked(drawn):
    """Return what the pictures were asked for with, but for the physics client."""
    return {repr((a, sorted((n | {'physicsClientId': 0}).items()))) for (a, n), _ in drawn}


def test_the_floor_draws_and_steps_what_collecting_does(settings, iiwa_file, calls):
    robot = load_robot(iiwa_file)
    shown = simulation.collected(settings, robot.anchor)
    ours, steps = taken(calls)
    bare = BarePyBullet(robot, settings.task, settings.record_hz)
    try:
        bare.draw_and_step(shown)
        floor, floor_steps = taken(calls)
        bare.draw(shown)
        drawn, none = taken(calls)
    finally:
        bare.close()
    pictures = sum(len(episode.postures) for episode in shown)
    # The last picture of an episode may come too late to be recorded.
    assert len(floor) == len(drawn) == pictures
    assert 0 <= len(ours) - pictures <= 1
    assert abs(floor_steps - steps) <= PHYSICS_HZ / settings.record_hz
    assert none == 0
    assert asked(ours) == asked(floor) == asked(drawn)
    # The same scene, and the arm stands where it stood.
    for (_, one), (_, other) in zip(ours, drawn, strict=False):
        assert np.mean(one != other) < 0.001


def test_the_document_is_well_formed(monkeypatch):
    # What several processes do is tested where they are; here one is enough.
    monkeypatch.setattr(simulation, 'PROCESSES', 1)
    found = simulation.benchmark(quick=True, say=lambda words: None)
    document = json.loads(json.dumps(found.data(), allow_nan=False))
    assert document['settings']['episodes'] == 1
    for figure in document['figures']:
        assert figure['ours'] > 0
        assert figure['beside'] > 0
    headline = document['figures'][0]
    assert (headline['name'], headline['unit']) == ('pictures collected', 'pictures/s')
    assert headline['met'] == (headline['ratio'] >= simulation.GOAL)


def test_the_simulator_is_stepped_without_drawing_anything(iiwa_file, calls):
    simulator = simulation.simulator_of(load_robot(iiwa_file), simulation.TASK)
    try:
        assert simulation.stepping_s(simulator, 3, 50) > 0
    finally:
        simulator.close()
    drawn, steps = taken(calls)
    assert not drawn
    assert steps == 50
