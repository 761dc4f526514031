from email_service.delivery.engine.tempo import FAST_ENOUGH, FIRST_PAUSE, LONGEST_PAUSE, SLOWEST, Tempo


def test_until_somebody_complains_all_goes_at_once():
    tempo = Tempo(8)

    assert tempo.connections == 8
    assert all(tempo.take(1.0) for _ in range(1000))


def test_a_throttle_pauses_and_halves_both_connections_and_rate():
    tempo = Tempo(8)
    for tenth in range(40):
        tempo.succeeded(tenth / 10)  # ten a second

    tempo.throttled(4.0)

    assert tempo.connections == 4
    assert 4.5 < tempo.rate < 5.5
    assert not tempo.take(4.0 + FIRST_PAUSE - 0.1)
    assert tempo.take(4.0 + FIRST_PAUSE)
    assert not tempo.take(4.0 + FIRST_PAUSE + 0.1)
    assert tempo.take(4.0 + FIRST_PAUSE + 0.25)


def test_many_complaints_about_one_burst_count_once():
    tempo = Tempo(8)

    for _ in range(8):
        tempo.throttled(1.0)

    assert tempo.connections == 4
    assert tempo.ready_at() == 1.0 + FIRST_PAUSE


def test_complaint_after_complaint_slows_down_to_a_limit():
    tempo = Tempo(8)
    for _ in range(50):
        tempo.throttled(tempo.paused_until)

    assert tempo.connections == 1
    assert tempo.rate == SLOWEST
    before = tempo.paused_until
    tempo.throttled(before)
    assert tempo.paused_until == before + LONGEST_PAUSE


def test_success_after_success_brings_the_old_pace_back_slowly():
    tempo = Tempo(8)
    tempo.throttled(0.0)
    tempo.throttled(tempo.paused_until)
    assert tempo.connections == 2

    speeds = []
    for number in range(600):
        tempo.succeeded(100.0 + number)
        speeds.append((tempo.connections, tempo.rate))

    assert speeds == sorted(speeds)
    assert speeds[9][0] < 8
    assert speeds[-1] == (8, float("inf"))
    assert max(rate for _, rate in speeds if rate != float("inf")) <= FAST_ENOUGH
