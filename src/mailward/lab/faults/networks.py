"""Faults of the network, made with the packet filter of the supervisors."""

from collections.abc import Callable, Sequence

from mailward.lab import control
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.faults.deeds import NOTHING, Deeds
from mailward.lab.faults.fault import Memory
from mailward.lab.supervisor.packet_filter import EVERYONE


def _drop(host: LabHost, sources: Sequence[str]) -> None:
    control.ask(host.control_socket, "drop", sources=list(sources))


def _drop_from(sources: Callable[[Blueprint], Sequence[str]]) -> Deeds:
    def inject(blueprint: Blueprint, host: LabHost) -> Memory:
        _drop(host, sources(blueprint))
        return NOTHING

    def heal(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
        _drop(host, ())

    return inject, heal


def _cut_proxy_off_back_ends(blueprint: Blueprint, proxy: LabHost) -> Memory:
    for server in blueprint.mailbox_servers:
        _drop(server, [proxy.address])
    return NOTHING


def _let_proxy_through(blueprint: Blueprint, _proxy: LabHost, _memory: Memory) -> None:
    for server in blueprint.mailbox_servers:
        _drop(server, ())


NETWORK_CUT: Deeds = _drop_from(lambda _blueprint: [EVERYONE])
PROBER_BANNED: Deeds = _drop_from(lambda blueprint: [blueprint.prober])
PATH_CUT_AT_MAILBOX_SERVER: Deeds = _drop_from(lambda blueprint: [proxy.address for proxy in blueprint.proxies])
PATH_CUT_AT_PROXY: Deeds = (_cut_proxy_off_back_ends, _let_proxy_through)
