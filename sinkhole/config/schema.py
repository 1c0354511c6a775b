"""Every setting of the server, with its type, default, limits and meaning; `docs/configuration.md` is made from it.

Times are seconds, sizes are bytes unless the name says otherwise.
"""

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sinkhole.config.out_schema import AlertSettings, MailSettings, MetricsSettings, OutSettings, ReportMailSettings
from sinkhole.config.section import Section

DEFAULT_PORT = 5300
"""Unprivileged, and not 5353, which is multicast DNS (RFC 6762)."""

PRIVATE_NETWORKS = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip
"""Loopback, link-local, private and shared address space (RFC 1918, 3927, 4193, 4291, 6598)."""

CONTACT_SCHEMES = ("mailto", "https", "tel", "sips")
_LONGEST_CONTACT = 200
"""Characters, so that it fits into a string of a TXT record, which has 255 octets at most."""


def _is_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=True))
    except ValueError as error:
        raise ValueError(f"wanted an address or a network such as 192.0.2.0/24: {error}") from None


def default_data_dir() -> Path:
    """Return where state is kept unless told otherwise: /var/lib for root, the user's state folder else."""
    if os.geteuid() == 0:
        return Path("/var/lib/sinkhole")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "sinkhole"


def _is_contact(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    near = difflib.get_close_matches(scheme.lower(), CONTACT_SCHEMES, n=1)
    wanted = "wanted mailto:, https:, tel: or sips: and an address, such as mailto:it@example.org"
    if scheme not in CONTACT_SCHEMES or not colon:
        raise ValueError(f"{wanted}; did you mean {near[0]}:?" if near else wanted)
    is_whole = bool(rest.strip("/")) and (scheme != "mailto" or 0 < rest.find("@") < len(rest) - 1)
    if not is_whole or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{wanted}, in printable ASCII without blanks")
    if len(text) > _LONGEST_CONTACT:
        raise ValueError(f"a contact has at most {_LONGEST_CONTACT} characters, this one has {len(text)}")
    return text


def _is_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("wanted one line of printable text")
    return text


_is_product = re.compile(r"[a-z0-9-]+/[a-z0-9-]+").fullmatch
_is_own_service = re.compile(r"\S.{0,98} https?://[!-~]{1,200}").fullmatch


def _is_alternative(text: str) -> str:
    if not text.isprintable() or not (_is_product(text) or _is_own_service(text)):
        raise ValueError(f"wanted a product such as mistral/le-chat, or a name and its https: address; found {text!r}")
    return text


def _is_host_name(text: str) -> str:
    name = text.lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*", name) or len(name) > 253:
        raise ValueError(f"wanted a host name such as sinkhole.example.org, without a port; found {text!r}")
    return name


HostName = Annotated[str, AfterValidator(_is_host_name)]
Network = Annotated[str, AfterValidator(_is_network)]
Address = Annotated[str, AfterValidator(lambda text: str(ipaddress.ip_address(text)))]
Contact = Annotated[str, AfterValidator(_is_contact)]


class ServerSettings(Section):
    """Where to listen and how many processes answer."""

    listen: tuple[str, ...] = Field(
        (f"0.0.0.0:{DEFAULT_PORT}", f"[::]:{DEFAULT_PORT}"),
        min_length=1,
        description="Addresses to answer on, UDP and TCP, as ADDRESS:PORT or [IPV6]:PORT.",
    )
    workers: int = Field(1, ge=1, le=256, description="Resolver processes; each has its own cache.")
    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of store, feeds and compiled policy.")
    user: str | None = Field(None, description="User to become once the sockets are bound, when started as root.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity logged.")
    drain_timeout: float = Field(3.0, ge=0, le=60, description="Seconds that queries in flight get at a stop.")


class AccessSettings(Section):
    """Who may ask, and how often."""

    allow: tuple[Network, ...] = Field(PRIVATE_NETWORKS, description="Networks that are served; others get REFUSED.")
    rate: int = Field(100, ge=0, description="Queries a second per client address (per /64 in IPv6); 0: no limit.")
    burst: int = Field(300, ge=1, description="Queries a client may send at once before the rate applies.")
    rate_exempt: tuple[Network, ...] = Field(
        ("127.0.0.0/8", "::1/128"), description="Networks without a rate limit, such as other forwarders."
    )
    slip: int = Field(
        2,
        ge=0,
        description="Every n-th limited UDP query gets TC=1, so a real client turns to TCP; within the same limit.",
    )


class TransportSettings(Section):
    """Limits of UDP and TCP."""

    max_payload: int = Field(1232, ge=512, le=4096, description="Largest UDP answer in octets (RFC 9715).")
    datagrams: Literal["auto", "batch", "single"] = Field(
        "auto",
        description="UDP: many datagrams in one system call (recvmmsg, Linux), or a single one in each.",
    )
    tcp_idle_timeout: float = Field(10.0, gt=0, le=600, description="Seconds until an idle connection is closed.")
    tcp_connections: int = Field(1000, ge=1, description="Open TCP connections per worker.")
    tcp_connections_per_client: int = Field(50, ge=1, description="Open TCP connections per client per worker.")
    queries_per_connection: int = Field(128, ge=1, description="Queries of one connection answered at the same time.")
    chaos_version: str = Field("", max_length=64, description="Answer to version.bind; empty: REFUSED.")


class ZoneUpstream(Section):
    """One zone that is asked elsewhere (split horizon, private reverse zones)."""

    zone: str = Field(description="Name of the zone; it and all names below it.")
    servers: tuple[str, ...] = Field(min_length=1, description="Upstreams of this zone.")


class UpstreamSettings(Section):
    """Where queries are forwarded to."""

    servers: tuple[str, ...] = Field(
        (), description="udp://, tcp://, tls://HOST or https://HOST/PATH, an address alone is udp; empty: the system's."
    )
    strategy: Literal["fastest", "ordered", "race"] = Field(
        "fastest", description="fastest: best round trip, others probed; ordered: first that works; race: two at once."
    )
    bootstrap: tuple[Address, ...] = Field((), description="Plain resolvers that look up host names of upstreams.")
    timeout: float = Field(1.5, gt=0, le=10, description="Seconds one try may take.")
    tries: int = Field(3, ge=1, le=6, description="Tries for one query, over all upstreams.")
    randomize_case: bool = Field(True, description="Random letter case in questions over UDP (0x20) and its check.")
    trust_ad: bool = Field(
        False, description="Pass on AD of upstreams that validate DNSSEC, to clients that ask for it."
    )
    ca_file: Path | None = Field(None, description="Certificate authorities for tls and https; None: the system's.")
    zones: tuple[ZoneUpstream, ...] = Field((), description="Zones with upstreams of their own.")
    max_in_flight: int = Field(4000, ge=10, description="Queries waiting for upstreams, per worker.")
    max_in_flight_per_client: int = Field(
        1000, ge=1, description="The same, of one client; and four times what is free."
    )
    max_in_flight_per_zone: int = Field(1000, ge=1, description="The same, for one registered domain.")


class CacheSettings(Section):
    """How answers are kept."""

    entries: int = Field(
        50_000, ge=0, description="Answers kept per worker, and about as many finished replies; 0: no cache."
    )
    max_bytes: int = Field(
        64 * 1024 * 1024, ge=0, description="Octets of both per worker; finished replies have a half of them at most."
    )
    min_ttl: int = Field(0, ge=0, le=3600, description="Shorter TTLs are raised to this.")
    max_ttl: int = Field(86_400, ge=1, le=604_800, description="Longer TTLs are cut to this.")
    max_negative_ttl: int = Field(3600, ge=0, le=86_400, description="Longest life of NXDOMAIN and NODATA.")
    failure_ttl: float = Field(5.0, ge=1, le=300, description="Seconds an upstream failure is remembered (RFC 9520).")
    stale: int = Field(86_400, ge=0, le=604_800, description="Seconds an expired answer may serve; 0: off (RFC 8767).")
    stale_ttl: int = Field(30, ge=1, le=30, description="TTL of stale answers.")
    stale_after: float = Field(
        1.8, ge=0, le=10, description="Seconds a client waits for a fresh answer before a stale."
    )
    prefetch: bool = Field(True, description="Refresh popular answers in the last tenth of their life.")


class BlockingSettings(Section):
    """How blocked names are answered."""

    mode: Literal["address", "nxdomain", "nodata", "refused"] = Field("address", description="Kind of answer.")
    ipv4: Address | None = Field(None, description="Sinkhole address for A.")
    ipv6: Address | None = Field(None, description="Sinkhole address for AAAA; neither set: 0.0.0.0 and ::.")
    ttl: int = Field(10, ge=1, le=3600, description="TTL of blocked answers.")
    ede: Literal[15, 16, 17] = Field(15, description="Extended error: 15 blocked, 16 censored, 17 filtered (RFC 8914).")
    ede_text: bool = Field(True, description="Name vendor and policy in the extended error.")
    contact: tuple[Contact, ...] = Field(
        (), max_length=4, description="Whom to ask about a blocked name: mailto:, https:, tel: or sips: URIs."
    )
    organisation: Annotated[str, AfterValidator(_is_printable)] = Field(
        "", max_length=100, description="Who blocks, as people know it; told to clients that ask for structured errors."
    )
    explain_to: tuple[Network, ...] = Field(
        PRIVATE_NETWORKS, description="Networks that a TXT query for a blocked name tells policy, reason and contact."
    )
    sde_option: int | None = Field(
        None,
        ge=1,
        le=65534,
        description="Number of the EDNS option Structured DNS Error (none assigned); an empty EDE option always asks.",
    )


class BlockPageSettings(Section):
    """The page that people see in place of a blocked name, at the address that blocked names are answered with."""

    enabled: bool = Field(False, description="Show it; a process of its own, which answers do not depend on.")
    http: tuple[str, ...] = Field(
        (), description="Addresses for HTTP, as ADDRESS:PORT; empty: port 80 of blocking.ipv4 and blocking.ipv6."
    )
    https: tuple[str, ...] = Field((), description="The same for HTTPS; empty: port 443 of these.")
    ca_dir: Path | None = Field(
        None, description="Folder of the authority that `sinkhole ca init` makes; None: ca/ in data_dir."
    )
    language: Literal["auto", "en", "de"] = Field("auto", description="Language; auto: as the browser asks.")
    message: Annotated[str, AfterValidator(_is_printable)] = Field(
        "", max_length=500, description="What people should read besides: where the rules are, whom to talk to."
    )
    alternatives: tuple[Annotated[str, AfterValidator(_is_alternative)], ...] = Field(
        (),
        max_length=12,
        description="What to use instead, shown first: a product of the catalogue (`mistral/le-chat`; shown to whom "
        "policy does not block it), or a service of your own (`Team assistant https://ai.example.org`).",
    )
    requests: bool = Field(True, description="Let people ask for an exception there.")
    rate: int = Field(20, ge=1, description="Connections a second per client address (per /64 in IPv6).")
    burst: int = Field(60, ge=1, description="Connections a client may open at once before the rate applies.")
    rate_total: int = Field(200, ge=1, description="Connections a second of all clients together.")
    connections: int = Field(400, ge=1, le=10_000, description="Open connections.")
    connections_per_client: int = Field(24, ge=1, description="Open connections per client.")
    timeout: float = Field(10.0, gt=0, le=60, description="Seconds after which a connection is closed, done or not.")


class CoachSettings(Section):
    """How coached names go on once the notice of the block page was read."""

    minutes: int = Field(60, ge=1, le=1440, description="Minutes that one may go on after reading the notice.")


class RebindingSettings(Section):
    """Whether answers for public names may have addresses of the private network (DNS rebinding)."""

    enabled: bool = Field(False, description="Take private, loopback and link-local addresses out of answers.")
    allow: tuple[str, ...] = Field(
        (), description="Names that, with all below them, may have such addresses; forwarded zones always may."
    )


class InspectionSettings(Section):
    """What is taken out of answers that are allowed."""

    strip_ech: bool = Field(
        False, description="Take the keys of Encrypted Client Hello, and signatures, out of SVCB and HTTPS answers."
    )


class PolicySettings(Section):
    """What policy knows of this network; what is blocked is state, not a setting (`sinkhole policy`)."""

    search_suffixes: tuple[str, ...] = Field(
        (),
        description="Search domains of this network, besides those of resolv.conf, `records` and `upstream.zones`: "
        "no name at or below one imitates a vendor.",
    )


class RecordSettings(Section):
    """What is recorded about queries."""

    queries: Literal["blocked", "matched", "all", "none"] = Field(
        "blocked",
        description="blocked: blocked, coached and monitored; matched: also allowed by a statement; all: every query.",
    )
    clients: Literal["full", "pseudonym", "none"] = Field("full", description="How client addresses are stored.")
    days: int = Field(90, ge=1, le=3650, description="Days that hits are kept.")
    max_mib: int = Field(512, ge=1, description="Size of the hits in MiB; the oldest go first.")
    names_per_client: int = Field(
        1000,
        ge=1,
        description="Names of a client kept in a minute, by each worker; more count for the domain they are below.",
    )
    attempt_window: int = Field(
        300, ge=60, le=86_400, description="Hits of one client for one vendor closer than this are one attempt."
    )


class DiscoverSettings(Section):
    """Whether names that look like AI and that no rule knows are put into a queue for review (`sinkhole discover`)."""

    enabled: bool = Field(
        True, description="Count them: domain, a few host names, how often, when first and last, why."
    )
    clients: bool = Field(False, description="Also keep who asked for them, as `record.clients` permits.")
    days: int = Field(90, ge=1, le=3650, description="Days without an answer after which a name that waits is dropped.")


class ClientSettings(Section):
    """Who a client is beside its address: what members of groups by MAC address, name and client-id rest on."""

    neighbours: Literal["needed", "always", "never"] = Field(
        "needed",
        description="Read MAC addresses from the neighbour table (ARP, NDP); needed: if groups or the block "
        "page need it.",
    )
    leases: tuple[Path, ...] = Field(
        (), description="DHCP lease files of dnsmasq, ISC dhcpd or Kea (CSV); the format is detected."
    )
    reverse_names: bool = Field(
        True, description="If a group has a member by name, ask for reverse names of private clients and verify them."
    )
    reverse_public: bool = Field(False, description="Ask for the reverse names of public addresses too.")
    interval: float = Field(3.0, ge=0.5, le=300, description="Seconds between looks at these sources.")
    keep: int = Field(600, ge=0, le=86_400, description="Seconds a MAC address is believed after the table forgot it.")
    forwarders: tuple[Network, ...] = Field(
        (), description="Forwarders whose EDNS options say for whom they ask: MAC, CPE-ID, whole client address."
    )
    activity_days: int = Field(
        14, ge=0, le=90, description="Days that queries per client and hour are kept; 0: none; see record.clients."
    )


class FeedSettings(Section):
    """How remote lists are synced; which lists is state, not a setting (`sinkhole feeds`)."""

    sync: bool = Field(True, description="Sync periodically inside the server.")
    interval: int = Field(21_600, ge=300, description="Seconds between syncs of a feed, with a tenth of jitter.")
    connect_timeout: float = Field(10.0, gt=0, description="Seconds to connect.")
    total_timeout: float = Field(60.0, gt=0, description="Seconds for a whole fetch.")
    max_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="Octets after decompression; also on the wire.")
    max_rules: int = Field(2_000_000, ge=1, description="Rows of one feed.")
    max_redirects: int = Field(3, ge=0, le=10, description="Redirects followed.")
    max_shrink: float = Field(0.5, gt=0, le=1, description="Share of rules a feed may lose before it is quarantined.")
    max_growth: float = Field(10.0, gt=1, description="Factor a feed may grow by before it is quarantined.")
    allow_http: bool = Field(False, description="Permit http:// feeds of hosts that are not private.")
    list_dir: Path | None = Field(
        None, description="Folder local list files may be read from; None: lists/ in data_dir."
    )
    keep_versions: int = Field(5, ge=2, le=100, description="Snapshots kept of each feed.")


