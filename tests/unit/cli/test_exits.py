"""Exit codes."""

import pytest

from mailward.cli.exits import ExitCode, exit_code_of
from mailward.client.errors import NoManager
from mailward.model.errors import ConfigError, MailwardError, PermanentFailure, Refused, TemporaryFailure


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 1),
        (Refused("x"), 1),
        (PermanentFailure("x"), 1),
        (MailwardError("x"), 1),
        (TemporaryFailure("x"), 3),
        (NoManager(()), 3),
    ],
)
def test_each_error_has_its_code_and_none_is_2(error, code):
    assert code == exit_code_of(error)


def test_codes_are_the_agreed_ones():
    assert {"DONE": 0, "FAILED": 1, "UNHEALTHY": 2, "UNKNOWN": 3, "INTERRUPTED": 130, "BROKEN_PIPE": 141} == {
        code.name: code.value for code in ExitCode
    }
