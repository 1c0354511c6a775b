"""Configurations of other resolvers, made by hand in their documented forms."""

import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE "group" (id INTEGER PRIMARY KEY AUTOINCREMENT, enabled BOOLEAN NOT NULL DEFAULT 1,
  name TEXT UNIQUE NOT NULL, date_added INTEGER, date_modified INTEGER, description TEXT);
CREATE TABLE domainlist (id INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER NOT NULL DEFAULT 0, domain TEXT NOT NULL,
  enabled BOOLEAN NOT NULL DEFAULT 1, date_added INTEGER, date_modified INTEGER, comment TEXT, UNIQUE(domain, type));
CREATE TABLE adlist (id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT UNIQUE NOT NULL,
  enabled BOOLEAN NOT NULL DEFAULT 1, date_added INTEGER, date_modified INTEGER, comment TEXT, date_updated INTEGER,
  number INTEGER NOT NULL DEFAULT 0, invalid_domains INTEGER NOT NULL DEFAULT 0, status INTEGER NOT NULL DEFAULT 0,
  abp_entries INTEGER NOT NULL DEFAULT 0, type INTEGER NOT NULL DEFAULT 0);
CREATE TABLE adlist_by_group (adlist_id INTEGER NOT NULL, group_id INTEGER NOT NULL, PRIMARY KEY (adlist_id, group_id));
CREATE TABLE gravity (domain TEXT NOT NULL, adlist_id INTEGER NOT NULL);
CREATE TABLE info (property TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO info VALUES('version', '19');
CREATE TABLE domainlist_by_group (domainlist_id INTEGER NOT NULL, group_id INTEGER NOT NULL,
  PRIMARY KEY (domainlist_id, group_id));
CREATE TABLE client (id INTEGER PRIMARY KEY AUTOINCREMENT, ip TEXT NOT NULL UNIQUE, date_added INTEGER,
  date_modified INTEGER, comment TEXT);
CREATE TABLE client_by_group (client_id INTEGER NOT NULL, group_id INTEGER NOT NULL,
  PRIMARY KEY (client_id, group_id));
"""

GROUPS = [(0, 1, "Default"), (1, 1, "Kids"), (2, 0, "Old stuff")]
CLIENTS = [
    (1, "192.0.2.7", (0, 1)),  # both
    (2, "192.0.2.8", (1,)),  # kids alone
    (3, "198.51.100.0/24", ()),  # nothing is blocked
    (4, "00:11:22:33:44:55", (0, 1)),
    (5, ":eth1", (1,)),
    (6, "tv.lan", (0,)),
]
ALLOW, DENY, ALLOW_REGEX, DENY_REGEX = range(4)
DOMAINS = [
    (1, DENY, "ads.example.org", 1, "adverts", (0,)),
    (2, ALLOW, "good.example.net", 1, None, (0,)),
    (3, DENY_REGEX, r"(\.|^)example\.net$", 1, None, (0,)),
    (4, DENY_REGEX, r"^track[0-9]+\.", 1, None, (0,)),
    (5, DENY_REGEX, r"(\.|^)games\.example$", 1, "no games", (1,)),
    (6, ALLOW, "ads.example.org.uk", 0, None, (0,)),
    (7, DENY_REGEX, r"^(.)\1\.example$", 1, None, (0,)),
    (8, DENY_REGEX, r"^v6\.example$;querytype=AAAA", 1, None, (0,)),
    (9, DENY_REGEX, r"^nas;reply=192.0.2.99", 1, None, (0,)),
    (10, DENY, "old.example.org", 1, None, (2,)),
    (11, ALLOW_REGEX, r"(\.|^)allowed\.example$", 1, None, (0,)),
]
LISTS = [
    (1, "https://lists.example.org/StevenBlack/hosts", 1, "the usual", 0, (0,)),
    (2, "https://lists.example.org/kids.txt", 1, None, 0, (1,)),
    (3, "https://lists.example.org/off.txt", 0, None, 0, (0,)),
    (4, "https://lists.example.org/allow.txt", 1, None, 1, (0,)),
    (5, "https://raw.githubusercontent.com/dibdot/DoH-IP-blocklists/master/doh-domains.txt", 1, None, 0, (0,)),
    (6, "file:///etc/pihole/own.list", 1, None, 0, (0,)),
]
TOML = """
[dns]
  upstreams = ["9.9.9.9", "2620:fe::fe"]
  hosts = [
    "192.0.2.10 nas.lan nas",
    "2001:db8::10 nas.lan",
    "0.0.0.0 sunk.example",
  ]
  cnameRecords = ["files.lan,nas.lan", "www.lan,web.lan,nas.lan,300"]
  revServers = ["true,192.0.2.0/24,192.0.2.1,lan"]
  dnssec = true
  [dns.blocking]
    active = true
    mode = "NULL"
[misc]
  dnsmasq_lines = ["address=/x.lan/192.0.2.5"]
[webserver.api]
  pwhash = "secret"
"""


def write_gravity(path: Path, domains: Sequence[Sequence[Any]] = DOMAINS, extra: str = "") -> Path:
    """Write a gravity.db."""
    db = sqlite3.connect(path)
    db.executescript(SCHEMA)
    db.executemany('INSERT INTO "group" (id, enabled, name) VALUES (?, ?, ?)', GROUPS)
    for number, ip, groups in CLIENTS:
        db.execute("INSERT INTO client (id, ip) VALUES (?, ?)", (number, ip))
        db.executemany("INSERT INTO client_by_group VALUES (?, ?)", [(number, group) for group in groups])
    for number, kind, domain, enabled, comment, groups in domains:
        row = (number, kind, domain, enabled, comment)
        db.execute("INSERT INTO domainlist (id, type, domain, enabled, comment) VALUES (?, ?, ?, ?, ?)", row)
        db.executemany("INSERT INTO domainlist_by_group VALUES (?, ?)", [(number, group) for group in groups])
    for number, url, enabled, comment, kind, groups in LISTS:
        row = (number, url, enabled, comment, kind)
        db.execute("INSERT INTO adlist (id, address, enabled, comment, type) VALUES (?, ?, ?, ?, ?)", row)
        db.executemany("INSERT INTO adlist_by_group VALUES (?, ?)", [(number, group) for group in groups])
    db.executescript(extra)
    db.commit()
    db.close()
    return path


def write_zip(path: Path, members: Mapping[str, bytes | str]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def write_teleporter(path: Path, toml: str = TOML, domains: Sequence[Sequence[Any]] = DOMAINS) -> Path:
    """Write a Teleporter archive of version 6."""
    gravity = write_gravity(path.with_name("gravity-for-zip.db"), domains)
    members = {
        "etc/pihole/pihole.toml": toml,
        "etc/hosts": "127.0.0.1 localhost\n",
        "etc/pihole/gravity.db": gravity.read_bytes(),
        "etc/pihole/pihole-FTL.db": b"SQLite format 3\0",
        "etc/dnsmasq.d/99-own.conf": "address=/y.lan/192.0.2.6\n",
    }
    return write_zip(path, members)


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write a tar.gz archive."""
    with gzip.open(path, "wb") as plain, tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write_old_teleporter(path: Path) -> Path:
    """Write a Teleporter archive of version 5."""
    kinds = ("whitelist.exact", "blacklist.exact", "whitelist.regex", "blacklist.regex")
    domains: dict[str, list[dict[str, Any]]] = {f"{kind}.json": [] for kind in kinds}
    for number, kind, domain, enabled, comment, _ in DOMAINS:
        row = {"id": number, "type": kind, "domain": domain, "enabled": enabled, "comment": comment}
        domains[f"{kinds[kind]}.json"].append(row)
    tables = domains | {
        "group.json": [{"id": n, "enabled": e, "name": name} for n, e, name in GROUPS],
        "client.json": [{"id": n, "ip": ip} for n, ip, _ in CLIENTS],
        "client_by_group.json": [{"client_id": n, "group_id": g} for n, _, groups in CLIENTS for g in groups],
        "adlist.json": [{"id": r[0], "address": r[1], "enabled": r[2], "comment": r[3]} for r in LISTS[:3]],
        "adlist_by_group.json": [{"adlist_id": r[0], "group_id": g} for r in LISTS[:3] for g in r[5]],
        "domainlist_by_group.json": [{"domainlist_id": r[0], "group_id": g} for r in DOMAINS for g in r[5]],
    }
    members = {name: json.dumps(rows).encode() for name, rows in tables.items()}
    members["custom.list"] = b"192.0.2.10 nas.lan\n# a comment\nnonsense\n"
    members["dnsmasq.d/05-pihole-custom-cname.conf"] = b"cname=files.lan,nas.lan\nserver=/lan/192.0.2.1\n"
    members["setupVars.conf"] = b"WEBPASSWORD=secret\n"
    return write_tar(path, members)


ADGUARD = r"""
http:
  address: 0.0.0.0:3000
users:
  - name: admin
    password: $2y$10$secret
dns:
  bind_hosts:
    - 0.0.0.0
  port: 53
  upstream_dns:
    - https://dns10.quad9.net/dns-query
    - '[/corp.example/]192.0.2.1'
  bootstrap_dns:
    - 9.9.9.10
  cache_size: 4194304
tls:
  enabled: false
filters:
  - enabled: true
    url: https://adguardteam.github.io/HostlistsRegistry/assets/filter_1.txt
    name: AdGuard DNS filter
    id: 1
  - enabled: false
    url: https://adguardteam.github.io/HostlistsRegistry/assets/filter_2.txt
    name: AdAway Default Blocklist
    id: 2
whitelist_filters:
  - enabled: true
    url: https://lists.example.org/allow.txt
    name: allow
    id: 3
user_rules:
  - '! a comment'
  - '||ads.example.org^'
  - '@@||good.example.net^'
  - '||example.net^'
  - '|only.example.com^'
  - '||sure.example^$important'
  - '@@||part.sure.example^'
  - '||v4.example^$dnstype=A'
  - '||alice.example^$client=''Alice''s laptop'''
  - '||child.example^$ctag=user_child'
  - '||nobody.example^$ctag=user_admin'
  - '|box.example^$dnsrewrite=192.0.2.44'
  - '/^track[0-9]+\./'
  - 192.0.2.55 printer.lan
  - 'example.org##.banner'
  - '||gone.example^'
  - '||gone.example^$badfilter'
dhcp:
  enabled: false
filtering:
  blocking_mode: default
  blocked_services:
    schedule:
      time_zone: Europe/Berlin
      mon:
        start: 12h
        end: 13h30m
      sun:
        start: 0s
        end: 24h
    ids:
      - chatgpt
      - tiktok
  protection_enabled: true
  filtering_enabled: true
  rewrites:
    - domain: nas.lan
      answer: 192.0.2.10
    - domain: '*.app.lan'
      answer: nas.lan
    - domain: kept.lan
      answer: A
    - domain: off.lan
      answer: 192.0.2.11
      enabled: false
  parental_enabled: true
clients:
  runtime_sources:
    whois: true
  persistent:
    - name: Alice's laptop
      ids:
        - 192.0.2.7
        - aa:bb:cc:dd:ee:ff
        - alice-laptop
      tags:
        - user_child
      use_global_settings: true
      use_global_blocked_services: false
      blocked_services:
        schedule:
          time_zone: Local
        ids:
          - deepseek
    - name: Lab
      ids: [198.51.100.0/24]
      tags: []
      use_global_settings: false
      filtering_enabled: false
      use_global_blocked_services: true
    - name: Plain
      ids: [192.0.2.9]
      use_global_settings: true
      use_global_blocked_services: true
log:
  file: ""
schema_version: 29
"""

BLOCKY = r"""
upstreams:
  groups:
    default:
      - 9.9.9.9
    laptop*:
      - 1.1.1.1
customDNS:
  customTTL: 1h
  mapping:
    printer.lan: 192.0.2.3,2001:db8::3
  zone: |
    $ORIGIN corp.example.
    www 3600 A 192.0.2.80
    @ 3600 A 192.0.2.81
    mail MX 10 www
  rewrite:
    old.example: new.example
conditional:
  mapping:
    fritz.box: 192.0.2.1
blocking:
  denylists:
    ads:
      - https://lists.example.org/ads.txt
      - |
        # own
        ads.example.org
        *.example.net
        /^track[0-9]+\./
        0.0.0.0 sunk.example
    games: &games
      - |
        *.games.example
      - https://lists.example.org/games.txt
      - /etc/blocky/games.txt
    unused:
      - https://lists.example.org/unused.txt
  allowlists:
    ads:
      - |
        good.example.net
      - https://lists.example.org/allow.txt
    only:
      - |
        *.only.example
  clientGroupsBlock:
    default:
      - ads
    192.0.2.8:
      - games
    tablet*:
      - ads
      - games
    198.51.100.0/24: []
    kid.local:
      - only
  schedules:
    games:
      - days: [Mon, Tue]
        start: "08:00"
        end: "12:00"
  blockType: nxDomain
clientLookup:
  clients:
    tablet-one:
      - 192.0.2.21
    tablet-two:
      - 192.0.2.22
caching:
  minTime: 5m
"""

ZONE = """$TTL 2h
$ORIGIN rpz.example.org.
@ IN SOA localhost. root.localhost. ( 1 6h 1h 1w
   2h )
  IN NS localhost.
ads.example.com CNAME .
*.ads.example.com CNAME .
good.ads.example.com CNAME rpz-passthru.
nodata.example.com CNAME *.
dropped.example.com CNAME rpz-drop.
walled.example.com A 192.0.2.1
walled.example.com AAAA 2001:db8::1
*.walled.example.com A 192.0.2.1
null.example.com A 0.0.0.0
there.example.com CNAME garden.example.net.
text.example.com TXT "blocked by policy"
24.0.2.0.192.rpz-ip CNAME .
48.zz.1.db8.2001.rpz-ip CNAME rpz-passthru.
32.7.2.0.192.rpz-client-ip CNAME .
ns.bad.example.rpz-nsdname CNAME .
tcp.example.com CNAME rpz-tcp-only.
mail.example.com MX 10 relative
"""

HOSTS = """127.0.0.1 localhost
::1 ip6-localhost ip6-loopback
127.0.1.1 thinkpad
# adverts
0.0.0.0 ads.example.org tracker.example.org
192.0.2.10 nas.lan nas
192.0.2.10 files.lan
2001:db8::10 nas.lan
not-an-address name
192.0.2.11
"""
