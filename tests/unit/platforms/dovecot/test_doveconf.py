import pytest

from mailward.platforms.dovecot.doveconf import parse

OLD = """\
# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
# Pigeonhole version 0.5.19 (4eae2f79)
base_dir = /run/dovecot
mail_log_prefix = "%s(%u)<%{pid}><%{session}>: "
protocols = " imap lmtp"
ssl_key = # hidden, use -P to show it
namespace inbox {
  location =
  mailbox "Sent Messages" {
    special_use = \\Sent
  }
}
passdb {
  driver = pam
}
passdb {
  args = scheme=SHA512 /etc/dovecot/users
  driver = passwd-file
}
"""

NEW = """\
# 2.4.1-4 (7d8c0e5759): /etc/dovecot/dovecot.conf
dovecot_config_version = 2.4.0
protocols {
  imap = yes
  lmtp = yes
  pop3 = no
}
ssl_server {
  cert_file = /etc/ssl/mail.pem
}
quota "User quota" {
  storage_size = 20M
}
passdb passwd-file {
  passwd_file_path = /etc/dovecot/users
}
"""


def test_the_version_and_the_file_stand_in_the_first_line():
    assert ((2, 3, 19), "/etc/dovecot/dovecot.conf") == (parse(OLD).version, parse(OLD).file)
    assert ((2, 4, 1), True) == (parse(NEW).version, parse(NEW).is_new_style)


def test_values_lose_their_quotation_marks_and_hidden_ones_are_empty():
    root = parse(OLD).root

    assert "%s(%u)<%{pid}><%{session}>: " == root.get("mail_log_prefix")
    assert "" == root.get("ssl_key")


def test_blocks_stand_in_blocks_and_keep_their_names_and_order():
    root = parse(OLD).root

    assert "\\Sent" == root.block("namespace", "inbox").block("mailbox", "Sent Messages").get("special_use")
    assert ["pam", "passwd-file"] == [block.get("driver") for block in root.of_kind("passdb")]


@pytest.mark.parametrize("text", [OLD, NEW])
def test_a_list_is_the_same_words_in_one_line_and_as_a_block(text):
    assert ("imap", "lmtp") == parse(text).root.words("protocols")


def test_what_is_not_there_is_empty():
    root = parse(NEW).root

    assert ("", (), "") == (root.get("base_dir"), root.words("listen"), root.block("service", "auth").get("user"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not begin with Dovecot's version"),
        ("doveconf: Fatal: no", "does not begin with Dovecot's version"),
        (f"{OLD}}}\n", "line 20: a block ends that did not begin"),
        (f"{OLD}service x {{\n", "'service' does not end"),
        (f"{OLD}garbage\n", "line 20: neither a setting nor a block"),
        (OLD + "a {\n" * 50, "nested too deeply"),
    ],
)
def test_text_that_is_no_configuration_is_refused_with_its_line(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse(text)
