from datetime import UTC, datetime, timedelta

import pytest

from email_service.delivery.retry import next_attempt
from email_service.delivery.routing import recipient_domain

START = datetime(2024, 8, 16, 9, 0, tzinfo=UTC)
LIFETIME = timedelta(hours=72)


def attempts(jitter: int) -> list[datetime]:
    times, now = [], START
    while (
        due := next_attempt(len(times) + 1, first_at=START, now=now, lifetime=LIFETIME, jitter=jitter)
    ) is not None:
        times.append(due)
        now = due
    return times


def test_waits_grow_from_minutes_to_hours_and_end_with_the_lifetime():
    times = attempts(jitter=1)
    waits = [later - earlier for earlier, later in zip([START, *times], times, strict=False)]

    assert timedelta(minutes=2) <= waits[0] <= timedelta(minutes=3)
    assert timedelta(hours=4) <= waits[-1] <= timedelta(hours=5)
    assert START + timedelta(hours=66) < times[-1] <= START + LIFETIME
    assert 15 <= len(times) <= 30


def test_the_same_message_comes_back_at_the_same_moment_and_others_at_others():
    assert attempts(5) == attempts(5)
    assert len({attempts(jitter)[0] for jitter in range(1000)}) > 900


def test_a_message_past_its_lifetime_is_not_tried_again():
    assert next_attempt(1, first_at=START, now=START + LIFETIME, lifetime=LIFETIME, jitter=1) is None


def test_attempts_are_counted_from_one():
    with pytest.raises(ValueError, match="from 1"):
        next_attempt(0, first_at=START, now=START, lifetime=LIFETIME, jitter=1)


@pytest.mark.parametrize(
    ("address", "domain"),
    [("a@Example.COM", "example.com"), ("a@例子.广告", "xn--fsqu00a.xn--4rr70v"), ('"a@b"@c.de.', "c.de")],
)
def test_the_domain_of_an_address_is_written_as_lower_case_a_labels(address, domain):
    assert recipient_domain(address) == domain


@pytest.mark.parametrize(
    "address", ["", "a", "@a.b", "a@", "a@b..c", "a@b c", "a@b\r\n", "a@😀.com", "a@" + "x" * 64]
)
def test_an_address_without_a_domain_is_refused(address):
    with pytest.raises(ValueError):
        recipient_domain(address)
