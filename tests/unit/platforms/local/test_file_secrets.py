import os

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.model.organization import SecretKind, SecretRef
from mailward.platforms.local.file_secrets import FileSecrets


def a_file(directory, content=b"s3cret\n", mode=0o600):
    path = directory / "health.password"
    path.write_bytes(content)
    path.chmod(mode)
    return SecretRef(kind=SecretKind.FILE, name=str(path))


@pytest.mark.parametrize("content", [b"s3cret", b"s3cret\n", b"s3cret\r\n", b"s3cret\n\n"])
def test_a_secret_comes_without_its_trailing_newline(content, tmp_path):
    assert "s3cret" == FileSecrets().reveal(a_file(tmp_path, content))


def test_spaces_belong_to_a_secret(tmp_path):
    assert " s3 cret " == FileSecrets().reveal(a_file(tmp_path, b" s3 cret \n"))


def test_a_relative_name_counts_from_the_configurations_directory(tmp_path):
    a_file(tmp_path)

    assert "s3cret" == FileSecrets(tmp_path).reveal(SecretRef(kind=SecretKind.FILE, name="health.password"))


def test_a_rotated_secret_is_read_at_the_next_use(tmp_path):
    secrets, ref = FileSecrets(), a_file(tmp_path)
    secrets.reveal(ref)

    a_file(tmp_path, b"newer")

    assert "newer" == secrets.reveal(ref)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_a_file_everybody_may_read_is_refused_with_the_command_that_mends_it(mode, tmp_path):
    ref = a_file(tmp_path, mode=mode)

    with pytest.raises(TemporaryFailure, match="can be read by everybody") as refused:
        FileSecrets().reveal(ref)

    assert f"chmod o-rwx {ref.name}" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_file_of_a_group_is_accepted(tmp_path):
    assert "s3cret" == FileSecrets().reveal(a_file(tmp_path, mode=0o640))


@pytest.mark.parametrize(
    ("content", "because"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"x" * 5000, "larger than 4096"), (b"\xff\xfe", "is not UTF-8")],
)
def test_what_can_be_no_password_is_refused(content, because, tmp_path):
    with pytest.raises(TemporaryFailure, match=because):
        FileSecrets().reveal(a_file(tmp_path, content))


def test_a_pipe_in_its_place_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe", mode=0o600)

    with pytest.raises(TemporaryFailure, match="pipe is no ordinary file"):
        FileSecrets(tmp_path).reveal(SecretRef(kind=SecretKind.FILE, name="pipe"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TemporaryFailure, match="nosuch cannot be read: No such file"):
        FileSecrets(tmp_path).reveal(SecretRef(kind=SecretKind.FILE, name="nosuch"))


def test_a_secret_in_the_environment():
    secrets = FileSecrets(environment={"PROBE_PASSWORD": "s3cret"})

    assert "s3cret" == secrets.reveal(SecretRef(kind=SecretKind.ENVIRONMENT, name="PROBE_PASSWORD"))
    with pytest.raises(TemporaryFailure, match="the environment variable NOPE"):
        secrets.reveal(SecretRef(kind=SecretKind.ENVIRONMENT, name="NOPE"))


def test_a_credential_of_systemd(tmp_path):
    a_file(tmp_path, mode=0o400)
    secrets = FileSecrets(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert "s3cret" == secrets.reveal(SecretRef(kind=SecretKind.CREDENTIAL, name="health.password"))


def test_a_credential_without_systemd_says_what_is_missing():
    with pytest.raises(TemporaryFailure, match="LoadCredential=probe"):
        FileSecrets(environment={}).reveal(SecretRef(kind=SecretKind.CREDENTIAL, name="probe"))


def test_a_credentials_name_leads_nowhere_else(tmp_path):
    secrets = FileSecrets(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})

    with pytest.raises(TemporaryFailure, match="is not the name of a credential"):
        secrets.reveal(SecretRef(kind=SecretKind.CREDENTIAL, name="../etc/shadow"))
