"""BIND, PowerDNS Recursor and Knot Resolver with a policy zone; dnsdist, a balancer, with a suffix set and a cache."""

import subprocess

from bench.peers.peer import Setting, path_of
from bench.peers.zone import write_zone


def bind(setting: Setting) -> list[str]:
    """BIND, one thread, that judges without waiting for the recursion."""
    write_zone(setting.folder / "rpz.zone", setting.names)
    path = setting.folder / "named.conf"
    path.write_text(f"""options {{
  directory "{setting.folder}";
  pid-file none;
  session-keyfile none;
  listen-on port {setting.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion yes;
  dnssec-validation no;
  forward only;
  forwarders port {setting.upstream} {{ 127.0.0.1; }};
  recursive-clients 20000;
  max-cache-size 128M;
  response-policy {{ zone "rpz.bench"; }} qname-wait-recurse no;
}};
controls {{ }};
zone "rpz.bench" {{ type primary; file "rpz.zone"; }};
""")
    return ["named", "-f", "-n", "1", "-c", str(path), "-L", str(setting.folder / "named.log")]


def powerdns(setting: Setting) -> list[str]:
    """PowerDNS Recursor, one thread."""
    zone = write_zone(setting.folder / "rpz.zone", setting.names)
    (setting.folder / "rpz.lua").write_text(f'rpzFile("{zone}", {{policyName="bench"}})\n')
    (setting.folder / "recursor.conf").write_text(f"""daemon=no
local-address=127.0.0.1
local-port={setting.port}
forward-zones-recurse=.=127.0.0.1:{setting.upstream}
dont-query=
dnssec=off
threads=1
max-mthreads=8192
lua-config-file={setting.folder}/rpz.lua
socket-dir={setting.folder}
include-dir=
security-poll-suffix=
hint-file=no
""")
    program = str(path_of("pdns_recursor"))
    known = subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout
    flag = "--enable-old-settings"  # 5.2 and later take this form of settings only then, earlier ones do not know it
    return [program, f"--config-dir={setting.folder}", *([flag] if flag in known else [])]


def knot(setting: Setting) -> list[str]:
    """Knot Resolver, one process."""
    zone = write_zone(setting.folder / "rpz.zone", setting.names)
    path = setting.folder / "kresd.conf"
    path.write_text(f"""net.listen('127.0.0.1', {setting.port}, {{ kind = 'dns' }})
modules.unload('ta_signal_query')
modules.unload('ta_update')
modules.unload('priming')
trust_anchors.remove('.')
cache.size = 100 * MB
policy.add(policy.rpz(policy.DENY, '{zone}'))
policy.add(policy.all(policy.STUB({{'127.0.0.1@{setting.upstream}'}})))
""")
    return ["kresd", "-n", "-c", str(path), str(setting.folder)]


def dnsdist(setting: Setting) -> list[str]:
    """Let dnsdist block by `SuffixMatchNode`, and keep other answers."""
    names = setting.folder / "names.txt"
    names.write_text("".join(f"{name}\n" for name in setting.names))
    path = setting.folder / "dnsdist.conf"
    path.write_text(f"""setSecurityPollSuffix("")
setLocal("127.0.0.1:{setting.port}")
newServer({{address = "127.0.0.1:{setting.upstream}"}})
getPool(""):setCache(newPacketCache(100000))
blocked = newSuffixMatchNode()
for name in io.lines("{names}") do blocked:add(newDNSName(name)) end
addAction(SuffixMatchNodeRule(blocked), SpoofAction("0.0.0.0", {{ttl = 10}}))
""")
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", str(path)]
