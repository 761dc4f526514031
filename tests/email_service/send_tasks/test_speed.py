"""A batch is half a second's work, whatever the servers take."""

import time

import pytest

from email_service.send_tasks.dispatch.speed import LEAST, LEAST_FEW, MOST, Speed


@pytest.mark.parametrize(("per_second", "batch"), [(10, LEAST), (600, 300), (50_000, MOST)])
def test_what_is_claimed_follows_the_pace(per_second: int, batch: int):
    speed = Speed()

    for _ in range(40):
        speed.sent(100, since=time.monotonic() - 100 / per_second)
        speed._ended_at = 0.0

    assert speed.batch == pytest.approx(batch, rel=0.1)


@pytest.mark.parametrize(("per_second", "few"), [(10, LEAST_FEW), (5_000, 500)])
def test_the_next_batch_is_claimed_while_a_tenth_of_a_second_is_still_to_be_sent(per_second: int, few: int):
    speed = Speed()

    speed.per_second = per_second

    assert speed.few == few


def test_a_handful_says_nothing_about_the_pace():
    speed = Speed()
    before = speed.batch

    speed.sent(3, since=time.monotonic() - 3.0)

    assert speed.batch == before


def test_what_waited_for_another_batch_does_not_count_that_time():
    speed = Speed()
    speed.sent(500, since=time.monotonic() - 1.0)
    before = speed.per_second

    speed.sent(500, since=time.monotonic() - 1.0)

    assert speed.per_second > before, "it ended right after the one before"
