"""The comparison of two versions."""

import time

from email_service.mail_templates.differences import MOST_LINES, difference


def shown(before: str, now: str) -> list[str]:
    signs = {"same": " ", "added": "+", "removed": "-"}
    return [
        signs[line.kind]
        + "".join(f"[{piece.text}]" if piece.is_changed else piece.text for piece in line.pieces)
        for stretch in difference(before, now).stretches
        for line in stretch.lines
    ]


def test_words_that_changed_are_marked_inside_their_line():
    assert shown("Hello Ann, welcome.", "Hello Bob, welcome.") == [
        "-Hello [Ann], welcome.",
        "+Hello [Bob], welcome.",
    ]
    assert shown("您的订单已发货", "您的订单已签收")[0].startswith("-您的订单已[")


def test_lines_with_nothing_in_common_are_not_taken_apart():
    assert shown("abc", "完全不同") == ["-abc", "+完全不同"]


def test_added_and_removed_lines_are_counted():
    result = difference("a\nb\nc", "a\nc\nd\ne")

    assert (result.added, result.removed, result.is_empty) == (2, 1, False)
    assert difference("a", "a").is_empty


def test_unchanged_stretches_are_folded_around_the_changes():
    before = "\n".join(f"line {number}" for number in range(40))

    result = difference(before, before.replace("line 20", "LINE twenty"))

    assert [(stretch.is_folded, len(stretch.lines)) for stretch in result.stretches] == [
        (True, 18),
        (False, 6),
        (True, 17),
    ]


def test_texts_that_are_too_long_are_cut_and_say_so():
    long = "".join(f"{number}\n" for number in range(MOST_LINES + 5))

    assert difference(long, long.replace("\n", "x\n")).is_cut
    assert not difference(long, long.replace("700\n", "x\n")).is_cut


def test_texts_made_to_be_slow_are_compared_soon():
    words = " ".join("ab"[number % 2] for number in range(600))
    slow = "\n".join(f"{number} {words}" for number in range(200))
    shuffled = [f"line {number % 100}" for number in range(4000)]
    started = time.perf_counter()

    difference(slow, slow.replace("a b a", "b a"))
    difference("\n".join(shuffled), "\n".join(sorted(shuffled)))

    assert time.perf_counter() - started < 10


def test_empty_texts():
    assert shown("", "a") == ["+a"]
    assert difference("", "").stretches == ()
