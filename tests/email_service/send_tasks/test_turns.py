"""Whose mail was being made is known after a crash, of all that were in the making."""

from pathlib import Path

import pytest

from email_service.send_tasks import turns


def test_every_mail_in_the_making_is_a_suspect_and_those_made_are_not(tmp_path: Path):
    note = turns.Note(tmp_path / "worker.turn")
    note.write(7)
    with note.holding(8), note.holding(9):
        assert turns.crashed_over(note.path) == {7, 8, 9}
    note.write(0)

    assert turns.crashed_over(note.path) == frozenset()


def test_a_place_is_free_again_after_an_error(tmp_path: Path):
    note = turns.Note(tmp_path / "worker.turn")
    for number in range(1, 20):
        with pytest.raises(ValueError, match="no key"), note.holding(number):
            raise ValueError("no key")

    assert turns.crashed_over(note.path) == frozenset()


def test_no_note_means_no_suspect(tmp_path: Path):
    assert turns.crashed_over(tmp_path / "gone.turn") == frozenset()
