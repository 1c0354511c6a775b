"""Logs as NextDNS lets them be downloaded: CSV with a header. Clients are told by their device where there is one."""

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.columns import Header, cells_of
from sinkhole.logs.query import LogFormat, Query, ReadLine


def _open(clock: Clock) -> ReadLine:
    header: Header | None = None

    def read(line: str) -> Query | None:
        nonlocal header
        cells = cells_of(line)
        if header is None:
            header = Header(
                cells, at=("timestamp",), name=("domain",), status=("status",), sign=("client_ip", "root_domain"),
                client=("device_name", "device_local_ip", "client_name", "client_ip"), device=("device_id",),
            )  # fmt: skip
            if not header.has("at", "name", "status", "sign", "client"):
                header = None
                raise LogFormatError("wanted a header with timestamp, domain, client_ip and status")
            return None
        header.expect(cells)
        name, client, status = (header.cell(cells, key) for key in ("name", "client", "status"))
        if not name or not client:
            raise LogFormatError("wanted a domain and a device or client_ip")
        if device := header.cell(cells, "device"):
            client = f"{client} ({device})"  # names of devices may be the same
        return clock.utc(header.cell(cells, "at")), client, name, status == "blocked"

    return read


NEXTDNS = LogFormat("nextdns", "NextDNS log (CSV)", _open)
