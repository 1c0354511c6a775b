"""An upstream whose answers each test writes for names of its own, so that one server does for a whole file."""

import dns.message
import dns.rdatatype

from tests.fakes import FakeUpstream, Handler, Script, Seen, reply

TRUE_IPV4 = "192.0.2.80"
TRUE_IPV6 = "2001:db8::80"
_DEFAULTS = {dns.rdatatype.A: f"A {TRUE_IPV4}", dns.rdatatype.AAAA: f"AAAA {TRUE_IPV6}"}
SOA = "example. 300 IN SOA ns.example. admin.example. 1 3600 600 86400 60"


def name_of(wire: bytes) -> str:
    """Return the name a query asks for, lower-case, without final dot."""
    return dns.message.from_wire(wire).question[0].name.to_text(omit_final_dot=True).lower()


def type_of(wire: bytes) -> str:
    """Return the type a query asks for."""
    return dns.rdatatype.to_text(dns.message.from_wire(wire).question[0].rdtype)


class Scripted(FakeUpstream):
    """Answer as told by name; a name nobody spoke of has one A and one AAAA record and nothing else."""

    def __init__(self) -> None:
        super().__init__(self._handle, tcp_handler=self._handle_tcp)
        self._scripts: dict[str, Handler] = {}
        self._tcp_scripts: dict[str, Handler] = {}

    def script(self, name: str, handler: Handler, *, tcp: Handler | None = None) -> None:
        """Have `handler` answer every query for `name`, and `tcp`, if given, those over TCP."""
        self._scripts[name] = handler
        if tcp is not None:
            self._tcp_scripts[name] = tcp

    def say(self, name: str, *lines: str, **more: object) -> None:
        """Answer every query for `name` with these records; see `tests.fakes.reply`."""
        self.script(name, lambda wire: [(0, reply(wire, *lines, **more))])

    def say_by_type(self, name: str, **lines: str) -> None:
        """Answer by type; types not named have no data."""

        def handle(wire: bytes) -> Script:
            line = lines.get(type_of(wire))
            return [(0, reply(wire, line) if line else reply(wire, authority=[SOA]))]

        self.script(name, handle)

    def asked(self, name: str) -> list[Seen]:
        """Return the queries for `name`, and for names below it, that arrived."""
        return [seen for seen in self.seen if f".{name_of(seen.wire)}".endswith(f".{name}")]

    def _handle_tcp(self, wire: bytes) -> Script:
        return self._tcp_scripts.get(name_of(wire), self._handle)(wire)

    def _handle(self, wire: bytes) -> Script:
        name = name_of(wire)
        if name in self._scripts:
            return self._scripts[name](wire)
        data = _DEFAULTS.get(dns.message.from_wire(wire).question[0].rdtype)
        if data is None:
            return [(0, reply(wire, authority=[SOA]))]
        return [(0, reply(wire, f"{dns.message.from_wire(wire).question[0].name} 300 IN {data}"))]
