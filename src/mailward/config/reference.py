"""
The reference page of the configuration, made from the schema: every key with kind, default, example and meaning.

The words stand with the settings themselves; only examples are added here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from mailward.config.fields import Table
from mailward.config.keys import LIKE_SERVERS, Explained, about, every_key
from mailward.config.schema import keys_at, table_at

#: Key, section and key, or a whole dotted name -> an example, as TOML writes it. What is not here shows its default.
EXAMPLES: Mapping[str, str] = {
    "name": '"example"',
    "identity": '"mailward-eu"',
    "language": '"pt-BR"',
    "listen": '"127.0.0.1:8143"',
    "web.certificate_file": '"/etc/mailward/tls.pem"',
    "web.key_file": '"/etc/mailward/tls.key"',
    "trusted_proxies": '["127.0.0.1", "10.0.0.0/8"]',
    "session_lasts": '"12h"',
    "session_idle": '"2h"',
    "public_url": '"https://mailward.example.org"',
    "documentation": '"https://wiki.example.org/mailward/docs"',
    "user": '"health-{name}"',
    "password_file": '"secrets/{name}"',
    "password_environment": '"HEALTH_PASSWORD"',
    "password_credential": '"health-password"',
    "login_as": '"prober"',
    "ca_file": '"/etc/ssl/mail-ca.pem"',
    "minimum_version": '"TLSv1.3"',
    "expected_name": '"imap.example.org"',
    "verify": "true",
    "host": '"{name}.example.org"',
    "port": "993",
    "security": '"starttls"',
    "source_address": '"192.0.2.5"',
    "proxy_protocol": "true",
    "allow_plaintext_auth": "false",
    "service": '"systemd:dovecot.service"',
    "log_files": '["/var/log/mail.log"]',
    "store_paths": '["/var/vmail"]',
    "certificate_file": '"/etc/ssl/imap.pem"',
    "roles": '["mailbox"]',
    "platform": '"dovecot"',
    "backend_timeout": '"15s"',
    "known_as": '["be1.example.org"]',
    "lmtp": '"tcp:{name}.example.org:24"',
    "sentinel": "true",
    "groups.servers": '["be*"]',
    "access_points.servers": '["proxy1", "proxy2"]',
    "template": '"debian"',
    "copies": '["be1", "be2"]',
    "active": '"be2"',
    "mailboxes": "1800",
    "state_directory": '"/var/lib/mailward"',
    "socket": '"/run/mailward/api.sock"',
    "log_level": '"debug"',
    "site": '"Frankfurt"',
    "restartable": "true",
    "reach": '"ssh:mailward@{name}.example.org"',
    "control": '"systemd"',
    "access_points.control": '"haproxy:/run/haproxy/admin.sock"',
    "healer_marks": '["/run/pacemaker.pid"]',
    "status": '["/usr/local/sbin/imap", "status"]',
    "start": '["/usr/local/sbin/imap", "start"]',
    "stop": '["/usr/local/sbin/imap", "stop"]',
    "restart": '["/usr/local/sbin/imap", "restart"]',
    "reload": '["/usr/local/sbin/imap", "reload"]',
    "enable": '["/usr/local/sbin/imap", "enable"]',
    "check": '["/usr/local/sbin/imap", "check"]',
    "restart-server": '["sudo", "-n", "/sbin/reboot"]',
    "boot-id": '["cat", "/proc/sys/kernel/random/boot_id"]',
    "backend": '"imap-proxies"',
    "members": '{ proxy1 = "px1" }',
    "recovery.mode": '"approve"',
    "recovery.start": '"act"',
    "recovery.reload": '"act"',
    "recovery.restart": '"approve"',
    "recovery.access-point": '"approve"',
    "recovery.move": '"recommend"',
    "recovery.server-restart": '"recommend"',
    "kind": '"smtp"',
    "url": '"http://127.0.0.1:9093"',
    "url_file": '"secrets/hook"',
    "url_environment": '"HOOK_URL"',
    "url_credential": '"hook-url"',
    "bearer_token_file": '"secrets/token"',
    "bearer_token_environment": '"HOOK_TOKEN"',
    "bearer_token_credential": '"hook-token"',
    "notify.host": '"relay.example.net"',
    "notify.port": "587",
    "starttls": "true",
    "notify.tls": "true",
    "notify.user": '"mailward"',
    "notify.password_file": '"secrets/relay"',
    "notify.password_environment": '"RELAY_PASSWORD"',
    "notify.password_credential": '"relay-password"',
    "sender": '"mailward@example.org"',
    "recipients": '["oncall@example.net"]',
    "urgent_only": "true",
    "is_watched_mail": "true",
    "doveadm": '"/etc/dovecot/dovecot.conf"',
    "replication_address": '"tcp:{name}.example.org:12345"',
    "replication": '"sync"',
    "replication.kind": '"replicator"',
    "map": '"postgresql://mailward@map.example.org/mail"',
    "routing.password_file": '"secrets/map"',
    "routing.password_environment": '"MAP_PASSWORD"',
    "routing.password_credential": '"map-password"',
    "routing.active": '"SELECT name, active FROM databases"',
    "routing.mailboxes": '"SELECT username FROM users WHERE db = :database"',
    "switch": '"UPDATE databases SET active = :target WHERE name = :database AND active = :source"',
    "routing.commands.active": '["/usr/local/sbin/mailmap", "active"]',
    "routing.commands.mailboxes": '["/usr/local/sbin/mailmap", "mailboxes", "{database}"]',
    "routing.commands.switch": '["/usr/local/sbin/mailmap", "switch", "{database}", "{source}", "{target}"]',
    "routing.ldap.base": '"ou=databases,dc=example,dc=org"',
    "routing.ldap.filter": '"(objectClass=mailDatabase)"',
    "routing.ldap.database": '"cn"',
    "routing.ldap.server": '"mailHost"',
    "routing.ldap.hold_until": '"mailHoldUntil"',
    "routing.ldap.mailbox": '"uid"',
    "routing.ldap.mailboxes_base": '"ou=people,dc=example,dc=org"',
    "routing.ldap.mailboxes": '"(mailDatabase={database})"',
    "routing.ldap.user": '"cn=mailward,dc=example,dc=org"',
    "routing.ldap.starttls": "true",
    "routing.ldap.ca_file": '"/etc/ssl/certs/ca-certificates.crt"',
    "capacity": "20000",
    "guidelines": '"https://wiki.example.org/imap"',
    "support": '"Mail team, +49 30 1234567"',
}
_DEFAULT = re.compile(r"\s*Default: (.{1,70}?)\.(?=\s|$)")
_REQUIRED = re.compile(r"\s*Required\.(?=\s|$)")
_COLUMNS = ("key", "kind", "default", "example", "meaning")


def configuration_page() -> str:
    """The reference page of the configuration, in Markdown."""
    lines = [_HEAD.rstrip()]
    keys = every_key()
    first_of: dict[type[Table], tuple[str, ...]] = {}
    for path in dict.fromkeys(key.table for key in keys):
        table = table_at(path)
        lines += ["", f"## `[{'.'.join(path)}]`", "", about(path, table)]
        # a template refers to the servers, so the servers cannot refer to it
        if path[0] not in LIKE_SERVERS and table is not None and first_of.setdefault(table, path) != path:
            lines += ["", f"The keys of `[{'.'.join(first_of[table])}]`."]
        else:
            lines += _keys_of(path, [key for key in keys if key.table == path])
    return "\n".join(lines) + "\n"


def example_of(key: Explained) -> str:
    """What *key* may be set to, as TOML writes it."""
    names = (".".join((*key.table, key.key)), f"{key.table[0]}.{key.key}", key.key)
    given = next((EXAMPLES[name] for name in names if name in EXAMPLES), key.default)
    return given or {"duration": '"30s"', "list of duration": '["1s", "2s"]'}[key.kind]


def _keys_of(path: tuple[str, ...], keys: Sequence[Explained]) -> Iterator[str]:
    if path[0] in LIKE_SERVERS:
        yield from ("", "The keys and tables of `[servers.SERVER]`" + (", and:" if path[0] == "groups" else "."))
        shared = keys_at(("servers", "SERVER"))
        keys = [key for key in keys if key.key not in shared]
    if keys:
        yield from ("", _row(_COLUMNS), "|" + "---|" * len(_COLUMNS))
        yield from (_row(_cells(key)) for key in keys)


def _cells(key: Explained) -> tuple[str, ...]:
    meaning = " ".join(key.meaning.split())
    default = f"`{key.default}`" if key.default is not None else ""
    said = _DEFAULT.search(meaning)
    if said and not default:
        default = said[1] if " " in said[1] else f"`{said[1]}`"
        meaning = _DEFAULT.sub("", meaning, count=1)
    elif _REQUIRED.search(meaning):
        default = "required"
        meaning = _REQUIRED.sub("", meaning)
    return (f"`{key.key}`", key.kind, default, f"`{example_of(key)}`", meaning.strip())


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_HEAD = """\
# Configuration

mailward reads `mailward.toml` (`--config`, `$MAILWARD_CONFIG`, `~/.config/mailward/`, `/etc/mailward/`) and every
`conf.d/*.toml` beside it. Tables of several files are united; a key that is set in two files is a mistake.

- **Order.** What a server says itself stands above its groups, those above their templates, those above the default.
  Tables merge, lists replace. Two groups that say different things about one server are a mistake, until the server
  says it itself. `mailward config show` prints every setting with the place it comes from.
- **Durations** are text with a unit: `"500ms"`, `"30s"`, `"5m"`, `"48h"`, `"30d"`.
- **File names** that are relative start in the directory of `mailward.toml`.
- **Secrets** are never in the configuration: a key gives the file, environment variable or systemd credential that
  holds them.
- **`{name}`** in the settings of a server, access point or database stands for its name in lower case.
- An empty list or a pattern that matches nothing means nothing, never everything.
"""
