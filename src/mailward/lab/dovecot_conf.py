"""
The Dovecot 2.3 configuration of each host of a lab, as text.

Where a setting is surprising, its reason is in the field notes (`A.1` and so on) or in rootless-and-2.4 (`rootless`).
The configuration a lab writes is also an example of how we think a two-tier Dovecot should be set up to be watched.
"""

import secrets

from mailward.lab.blueprint import MAIL_UID, Blueprint, LabHost

#: How long a proxy waits for a mailbox server before it gives up.
BACKEND_TIMEOUT_S = 8


def render_mailbox_server(blueprint: Blueprint, host: LabHost, *, doveadm_password: str | None) -> str:
    """dovecot.conf of a mailbox server, or of the one box."""
    return "\n".join(
        (
            _instance(host),
            _login(blueprint),
            _METRICS.format(metrics=blueprint.ports.metrics),
            _MAILBOX_SERVER.format(
                name=host.name,
                passwd=host.passwords,
                store=host.store,
                trusted=" ".join(proxy.address for proxy in blueprint.proxies),
                mail_uid=blueprint.user if blueprint.rootless else MAIL_UID,
                mail_gid=blueprint.group if blueprint.rootless else MAIL_UID,
                lmtp=blueprint.ports.lmtp,
            ),
            _PROTOCOL_LOG.format(directory=host.protocol_log),
            _replication(blueprint, host, doveadm_password),
            _rootless(blueprint),
            f"!include_try {host.fault_settings}/*.conf\n",
        )
    )


def render_proxy(blueprint: Blueprint, host: LabHost) -> str:
    """dovecot.conf of a proxy."""
    return "\n".join(
        (
            _instance(host),
            _login(blueprint),
            _METRICS.format(metrics=blueprint.ports.metrics),
            _PROXY.format(
                name=host.name,
                directory=host.directory,
                ca=blueprint.ca_file,
                lmtp=blueprint.ports.lmtp,
                mail_uid=blueprint.user if blueprint.rootless else MAIL_UID,
                mail_gid=blueprint.group if blueprint.rootless else MAIL_UID,
                timeout=BACKEND_TIMEOUT_S,
            ),
            _behind_balancer(blueprint),
            _rootless(blueprint),
            f"!include_try {host.fault_settings}/*.conf\n",
        )
    )


def render_map_query(blueprint: Blueprint, host: LabHost) -> str:
    """dovecot-sql.conf of a proxy: where a user goes, and that the proxy goes there from its own address."""
    return _MAP_QUERY.format(map=blueprint.map_file, timeout=BACKEND_TIMEOUT_S, address=host.address)


def new_doveadm_password() -> str:
    """The secret by which mailbox servers know each other."""
    return secrets.token_urlsafe(15)


def _instance(host: LabHost) -> str:
    return _INSTANCE.format(
        directory=host.directory, name=host.name, fqdn=host.fqdn, address=host.address, tls=host.tls
    )


def _login(blueprint: Blueprint) -> str:
    return _LOGIN.format(imap=blueprint.ports.imap, imaps=blueprint.ports.imaps)


def _behind_balancer(blueprint: Blueprint) -> str:
    if blueprint.balancer is None:
        return ""
    return _BEHIND_BALANCER.format(balancer=blueprint.balancer.address, port=blueprint.ports.behind_balancer)


def _replication(blueprint: Blueprint, host: LabHost, doveadm_password: str | None) -> str:
    if host.peer is None or doveadm_password is None:
        return "mail_plugins = quota\nprotocol imap {\n  mail_plugins = quota imap_quota\n}\n"
    return _REPLICATION.format(
        peer=blueprint.host(host.peer).address, port=blueprint.ports.doveadm, password=doveadm_password
    )


def _rootless(blueprint: Blueprint) -> str:
    return _ROOTLESS.format(user=blueprint.user, group=blueprint.group) if blueprint.rootless else ""


_INSTANCE = """\
# one "host" of a mailward lab; written anew each time the lab starts
protocols = imap lmtp
listen = {address}
base_dir = {directory}/run
state_dir = {directory}/state
instance_name = {name}
# two that replicate lock mailboxes in the order of their host names; with one name for both they wait for each other
# until the lock's time is over (measured: 30 s)
import_environment = TZ CORE_OUTOFMEM CORE_ERROR DOVECOT_HOSTNAME={name} DOVECOT_HOSTDOMAIN={fqdn}
log_path = {directory}/log/dovecot.log
auth_failure_delay = 0
# a reload for a new certificate is to end no session; by default one ends them all, 6 seconds later (measured)
shutdown_clients = no
ssl = yes
ssl_cert = <{tls}/cert.pem
ssl_key = <{tls}/key.pem
ssl_min_protocol = TLSv1.2
imap_id_send = name * x-backend {name}
"""

