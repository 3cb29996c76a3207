"""
The HAProxy before the lab's proxies: one public name and port, TLS passed on unopened.

It checks whether a proxy accepts connections, as most installations do. A proxy that is gone is out within two
seconds by itself; one that hangs goes on accepting, and stays in until somebody takes it out (field notes §F).
"""

from pathlib import Path

from mailward.lab.blueprint import Blueprint, LabHost

#: The backend whose servers the proxies are, under their own names.
BACKEND = "proxies"


def configuration_file(balancer: LabHost) -> Path:
    """Its haproxy.cfg."""
    return balancer.directory / "haproxy.cfg"


def runtime_socket(balancer: LabHost) -> Path:
    """Where its runtime socket listens."""
    return balancer.directory / "haproxy.sock"


def render(blueprint: Blueprint, balancer: LabHost) -> str:
    """haproxy.cfg."""
    port = blueprint.ports.behind_balancer
    return _HAPROXY.format(
        socket=runtime_socket(balancer),
        address=balancer.address,
        port=blueprint.ports.imaps,
        backend=BACKEND,
        servers="\n".join(f"  server {proxy.name} {proxy.address}:{port} send-proxy-v2" for proxy in blueprint.proxies),
    )


_HAPROXY = """\
# the access point of a mailward lab; written anew each time the lab starts
global
  stats socket {socket} mode 600 level admin
  maxconn 500
  log stderr format raw local0 notice
defaults
  mode tcp
  log global
  timeout connect 3s
  timeout check 1s
  # IDLE is answered or ended by the client within 29 minutes (RFC 2177)
  timeout client 31m
  timeout server 31m
  retries 1
  option redispatch 1
frontend imaps
  bind {address}:{port}
  default_backend {backend}
backend {backend}
  balance roundrobin
  # so that a proxy sees one address of ours to trust
  source {address}
  default-server check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""
