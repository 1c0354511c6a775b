"""How many lines a second `sinkhole audit-logs` reads of each format: python -m bench.logs [LINES]."""

import datetime as dt
import gc
import math
import random
import resource
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.log_audit import LogAudit
from sinkhole.app.log_judge import LogJudge, judge_by_catalogue
from sinkhole.logs.reading import LogReading

LINES = 300_000
BEGIN = 1_795_521_600
NAMES = 20_000
CLIENTS = 500
AI = 0.05
"""Share of lines that are for an AI vendor."""


FORMATS = {
    "dnsmasq": ("", "{at:%b %d %H:%M:%S} dnsmasq[7]: query[A] {name} from {client}"),
    "unbound": ("", "[{epoch:.0f}] unbound[7:0] info: {client} {name}. A IN"),
    "bind": ("", "{at:%d-%b-%Y %H:%M:%S}.123 queries: info: client @0x7f63 {client}#5319 ({name}): "
                 "query: {name} IN A +E(0)K (::1)"),
    "powerdns": ("", "{at:%b %d %H:%M:%S} gw pdns_recursor[7]: 3 [1/1] question for '{name}|A' from {client}:5319"),
    "dnsdist": ("", "[{epoch:.6f}] Packet from {client}:5319 for {name}. A with id 7"),
    "windows-dns": ("", "{at:%m/%d/%Y %I:%M:%S %p} 0E6C PACKET  00000012D5A2B2F0 UDP Rcv {client}   a1b2   "
                        "Q [0001   D   NOERROR] A      {labels}(0)"),
    "adguard": ("", '{{"T":"{at:%Y-%m-%dT%H:%M:%S.123+00:00}","QH":"{name}","QT":"A","QC":"IN","CP":"","Answer":"'
                    + "A" * 120 + '","IP":"{client}","Result":{{}},"Elapsed":1}}'),
    "zeek": ("#fields\tts\tuid\tid.orig_h\tp\tr\tq\tproto\tt\trtt\tquery\tc\tqtype\n",
             "{epoch:.6f}\tC1\t{client}\t4000\t192.0.2.53\t53\tudp\t1\t0.01\t{name}\t1\tA"),
    "umbrella": ("", '"{at:%Y-%m-%d %H:%M:%S}","ann","ann,Site","{client}","198.51.100.7","Allowed","1 (A)","NOERROR",'
                     '"{name}.","x"'),
    "cloudflare": ("Datetime,QueryName,SrcIP,ResolverDecision\n",
                   "{at:%Y-%m-%dT%H:%M:%S}Z,{name},{client},allowedOnNoPolicyMatch"),
    "zscaler": ("datetime,user,clt_sip,dns_req,reqaction\n", "{at:%a %b %d %H:%M:%S %Y},,{client},{name},REQ_ALLOW"),
    "nextdns": ("timestamp,domain,client_ip,status,root_domain\n", "{at:%Y-%m-%dT%H:%M:%S}.1Z,{name},{client},,x"),
    "squid": ("", "{epoch:.3f}    9 {client} TCP_TUNNEL/200 10 CONNECT {name}:443 - HIER_DIRECT/192.0.2.80 -"),
}  # fmt: skip
"""What a log begins with, and how a query is written in it."""


def write_text(path: Path, head: str, line: str, found: list[tuple[dt.datetime, str, str]]) -> None:
    """Write a log of text."""
    with path.open("w") as file:
        file.write(head)
        for at, client, name in found:
            labels = "".join(f"({len(label)}){label}" for label in name.split("."))
            file.write(line.format(at=at, epoch=at.timestamp(), client=client, name=name, labels=labels) + "\n")


def queries(count: int) -> list[tuple[dt.datetime, str, str]]:
    """Return queries over 30 days: a few names often, most of them seldom."""
    rng = random.Random(7)
    vendors = [vendor.products[0].domains[0].name.replace("*", "x") for vendor in shipped_catalogue().vendors[:60]]
    names = [f"host{n}.example{n % 97}.org" for n in range(NAMES)]
    clients = [f"10.0.{n // 250}.{n % 250}" for n in range(CLIENTS)]
    return [
        (
            dt.datetime.fromtimestamp(BEGIN + 30 * 86_400 * n // count, dt.UTC),
            rng.choice(clients),
            rng.choice(vendors) if rng.random() < AI else names[int(NAMES * rng.random() ** 3)],
        )
        for n in range(count)
    ]


def write_database(path: Path, found: list[tuple[dt.datetime, str, str]]) -> None:
    """Write a query database of Pi-hole."""
    connection = sqlite3.connect(path)
    connection.executescript("""
        CREATE TABLE domain_by_id (id INTEGER PRIMARY KEY, domain TEXT);
        CREATE TABLE client_by_id (id INTEGER PRIMARY KEY, ip TEXT);
        CREATE TABLE query_storage (id INTEGER PRIMARY KEY, timestamp INTEGER, type INTEGER, status INTEGER,
                                    domain INTEGER, client INTEGER)""")
    names = {name: number for number, name in enumerate(dict.fromkeys(name for *_, name in found), 1)}
    clients = {client: number for number, client in enumerate(dict.fromkeys(client for _, client, _ in found), 1)}
    connection.executemany("INSERT INTO domain_by_id VALUES (?, ?)", [(n, name) for name, n in names.items()])
    connection.executemany("INSERT INTO client_by_id VALUES (?, ?)", [(n, client) for client, n in clients.items()])
    rows = [(int(at.timestamp()), 1, 2, names[name], clients[client]) for at, client, name in found]
    connection.executemany(
        "INSERT INTO query_storage (timestamp, type, status, domain, client) VALUES (?, ?, ?, ?, ?)", rows
    )
    connection.commit()
    connection.close()


def measure(path: Path, judge: LogJudge, wanted: int) -> float:
    """Return how many lines a second are read, judged and counted."""
    gc.collect()
    audit = LogAudit(judge, -math.inf, math.inf, 300)
    began = time.perf_counter()
    audit.read([LogReading(path, dt.UTC)])
    took = time.perf_counter() - began
    assert audit.logs[0].queries == wanted, audit.logs[0]
    return wanted / took


def main() -> None:
    """Measure all formats and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    found = queries(count)
    catalogue = shipped_catalogue()
    with tempfile.TemporaryDirectory() as folder:
        for name, (head, line) in FORMATS.items():
            path = Path(folder) / name
            write_text(path, head, line, found)
            print(f"| `{name}` | {measure(path, judge_by_catalogue(catalogue), count):,.0f} |", flush=True)
            path.unlink()
        write_database(Path(folder) / "db", found)
        rate = measure(Path(folder) / "db", judge_by_catalogue(catalogue), count)
        print(f"| `pihole-db` | {rate:,.0f} |")
    print(
        f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB, the queries of this test in it"
    )


if __name__ == "__main__":
    main()
