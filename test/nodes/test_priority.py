"""A node may run before everything ordinary, and goes on where that is not permitted."""

from __future__ import annotations

import os
import threading
from typing import Any

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.nodes import priority
import pytest


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []

    def note(thread: int, policy: int, param: Any) -> None:
        found.append((thread, policy, param.sched_priority))

    monkeypatch.setattr(os, 'sched_setscheduler', note)
    return found


def test_every_thread_of_the_process_is_raised(asked: list[tuple[int, int, int]]):
    other = threading.Event()
    thread = threading.Thread(target=other.wait)
    thread.start()
    try:
        assert priority.raise_priority(40) == ''
    finally:
        other.set()
        thread.join()
    assert {threading.get_native_id(), thread.native_id} <= {t for t, _, _ in asked}
    assert {(policy, value) for _, policy, value in asked} == {(os.SCHED_FIFO, 40)}


def test_nothing_is_changed_unless_asked_for(asked: list[tuple[int, int, int]]):
    assert priority.raise_priority(0) == ''
    assert asked == []


def test_where_it_is_not_permitted_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments: Any) -> None:
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr(os, 'sched_setscheduler', refuse)
    assert 'limits.conf' in priority.raise_priority(1)


@pytest.mark.parametrize('value', [-1, 100])
def test_a_priority_that_there_is_not_is_refused(asked: list[tuple[int, int, int]], value: int):
    with pytest.raises(ModalityError, match=f'priority is {value}'):
        priority.raise_priority(value)
    assert asked == []
