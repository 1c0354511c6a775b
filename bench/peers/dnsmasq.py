"""dnsmasq, with `address=` for each name: as it comes, and with its query log."""

from bench.peers.peer import Setting


def plain(setting: Setting) -> list[str]:
    """Log nothing."""
    return _command(setting, "")


def logging(setting: Setting) -> list[str]:
    """Log each query to a file."""
    return _command(setting, f"log-queries\nlog-facility={setting.folder}/queries.log\n")


def _command(setting: Setting, more: str) -> list[str]:
    path = setting.folder / "dnsmasq.conf"
    head = f"""port={setting.port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
no-poll
pid-file=
user=
server=127.0.0.1#{setting.upstream}
cache-size=10000
dns-forward-max=10000
local-ttl=10
"""
    path.write_text(head + more + "".join(f"address=/{name}/0.0.0.0\n" for name in setting.names))
    return ["dnsmasq", "--keep-in-foreground", f"--conf-file={path}"]
