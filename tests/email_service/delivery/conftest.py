from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.email_service.delivery.internet import Internet, internet_in


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with internet_in(tmp_path) as made:
        yield made