class AdminSettings(Section):
    """The admin side: API and pages. Who may use it is state, not a setting (`sinkhole admin`)."""

    enabled: bool = Field(True, description="Serve it.")
    listen: tuple[str, ...] = Field(
        ("127.0.0.1:8053",), min_length=1, description="Addresses it is served on, as ADDRESS:PORT or [IPV6]:PORT."
    )
    hosts: tuple[HostName, ...] = Field(
        (),
        description="Names it is reached by; addresses and localhost always are. Others are refused (DNS rebinding).",
    )
    certificate: Path | None = Field(
        None, description="PEM file of a TLS certificate with its chain; read again when it changes."
    )
    key: Path | None = Field(None, description="PEM file of its private key.")
    trusted_proxies: tuple[Network, ...] = Field(
        (), description="Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    plain_http: bool = Field(
        False, description="Permit HTTP without TLS on an address that others reach; passwords can then be read."
    )
    idle_minutes: int = Field(60, ge=1, le=1440, description="Minutes without use after which a session ends.")
    session_hours: int = Field(12, ge=1, le=168, description="Hours after which a session ends, used or not.")


class Settings(Section):
    """The whole configuration. `records` are local records, one a string: `NAME [TTL] TYPE DATA`."""

    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    transport: TransportSettings = TransportSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    cache: CacheSettings = CacheSettings()
    blocking: BlockingSettings = BlockingSettings()
    coach: CoachSettings = CoachSettings()
    block_page: BlockPageSettings = BlockPageSettings()
    rebinding: RebindingSettings = RebindingSettings()
    inspection: InspectionSettings = InspectionSettings()
    policy: PolicySettings = PolicySettings()
    record: RecordSettings = RecordSettings()
    discover: DiscoverSettings = DiscoverSettings()
    clients: ClientSettings = ClientSettings()
    feeds: FeedSettings = FeedSettings()
    admin: AdminSettings = AdminSettings()
    out: tuple[OutSettings, ...] = Field((), description="Receivers of what is recorded, each a table `[[out]]`.")
    alerts: AlertSettings = AlertSettings()
    mail: MailSettings = MailSettings()
    report_mail: ReportMailSettings = ReportMailSettings()
    metrics: MetricsSettings = MetricsSettings()
    records: tuple[str, ...] = Field(
        (),
        description="Local records, as `NAME [TTL] TYPE DATA`; `*.x` is a wildcard. Those of the file `local.records` "
        "in the data folder, one a line, come on top.",
    )
    canaries: bool = Field(
        True, description="Answer use-application-dns.net and Private Relay names as their owners ask."
    )


def is_activity_kept(settings: Settings) -> bool:
    """Return whether it may be recorded how often which client asks."""
    record = settings.record
    return record.clients != "none" and record.queries != "none" and settings.clients.activity_days > 0


def is_queue_kept(settings: Settings) -> bool:
    """Return whether names that look like AI may be put into the queue for review."""
    return settings.discover.enabled and settings.record.queries != "none"


def ca_folder(settings: Settings) -> Path:
    """Return where the authority of the block page is."""
    return settings.block_page.ca_dir or settings.server.data_dir / "ca"
