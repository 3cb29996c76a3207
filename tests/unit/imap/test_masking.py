from base64 import b64encode

from hypothesis import example, given
from hypothesis import strategies as st

from mailward.imap import Authenticate, Conversation, Credentials, Login, RemoteProtocolError
from mailward.imap.masking import Masking
from mailward.imap.sasl import Plain
from mailward.model.organization import Security

PASSWORDS = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(password=PASSWORDS, before=st.text(max_size=20), after=st.text(max_size=20))
@example(password="*", before="***", after="")
@example(password="****", before="a**", after="**b")
@example(password="\\x1b", before="\x1b", after="")
@example(password="x1b", before="\x1b", after="")
def test_no_masked_text_holds_the_secret(password, before, after):
    masked = Masking()
    masked.keep_secret(password)

    assert password not in masked(before + password + after)


@example(password=" 000", echo="raw")
@given(password=PASSWORDS, echo=st.sampled_from(["raw", "base64", "blob", "quoted", "twice", "upper line"]))
def test_no_transcript_reply_or_error_holds_the_password_whatever_the_server_echoes(password, echo):
    blob = b64encode(f"\0u1\0{password}".encode()).decode()
    said = {
        "raw": password,
        "base64": b64encode(password.encode()).decode(),
        "blob": blob,
        "quoted": password.replace("\\", "\\\\").replace('"', '\\"'),
        "twice": password + password,
        "upper line": f"X {password}",
    }[echo]
    # What we say ourselves may hold a short password by chance, whatever the password is; what echoes it may not.
    ours = [text for command in logins("of nobody's") for text in shown_where(command, "")]
    for command in logins(password):
        for text in shown_where(command, said):
            if len(password) > 3 and not any(password in own for own in ours):
                assert password not in text
            if len(password) > 3:
                assert blob.rstrip("=") not in text


def logins(password):
    return Login("u1", password), Authenticate(Plain(Credentials(user="u1", password=password)))


def shown_where(command, said):
    """The transcript without its marks, and whatever else is shown, of a server that says that much more."""
    talk = Conversation(security=Security.TLS)
    talk.receive(b"* OK [CAPABILITY SASL-IR LITERAL+] x\r\n")
    talk.send(command)
    shown = []
    for line in (f"* OK {said}", f'* ID ("x" "{said}")', f"* {said}", f"p1 NO [ALERT {said}] {said}", f"{said} OK"):
        try:
            talk.receive(f"{line}\r\n".encode())
        except RemoteProtocolError as error:
            shown.append(str(error))
    if talk.reply is not None:
        shown.append(talk.reply.summary)
    return [line[3:] for line in talk.transcript.lines] + shown


def test_the_lines_of_a_transcript_never_hold_even_the_shortest_password():
    talk = Conversation(security=Security.TLS)
    talk.receive(b"* OK ready\r\n")
    talk.send(Login("anna", "n"))
    talk.receive(b"p1 NO no such n\r\n")

    assert "n" not in "".join(line[3:] for line in talk.transcript.lines[1:])
