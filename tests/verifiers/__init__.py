import pytest

# Else a failed assertion there would not say what it compared.
pytest.register_assert_rewrite("tests.verifiers.reading", "tests.verifiers.judges")
