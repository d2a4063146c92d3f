"""The watchdog."""

from mmvae_controller.control.watchdog import Watchdog


def test_it_expires_only_after_its_timeout():
    watchdog = Watchdog(timeout_ns=100, now_ns=1000)
    assert not watchdog.expired(1100)
    assert watchdog.expired(1101)


def test_feeding_it_starts_the_timeout_anew():
    watchdog = Watchdog(timeout_ns=100, now_ns=0)
    watchdog.feed(5000)
    assert not watchdog.expired(5100)
    assert watchdog.expired(5101)
    watchdog.feed(6000)
    assert not watchdog.expired(6000)
