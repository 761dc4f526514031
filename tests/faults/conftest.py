"""The long experiments run by `make test-faults` alone."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `faults` unless `-m` names it: no other selection may start servers by the way."""
    if "faults" in (config.getoption("markexpr") or ""):
        return
    long = [item for item in items if item.get_closest_marker("faults")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
