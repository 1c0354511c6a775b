"""Misses forwarded over UDP, TCP, TLS and HTTPS: Sinkhole beside Unbound, to an upstream of our own with a test CA.

The upstream is one more Unbound, that answers all names itself over all four: it must be faster than what it serves.
"""

import subprocess
from pathlib import Path

from bench import servers
from bench.call import Call
from bench.peers import unbound
from bench.peers.peer import TRUE, Peer, Running, path_of, running
from bench.peers.sinkhole import Sinkhole
from bench.queries import WORKLOADS, blocked_names
from bench.rounds import measure
from tests.upstream.certificates import Authority

WAYS = ("sinkhole-udp", "sinkhole-tcp", "sinkhole-tls", "sinkhole-https", "unbound-udp", "unbound-tls")


def encrypted(call: Call) -> None:
    """Start the upstream, a server for each way to it, and measure misses in turn."""
    if path_of("unbound") is None:
        print("encrypted: skipped, unbound (Debian package unbound) is not here to be the upstream")
        return
    folder = call.folder / "upstream"
    folder.mkdir()
    certificate = _certificate(folder)
    plain, tls, https = (servers.free_port() for _ in range(3))
    command = _upstream(folder, certificate, plain, tls, https)
    call.stack.enter_context(servers.process(command, servers.LOAD_CORE, folder / "output.log"))
    servers.wait_for_answer(plain, "host1.site1.example", TRUE)
    if not _has_https():
        print("encrypted: without https, which the Unbound here was built without")
    trust = f'upstream.ca_file = "{folder / "ca.pem"}"\n'
    urls = {
        "udp": f"udp://127.0.0.1:{plain}",
        "tcp": f"tcp://127.0.0.1:{plain}",
        "tls": f"tls://127.0.0.1:{tls}",
    }
    if _has_https():
        urls["https"] = f"https://127.0.0.1:{https}/dns-query"
    found = [_start(call, Peer(f"sinkhole-{way}", None, "", Sinkhole(config=trust)), url) for way, url in urls.items()]
    found.append(_start(call, Peer("unbound-udp", "unbound", "unbound", unbound.local_zones), plain))
    found.append(_start(call, Peer("unbound-tls", "unbound", "unbound", unbound.TlsUpstream(folder / "ca.pem")), tls))
    measure(call, found, [WORKLOADS["miss"]], call.questions())


def _start(call: Call, peer: Peer, upstream: int | str) -> Running:
    names = blocked_names(1000)
    return call.stack.enter_context(running(peer, call.folder / peer.name, names, upstream))


def _certificate(folder: Path) -> Path:
    """Make a CA and a certificate for 127.0.0.1; return the file with key and certificate."""
    before = set(folder.iterdir())
    authority = Authority(folder)
    authority.server("127.0.0.1", alpn=("h2", "dot"))
    (made,) = set(folder.iterdir()) - before - {authority.ca_file}
    return made


def _upstream(folder: Path, certificate: Path, plain: int, tls: int, https: int) -> list[str]:
    path = folder / "unbound.conf"
    path.write_text(f"""server:
  directory: "{folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  num-threads: 1
  interface: 127.0.0.1@{plain}
  interface: 127.0.0.1@{tls}
  interface: 127.0.0.1@{https}
  tls-port: {tls}
  https-port: {https}
  tls-service-key: "{certificate}"
  tls-service-pem: "{certificate}"
  incoming-num-tcp: 1000
  http-max-streams: 1000
  local-zone: "." redirect
  local-data: ". 3600 IN A {TRUE}"
remote-control:
  control-enable: no
""")
    return [str(path_of("unbound")), "-d", "-c", str(path)]


def _has_https() -> bool:
    """Tell whether the Unbound here was built with HTTP/2."""
    said = subprocess.run([str(path_of("unbound")), "-V"], capture_output=True, text=True, check=False)
    return "nghttp2" in said.stdout
