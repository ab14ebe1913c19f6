"""The ratio between our counts and an upstream's: learnt from pairs, bounded, the same from any thread."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_chat.accounting.calibration import Calibration


def test_nothing_known_changes_nothing():
    """A model nobody has reported for is counted as it is."""
    assert Calibration().ratio("qwen/qwen-plus") == 1
    assert Calibration().applied("qwen/qwen-plus", 1234) == 1234


def test_what_is_reported_draws_the_ratio():
    """The more was reported, the nearer estimates come; another model's are left alone."""
    calibration = Calibration()
    calibration.learn("a/b", counted=100, reported=120)
    first = calibration.ratio("a/b")
    calibration.learn("a/b", counted=100_000, reported=120_000)
    assert 1 < first < calibration.ratio("a/b") < 1.2
    assert calibration.applied("a/b", 1000) == 1200
    assert calibration.applied("a/c", 1000) == 1000


def test_the_new_outweighs_the_old():
    """An upstream that changed its vocabulary is followed."""
    calibration = Calibration()
    for _ in range(50):
        calibration.learn("a/b", counted=10_000, reported=15_000)
    for _ in range(80):
        calibration.learn("a/b", counted=10_000, reported=9_000)
    assert calibration.ratio("a/b") == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(("counted", "reported"), [(0, 10), (-5, 10), (10, 0), (10, 41), (100, 24), (10, -1)])
def test_a_pair_about_something_else_is_left_out(counted, reported):
    """What cannot be the same text, such as a prompt with pictures, teaches nothing."""
    calibration = Calibration()
    calibration.learn("a/b", counted=counted, reported=reported)
    assert calibration.ratio("a/b") == 1


def test_models_are_bounded_and_the_used_ones_stay():
    """However many names come by, the oldest unused one goes."""
    calibration = Calibration(models=2)
    for model in ("a", "b", "a", "c"):
        calibration.learn(model, counted=10_000, reported=20_000)
    assert calibration.ratio("b") == 1
    assert calibration.ratio("a") > 1.9
    assert calibration.ratio("c") > 1.9


def test_pairs_are_wanted_less_and_less():
    """The first answers are all counted for it, later ones now and again."""
    calibration = Calibration()
    due = [calibration.is_due("a") for _ in range(100)]
    assert all(due[:8])
    assert 3 <= sum(due[8:]) <= 10


@given(st.lists(st.tuples(st.integers(-10, 10**7), st.integers(-10, 10**8)), max_size=50), st.integers(0, 10**6))
def test_no_pairs_lead_astray(pairs, counted):
    """Whatever was reported, an estimate stays within four times the count."""
    calibration = Calibration()
    for ours, theirs in pairs:
        calibration.learn("a", counted=ours, reported=theirs)
    assert counted // 4 - 1 <= calibration.applied("a", counted) <= counted * 4 + 1


def test_threads_lose_nothing():
    """Pairs from many threads at once all count."""
    calibration = Calibration()

    def learn():
        for _ in range(200):
            calibration.learn("a", counted=10, reported=20)
            calibration.is_due("a")

    threads = [threading.Thread(target=learn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calibration.ratio("a") == (32_000 + 200) / (16_000 + 200)
