"""Unbound, one thread: with a local zone for each name, with a policy zone, with its query log, with TLS upstreams."""

from pathlib import Path

from bench.peers.peer import Setting
from bench.peers.zone import write_zone

_SERVER = """server:
  directory: "{folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.0.1@{port}
  num-threads: 1
  so-reuseport: no
  do-not-query-localhost: no
  module-config: "{modules}"
  msg-cache-size: 64m
  rrset-cache-size: 64m
  incoming-num-tcp: 100
{more}
remote-control:
  control-enable: no
"""


def local_zones(setting: Setting) -> list[str]:
    """Block by `local-zone … redirect`."""
    return _command(setting, _zones(setting))


def policy_zone(setting: Setting) -> list[str]:
    """Block by RPZ."""
    zone = write_zone(setting.folder / "rpz.zone", setting.names)
    return _command(setting, "", f'rpz:\n  name: "rpz.bench"\n  zonefile: "{zone}"\n', modules="respip iterator")


def logging(setting: Setting) -> list[str]:
    """Block by local zones, and log each query to a file."""
    log = setting.folder / "queries.log"
    return _command(setting, f'{_zones(setting)}  log-queries: yes\n  logfile: "{log}"\n')


class TlsUpstream:
    """Makes the command of an Unbound with `forward-tls-upstream`.

    Args:
        ca_file: whom it trusts.
    """

    def __init__(self, ca_file: Path) -> None:
        self._ca_file = ca_file

    def __call__(self, setting: Setting) -> list[str]:
        """Write the configuration; the upstream is a port."""
        more = f'{_zones(setting)}  tls-cert-bundle: "{self._ca_file}"\n  outgoing-num-tcp: 200\n'
        address = f"127.0.0.1@{setting.upstream}#127.0.0.1"
        return _command(setting, more, forward=f"  forward-tls-upstream: yes\n  forward-addr: {address}\n")


def _zones(setting: Setting) -> str:
    zones = setting.folder / "zones.conf"
    lines = (f'local-zone: "{n}" redirect\nlocal-data: "{n} 10 IN A 0.0.0.0"\n' for n in setting.names)
    zones.write_text("server:\n" + "".join(lines))
    return f'  include: "{zones}"\n'


def _command(
    setting: Setting, more: str, clauses: str = "", *, modules: str = "iterator", forward: str | None = None
) -> list[str]:
    forward = forward or f"  forward-addr: 127.0.0.1@{setting.upstream}\n"
    path = setting.folder / "unbound.conf"
    text = _SERVER.format(folder=setting.folder, port=setting.port, modules=modules, more=more)
    path.write_text(f'{text}{clauses}forward-zone:\n  name: "."\n{forward}')
    return ["unbound", "-d", "-c", str(path)]
