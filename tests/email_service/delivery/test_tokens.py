import pytest

from email_service.delivery.tokens import bounce_sender, read, read_bounce_sender, sign

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.mark.parametrize("ids", [(), (0,), (1,), (7, 2**63, 255, 256)])
def test_a_token_gives_back_its_ids(ids):
    assert read("open", sign("open", *ids, keys=[NEW, OLD]), [NEW, OLD]) == ids


def test_a_token_is_good_for_its_purpose_and_keys_only():
    token = sign("unsubscribe", 7, keys=[OLD])

    assert read("unsubscribe", token, [NEW, OLD]) == (7,)
    assert read("open", token, [NEW, OLD]) is None
    assert read("unsubscribe", token, [NEW, OTHER]) is None


def test_every_single_changed_bit_and_every_truncation_is_noticed():
    token = sign("click", 123456, 789, keys=[NEW])

    for place in range(len(token)):
        for bit in range(8):
            forged = token[:place] + chr(ord(token[place]) ^ (1 << bit)) + token[place + 1 :]
            assert read("click", forged, [NEW]) is None
        assert read("click", token[:place], [NEW]) is None
    for other in (token + "A", token + "=", token + "\n", " " + token, "", "é", "A" * 10_000):
        assert read("click", other, [NEW]) is None


def test_a_bounce_address_survives_a_change_of_case_and_nothing_else():
    address = bounce_sender(2**40 + 5, "bounce.example.com", [NEW])
    local, _, host = address.partition("@")

    assert host == "bounce.example.com"
    assert len(local) <= 64
    assert read_bounce_sender(address, [OLD, NEW]) == 2**40 + 5
    assert read_bounce_sender(address.upper(), [NEW]) == 2**40 + 5
    assert read_bounce_sender(address, [OLD]) is None
    for place in range(2, len(local)):
        sign_there = "a" if local[place] != "a" else "b"
        assert read_bounce_sender(f"{local[:place]}{sign_there}{local[place + 1 :]}@{host}", [NEW]) is None
    for other in ("b+@x", "b+é@x", "someone@x", "", "b+" + "a" * 500 + "@x"):
        assert read_bounce_sender(other, [NEW]) is None


def test_short_keys_and_numbers_that_are_no_ids_are_refused():
    with pytest.raises(ValueError, match="32"):
        sign("open", 1, keys=[b"short"])
    with pytest.raises(ValueError, match="keys"):
        read("open", "abc", [])
    with pytest.raises(ValueError, match="64 bits"):
        sign("open", -1, keys=[NEW])
