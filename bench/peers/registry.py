"""All servers that can be compared, by name, in the order of the tables."""

import sys

from bench import servers
from bench.native import authority, compiled
from bench.peers import dnsmasq, others, unbound
from bench.peers.peer import Peer, Setting
from bench.peers.sinkhole import Sinkhole, part


def _reflect_in_c(setting: Setting) -> list[str]:
    return [str(compiled("reflector")), str(setting.port), "reflect"]


def _reflect_in_python(setting: Setting) -> list[str]:
    return [sys.executable, "-m", "bench.reflector", str(setting.port)]


def _answer(setting: Setting) -> list[str]:
    return authority(setting.port)


def _is_compiled() -> bool:
    return servers.installed_code() == "compiled"


INTERPRETED = Sinkhole(base=servers.INTERPRETED)
PEERS = {
    peer.name: peer
    for peer in (
        Peer("sinkhole", None, "", Sinkhole()),
        Peer("sinkhole-apart", None, "", Sinkhole(), settle=part),
        Peer("sinkhole-interpreted", None, "", INTERPRETED, is_of_use=_is_compiled),
        Peer("sinkhole-interpreted-apart", None, "", INTERPRETED, settle=part, is_of_use=_is_compiled),
        Peer("unbound", "unbound", "unbound", unbound.local_zones),
        Peer("unbound-rpz", "unbound", "unbound", unbound.policy_zone),
        Peer("dnsdist", "dnsdist", "dnsdist", others.dnsdist),
        Peer("powerdns", "pdns_recursor", "pdns-recursor", others.powerdns),
        Peer("knot", "kresd", "knot-resolver", others.knot),
        Peer("bind", "named", "bind9", others.bind),
        Peer("dnsmasq", "dnsmasq", "dnsmasq-base", dnsmasq.plain),
        Peer("sinkhole-all", None, "", Sinkhole(record="all"), is_logging=True),
        Peer("sinkhole-all-apart", None, "", Sinkhole(record="all"), settle=part, is_logging=True),
        Peer("unbound-log", "unbound", "unbound", unbound.logging, is_logging=True),
        Peer("dnsmasq-log", "dnsmasq", "dnsmasq-base", dnsmasq.logging, is_logging=True),
        Peer("reflector-c", "gcc", "gcc", _reflect_in_c, is_limit=True),
        Peer("reflector-python", None, "", _reflect_in_python, is_limit=True),
        Peer("authority", None, "", _answer, is_limit=True, core=servers.LOAD_CORE),
    )
}