_LOGIN = """\
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  service_count = 0
  process_min_avail = 1
}}
service anvil {{
  # A.3: one probe with a wrong password would slow down all that follow
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

_METRICS = """\
service stats {{
  inet_listener http {{
    port = {metrics}
  }}
}}
metric imap_command {{
  filter = event=imap_command_finished
  group_by = cmd_name tagged_reply_state
}}
metric auth_request {{
  filter = event=auth_request_finished
  group_by = success
}}
metric proxy_established {{
  filter = event=proxy_session_established
}}
metric proxy_finished {{
  filter = event=proxy_session_finished
}}
"""

_MAILBOX_SERVER = """\
login_trusted_networks = {trusted}
login_greeting = {name} ready.
# the command a session carries out stands in the title of its process
verbose_proctitle = yes
mail_location = sdbox:~/sdbox
mail_uid = {mail_uid}
mail_gid = {mail_gid}
first_valid_uid = 0
mail_max_userip_connections = 20
passdb {{
  driver = passwd-file
  args = {passwd}/users
}}
passdb {{
  driver = passwd-file
  args = {passwd}/health
}}
passdb {{
  # accepted as well while a probe's password is being changed
  driver = passwd-file
  args = {passwd}/health-old
}}
userdb {{
  driver = passwd-file
  args = {passwd}/users
}}
userdb {{
  driver = passwd-file
  args = {passwd}/health-users
}}
userdb {{
  # the local health mailbox: a static userdb is not listed, so the replicator leaves it alone
  driver = static
  args = home={store}/local/%u
  override_fields = mail_plugins=quota
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=200M
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""

_PROTOCOL_LOG = """\
# `mailward protocol-log` makes and removes a directory in here for each health mailbox; without it nothing is logged
protocol imap {{
  rawlog_dir = {directory}/%u
}}
"""

_REPLICATION = """\
mail_plugins = quota notify replication
protocol imap {{
  mail_plugins = quota notify replication imap_quota
}}
plugin {{
  mail_replica = tcp:{peer}:{port}
}}
doveadm_password = {password}
doveadm_port = {port}
service doveadm {{
  inet_listener {{
    port = {port}
  }}
}}
service aggregator {{
  fifo_listener replication-notify-fifo {{
    mode = 0666
  }}
  unix_listener replication-notify {{
    mode = 0666
  }}
}}
service replicator {{
  process_min_avail = 1
  unix_listener replicator-doveadm {{
    mode = 0666
  }}
}}
"""

_PROXY = """\
login_greeting = {name} ready.
login_proxy_timeout = {timeout} s
login_proxy_max_reconnects = 1
lmtp_proxy = yes
# the proxy leg verifies against ssl_ca alone (A, gotcha 1)
ssl_ca = <{ca}
ssl_require_crl = no
ssl_verify_client_cert = no
auth_worker_max_count = 1
passdb {{
  driver = sql
  args = {directory}/dovecot-sql.conf
}}
# only the proxies' own health mailbox is opened here
mail_location = sdbox:~/sdbox
mail_uid = {mail_uid}
mail_gid = {mail_gid}
first_valid_uid = 0
userdb {{
  driver = static
  args = home={directory}/store/local/%u
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""

_BEHIND_BALANCER = """\
# the load balancer says who its client is; without that every user would come from its address
haproxy_trusted_networks = {balancer}
service imap-login {{
  inet_listener imaps-behind-balancer {{
    port = {port}
    ssl = yes
    haproxy = yes
  }}
}}
"""

_MAP_QUERY = """\
driver = sqlite
connect = {map}
password_query = SELECT u.username AS user, u.password, u.nopassword, u.allow_nets, \\
  CASE WHEN d.active IS NULL THEN NULL ELSE 'y' END AS proxy, s.host, \\
  CASE WHEN '%s' = 'lmtp' THEN s.lmtp_port ELSE s.imaps_port END AS port, \\
  CASE WHEN d.active IS NULL OR '%s' = 'lmtp' THEN NULL ELSE 'yes' END AS ssl, \\
  CASE WHEN d.active IS NULL THEN NULL ELSE {timeout} END AS proxy_timeout, \\
  CASE WHEN d.active IS NULL THEN NULL ELSE '{address}' END AS source_ip, \\
  CASE WHEN d.hold_until > strftime('%%s', 'now') + 0 THEN d.hold_until END AS delay_until \\
  FROM users u LEFT JOIN databases d ON d.name = u."database" LEFT JOIN servers s ON s.name = d.active \\
  WHERE u.username = '%u'
"""

_ROOTLESS = """\
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
service imap-login {{
  chroot =
}}
service anvil {{
  chroot =
}}
service ipc {{
  chroot =
}}
service aggregator {{
  chroot =
}}
"""
