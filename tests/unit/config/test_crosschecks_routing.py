"""What a map needs is asked for when it is written, and what could do harm is refused."""

import pytest

from mailward.config.load import load, read

ORGANIZATION = """
[organization]
name = "example"
[servers.be1]
roles = ["mailbox"]
[routing]
"""
SQL = """
active = "SELECT name, active FROM databases"
mailboxes = "SELECT username FROM users WHERE db = :database"
switch = "UPDATE databases SET active = :target WHERE name = :database AND active = :source"
"""
LDAP = """
map = "ldaps://ldap.example.org"
[routing.ldap]
base = "ou=people,dc=example,dc=org"
"""


@pytest.fixture
def main(tmp_path):
    return tmp_path / "mailward.toml"


def mistakes_of(main, text):
    main.write_text(ORGANIZATION + text)
    return [mistake.text for mistake in read(main).mistakes]


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ('map = "sqlite:map.db"' + SQL, []),
        ('map = "postgresql:///mail?host=/run/postgresql"' + SQL, []),
        ('map = "mysql://mailward@db.example.org:3306/mail"\npassword_file = "p"' + SQL, []),
        (LDAP, []),
        ('map = "ldapi:///"\n[routing.ldap]\nbase = "dc=example"', []),
        (
            'map = "oracle://x"' + SQL,
            [
                'routing.map must be "sqlite:FILE", "postgresql://USER@HOST/NAME", "mysql://USER@HOST/NAME",'
                ' "ldap://HOST", "ldaps://HOST", "ldapi://SOCKET" or "command"'
            ],
        ),
        (
            'map = "postgresql://u:p/w@h/db"' + SQL,
            ["routing.map holds a password; give it by password_file, password_environment or password_credential"],
        ),
        (
            'map = "mysql://u@h/db?password=x"' + SQL,
            ["routing.map holds a password; give it by password_file, password_environment or password_credential"],
        ),
        *(
            (
                f'map = "postgresql://u@h/db?{query}"' + SQL,
                ["routing.map holds a password; give it by password_file, password_environment or password_credential"],
            )
            for query in (
                "sslpassword=x",
                "sslmode=require&PASSWORD=x",
                "%70assword=x",
                "ssl_key_passphrase=x",
                "passwd=",
            )
        ),
        ('map = "postgresql://u@h/db?passfile=/x&sslmode=require&require_auth=password"' + SQL, []),
        (
            'map = "sqlite:map.db"' + SQL.replace(":source", ":sauce"),
            [
                "routing.switch does not mention :source, which it needs",
                "routing.switch has :sauce, which is no parameter of it (it has :database, :source, :target,"
                " :hold_until); write \\: for a colon that is meant",
            ],
        ),
        (
            'map = "sqlite:map.db"' + SQL.replace("FROM databases", "FROM databases WHERE name = :database"),
            [
                "routing.active has :database, which is no parameter of it (it has none); write \\: for a colon that is"
                " meant"
            ],
        ),
        (
            'map = "postgresql://h/db"' + SQL.replace("name, active FROM", "name\\u003a:text, '\\\\:x' FROM"),
            [],
        ),
        (
            'map = "postgresql://h/db"' + SQL.replace("db = :database", "db = :database::text"),
            [
                "routing.mailboxes does not mention :database, which it needs; a cast of it is CAST(:database AS …)",
            ],
        ),
        ('map = "postgresql://h/db"' + SQL.replace("db = :database", "db::text = CAST(:database AS text)"), []),
        (
            'map = "sqlite:map.db"\npassword_file = "a"\npassword_environment = "B"' + SQL,
            ["routing.password_environment is a second place for the same password; keep one"],
        ),
        (
            'map = "sqlite:map.db"' + SQL + '[routing.ldap]\nbase = "dc=example"',
            ['routing.ldap is used with map = "ldap://…" alone'],
        ),
        ('map = "ldap://h"', ['routing.ldap is missing; map = "ldap://…" needs [routing.ldap]']),
        (
            'map = "ldap://h"\n[routing.ldap]\nserver = "mailHost"',
            ["routing.ldap.base is missing; below it are the entries that hold the server"],
        ),
        (LDAP + 'server = "mail host"', ["routing.ldap.server must be the name of an attribute, such as mailHost"]),
        (
            LDAP + 'filter = "objectClass=*"',
            ["routing.ldap.filter must be a filter in parentheses (RFC 4515), such as (objectClass=mailUser)"],
        ),
        (LDAP + 'mailboxes = "(uid=*)"', ["routing.ldap.mailboxes does not mention {database}, which it needs"]),
        (LDAP + "starttls = true", ['routing.ldap.starttls is for map = "ldap://…" alone']),
        (
            LDAP + 'user = "cn=mailward"',
            [
                "routing.ldap.user has no password; give routing.password_file, password_environment or"
                " password_credential"
            ],
        ),
        *(
            (
                f'map = "{address}"\npassword_file = "p"\n[routing.ldap]\nbase = "dc=x"\nuser = "cn=x"\n{more}',
                [
                    "routing.map would send the password of routing.ldap.user where everybody on the way can read it;"
                    ' use "ldaps://…", or set routing.ldap.starttls = true'
                ]
                * is_told,
            )
            for address, more, is_told in (
                ("ldap://ldap.example.org", "", True),
                ("ldap://ldap.example.org", "starttls = false", True),
                ("ldap://ldap.example.org", "starttls = true", False),
                ("ldap://192.0.2.7:3389", "", True),
                ("ldap://[2001:db8::7]", "", True),
                ("ldap://[2001:db8::7", "", True),
                ("ldap://localhost.example.org", "", True),
                ("ldap://localhost", "", False),
                ("ldap://127.0.0.2:3389", "", False),
                ("ldap://[::1]/", "", False),
                ("ldap:///", "", False),
                ("ldaps://ldap.example.org", "", False),
                ("ldapi:///", "", False),
            )
        ),
        ('map = "ldap://ldap.example.org"\n[routing.ldap]\nbase = "dc=x"', []),
        ('password_file = "p"\n' + LDAP, ["routing.ldap.user is missing; whose password is it?"]),
        (
            'map = "command"\n[routing.commands]\nactive = ["map", "--password=x"]\nmailboxes = ["map"]\n'
            'switch = ["map", "{database}:{source}", "{target}"]',
            [
                'routing.commands.active has a secret after "--password=", where every user of this machine and every'
                " record can see it; have the program read it from a file that is mailward's alone",
                "routing.commands.mailboxes does not mention {database}, which it needs",
            ],
        ),
        ('active = "x"\n' + LDAP, ["routing.active means nothing in a directory; take it out"]),
    ],
)
def test_what_is_wrong_with_a_map_is_said_at_its_key(main, text, texts):
    assert texts == sorted(mistakes_of(main, text))


def test_a_mistake_has_its_file_and_line(main):
    main.write_text(ORGANIZATION + LDAP + 'server = "mail host"')
    [mistake] = read(main).mistakes
    assert (main, 11) == (mistake.file, mistake.line)


def test_a_directory_is_taken_over_with_its_defaults(main):
    main.write_text(
        ORGANIZATION
        + 'password_file = "secret"\n'
        + LDAP
        + 'user = "cn=mailward"\nca_file = "ca.pem"\nhold_until = "mailHoldUntil"'
    )
    routing = load(main).organization.routing
    assert routing.ldap is not None
    assert ("mailHost", "mailHoldUntil", str(main.parent / "ca.pem")) == (
        routing.ldap.server,
        routing.ldap.hold_until,
        routing.ldap.ca_file,
    )
    assert (str(main.parent / "secret"), None) == (routing.password.name, routing.ldap.mailboxes_base)
