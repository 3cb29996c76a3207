"""What of a client's command may be shown when it comes from a server's record of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.imap.masking import MASK
from mailward.imap.recorded import shown_command

SECRETS = st.text(
    st.characters(exclude_characters='\r\n\0" ', exclude_categories=["Cs", "Cc"]), min_size=4, max_size=20
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a1 SELECT INBOX", "a1 SELECT INBOX"),
        ("a1 NOOP", "a1 NOOP"),
        ("a1 UID FETCH 1:* (FLAGS BODY.PEEK[])", "a1 UID FETCH 1:* (FLAGS BODY.PEEK[])"),
        ("x1 APPEND INBOX (\\Seen) {4+}", "x1 APPEND INBOX (\\Seen) {4+}"),
        ('a1 SELECT "Sent items"', 'a1 SELECT "Sent items"'),
        ('a1 ID ("name" "mailward")', 'a1 ID ("name" "mailward")'),
        ("DONE", "DONE"),
        ("done", "done"),
        ('a1 LOGIN anna "open sesame"', "a1 LOGIN ***"),
        ("a1 login anna {11}", "a1 login ***"),
        ("a1 AUTHENTICATE PLAIN AGFubmEAb3BlbiBzZXNhbWU=", "a1 AUTHENTICATE PLAIN ***"),
        ("a1 AUTHENTICATE SCRAM-SHA-256", "a1 AUTHENTICATE SCRAM-SHA-256"),
        ('a1 SEARCH SUBJECT "my divorce"', 'a1 SEARCH SUBJECT "***"'),
        ('a1 UID SEARCH TEXT "unended', 'a1 UID SEARCH TEXT "***"'),
        ("AGFubmEAb3BlbiBzZXNhbWU=", MASK),
        ("", MASK),
        ("*", MASK),
        ("a1 SELECT \x1b[31mINBOX", "a1 SELECT \\x1b[31mINBOX"),
    ],
)
def test_what_may_be_a_secret_or_a_piece_of_a_message_is_masked(said, shown):
    assert shown == shown_command(said)


def test_a_long_text_between_quotation_marks_is_a_piece_of_a_message():
    assert 'a1 X "***"' == shown_command(f'a1 X "{"z" * 81}"')
    assert f'a1 X "{"z" * 80}"' == shown_command(f'a1 X "{"z" * 80}"')


@given(
    secret=SECRETS, command=st.sampled_from(["a1 LOGIN u {0}", 'a1 login u "{0}"', "a1 AuthenTicate PLAIN {0}", "{0}"])
)
def test_no_secret_is_ever_shown(secret, command):
    shown = shown_command(command.format(secret))

    assert secret not in shown.replace("a1 LOGIN", "").replace("a1 AuthenTicate PLAIN", "").replace("a1 login", "") or (
        command == "{0}" and secret.upper() == "DONE"
    )


@given(st.text(max_size=300))
def test_whatever_comes_one_printable_line_goes_out(text):
    assert shown_command(text).isprintable()
