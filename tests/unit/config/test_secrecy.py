"""What is secret stays so, whatever is wrong with the rest."""

import pytest

from mailward.config.check import check, concerns_in_words
from mailward.config.mistakes import WrongConfiguration
from mailward.config.show import show

SECRET = "correct-horse-battery"
CONFIGURATION = """
[organization]
name = "example"
[servers.mail]
roles = ["mailbox"]
health_mailbox.user = "health-mail"
health_mailbox.password_file = "secret"
"""


@pytest.fixture
def everything(write, tmp_path):
    """All that can be printed about a configuration, with the password planted where its file says."""

    def printed(text: str, mode: int = 0o600) -> str:
        (tmp_path / "secret").write_text(SECRET)
        (tmp_path / "secret").chmod(mode)
        main = write(text)
        checked = check(main)
        try:
            shown = repr(show(main))
        except WrongConfiguration as error:
            shown = f"{error} {error!r} {error.args}"
        lines = concerns_in_words((*checked.warnings, *checked.advice))
        return f"{checked} {[str(mistake) for mistake in checked.mistakes]} {lines} {shown}"

    return printed


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_password_in_its_file_is_shown_by_the_name_of_the_file(everything, mode):
    printed = everything(CONFIGURATION, mode)

    assert "/secret" in printed
    assert SECRET not in printed


@pytest.mark.parametrize(
    "more",
    [
        'health_mailbox.password = "{}"',
        'health_mailbox.Password = ["{}"]',
        'password = "{}"',
        'health_mailbox.pasword = "{}"',
        'health_mailbox.login_as = ["{}"]',
        'imap.port = "{}"',
        'sentinel = "{}"',
        'backend_timeout = "{}"',
        'imap.source_address = "{}"',
        'host.service = "{}"',
        'health_mailbox = "{}"',
        '[organization]\nidentity = "{} with blanks"',
        '[servers.other]\nroles = "{}"',
        '[probes.ImapCTPProbe]\ninterval = "{}"',
        '[monitors]\nflapping = "{}"',
        'health_mailbox.password = "{}',
        "health_mailbox.password = {}",
        '[notify.x]\nkind = "webhook"\nurl = "https://user:{}@example.org/"',
        '[notify.x]\nkind = "webhook"\nurl = "https://{}@example.org/"',
        '[notify.x]\nkind = "webhook"\nurl = "https://example.org:{}/"',
        '[notify.x]\nkind = "webhook"\nurl = "{}"',
        '[notify.x]\nkind = "webhook"\nurl = ["{}"]',
        '[notify.x]\nkind = "smtp"\npassword = "{}"',
        '[notify.x]\nkind = "webhook"\ntoken = "{}"',
        '[notify.x]\nkind = "webhook"\nbearer_token = "{}"',
        '[notify.x]\nkind = "webhook"\npasword = "{}"',
        '[notify.x]\nkind = "smtp"\nsender = "{} x"',
        '[servers.mail.host]\nreach = "ssh:user:{}@host"',
        '[servers.mail.host.commands]\nstatus = ["./x", "{}"]',
    ],
)
def test_a_password_where_it_does_not_belong_is_never_repeated(everything, more):
    assert SECRET not in everything(CONFIGURATION + more.replace("{}", SECRET))


@pytest.mark.parametrize("address", ["https://example.org/hooks/{}", "https://example.org/?token={}"])
def test_of_an_address_that_may_hold_a_secret_only_the_host_is_shown(write, address):
    main = write(f'{CONFIGURATION}[notify.x]\nkind = "webhook"\nurl = "{address.format(SECRET)}"')

    (shown,) = [setting.value for setting in show(main) if setting.key == "notify.x.url"]

    assert '"https://example.org/…"' == shown
    assert SECRET not in str(concerns_in_words(check(main).warnings))


def test_the_secrets_of_channels_are_shown_by_the_names_of_their_files(everything):
    printed = everything(
        f"""{CONFIGURATION}
[notify.mail]
kind = "smtp"
host = "127.0.0.1"
sender = "a@example.org"
recipients = ["b@example.org"]
user = "u"
password_file = "secret"
[notify.hook]
kind = "webhook"
url_file = "secret"
bearer_token_file = "secret"
"""
    )

    for key in ("mail.password_file", "hook.url_file", "hook.bearer_token_file"):
        assert f"key='notify.{key}', value='\"" in printed
    assert SECRET not in printed
