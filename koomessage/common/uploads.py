"""Uploaded files, wherever the storage keeps them: nobody asks for a path, for an object store has none."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.base import File
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext_lazy as _

from koomessage.common.errors import RuleViolation
from koomessage.common.outages import Outage, outage_of

logger = logging.getLogger(__name__)
CHUNK = 2**20


class StorageSilent(Exception):
    """The file cannot be had now: the storage does not answer, or this host has no room. Later it may."""


def store(field_file: FieldFile, name: str, content: File, *, field: str) -> None:
    """Hand a file to the storage; its row is saved by whoever calls.

    Raises RuleViolation for the form field where the storage does not take it. A disk that is full is the platform's
    own failure and stays one: the page that says so keeps what was typed.
    """
    try:
        field_file.save(name, content, save=False)
    except Exception as error:  # every storage has kinds of its own
        if outage_of(error) is Outage.ROOM:
            raise
        logger.warning("The storage did not take %s: %s", name, error)
        sentence = _("The file could not be stored. Try again in a few minutes.")
        raise RuleViolation(sentence, field=field) from error


def discard(field_file: FieldFile) -> bool:
    """Delete a file that no row names; one that cannot be deleted (False) only takes room."""
    try:
        field_file.storage.delete(str(field_file.name))
        return True
    except Exception as error:  # as above
        logger.warning("%s is named by no row and could not be deleted: %s", field_file.name, error)
        return False


def read(field_file: FieldFile) -> bytes:
    """Return a small file's bytes. Raises FileNotFoundError where there is none, else StorageSilent."""
    source = opened(field_file)
    with _trouble(field_file), source:
        return source.read()


@contextmanager
def local_copy(field_file: FieldFile) -> Iterator[Path]:
    """Give a path on this host under which the file can be read inside the block. Raises as `read` does.

    The copy has no name in any folder, so that it goes with the process, however that ends.
    """
    source = opened(field_file)
    with _trouble(field_file):
        copy = tempfile.TemporaryFile()  # noqa: SIM115  closed below
    with copy:
        with _trouble(field_file), source:
            shutil.copyfileobj(source, copy, CHUNK)
            copy.flush()
        yield Path(f"/dev/fd/{copy.fileno()}")


def opened(field_file: FieldFile) -> File:
    """Return the file, open to be read by whoever closes it. Raises as `read` does."""
    try:
        return field_file.storage.open(str(field_file.name), "rb")
    except FileNotFoundError:
        raise
    except Exception as error:  # as above
        raise StorageSilent(_sentence(field_file, error)) from error


@contextmanager
def _trouble(field_file: FieldFile) -> Iterator[None]:
    """Also what is "not found" here is trouble: a host whose disk is full has no temporary folder, says Python."""
    try:
        yield
    except Exception as error:  # as above
        raise StorageSilent(_sentence(field_file, error)) from error


def _sentence(field_file: FieldFile, error: Exception) -> str:
    return f"The stored file {field_file.name} cannot be read on this host now: {error}"
