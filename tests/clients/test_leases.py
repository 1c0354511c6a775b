"""DHCP lease files as dnsmasq, ISC dhcpd and Kea write them."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.clients.dnsmasq import parse_dnsmasq
from sinkhole.clients.isc import parse_isc
from sinkhole.clients.kea import parse_kea
from sinkhole.clients.lease import Lease
from sinkhole.clients.lease_file import MAX_OCTETS, LeaseError, LeaseFile

MAC = "aa:bb:cc:dd:ee:ff"
DNSMASQ = """\
1900000000 aa:bb:cc:dd:ee:ff 192.0.2.7 Laptop-7 01:aa:bb:cc:dd:ee:ff
0 06-aa:bb:cc:dd:ee:01 192.0.2.8 * *
duid 00:01:00:01:2c:00:00:01:aa:bb:cc:dd:ee:00
1900000000 12345 2001:db8::7 laptop-7 00:01:00:01:2c:00:00:02:aa:bb:cc:dd:ee:ff
1900000000 T77 2001:db8::8 * 00:4c:41:50
"""
ISC = r"""
# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;

lease 192.0.2.7 {
  starts 4 2030/01/03 10:00:00;
  ends 4 2030/01/03 22:00:00;
  cltt 4 2030/01/03 10:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet AA:bb:cc:dd:ee:ff;
  uid "\000LAP\"TOP\134\067";
  set vendor-class-identifier = "x; binding state free;";
  client-hostname "Laptop-7";
}
lease 192.0.2.8 {
  ends never;
  binding state active;
  hardware ethernet aa:bb:cc:dd:ee:01;
  uid 01:aa:bb:cc:dd:ee:01;
}
lease 192.0.2.9 {
  ends epoch 1900000000; # Thu Mar 17 17:46:40 2030
  binding state active;
}
lease 192.0.2.9 {
  binding state free;
}
lease 192.0.2.10 {
  ends 4 nonsense;
  binding state active;
}
lease 192.0.2.300 {
  binding state active;
}
lease 192.0.2.11 {
  binding state act"""
ISC6 = r"""
server-duid "\000\001\000\001";
ia-na "\001\000\000\000\000\003\000\001\252\273\314\335\356\377" {
  cltt 4 2030/01/03 10:00:00;
  iaaddr 2001:db8::7 {
    binding state active;
    preferred-life 375;
    max-life 600;
    ends epoch 1900000000;
  }
  iaaddr 2001:db8::8 {
    binding state expired;
  }
}
ia-na "\002\000\000\000X" {
  iaaddr 2001:db8::9 {
    binding state active;
    ends never;
  }
}
"""
KEA4 = """\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
192.0.2.7,aa:bb:cc:dd:ee:ff,01:aa:bb:cc:dd:ee:ff,3600,1900000000,1,0,0,Laptop-7.lab.example.,0,,0
192.0.2.8,aa:bb:cc:dd:ee:01,,4294967295,4294967295,1,0,0,,0,,0
192.0.2.9,aa:bb:cc:dd:ee:02,,3600,1900000000,1,0,0,gone,0,,0
192.0.2.9,aa:bb:cc:dd:ee:02,,0,1900000000,1,0,0,gone,0,,0
192.0.2.10,aa:bb:cc:dd:ee:03,,3600,1900000000,1,0,0,declined,1,,0
nonsense,,,3600,1900000000,1,0,0,,0,,0
192.0.2.11,aa:bb
"""
KEA6 = """\
address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source
2001:db8::7,00:03:00:01:aa:bb:cc:dd:ee:ff,4000,1900000000,1,3000,0,1,128,0,0,laptop-7,aa:bb:cc:dd:ee:ff,0,,1,2
2001:db8:1::,00:03,4000,1900000000,1,3000,2,1,56,0,0,,,0,,,
"""


def test_dnsmasq():
    found = parse_dnsmasq(DNSMASQ)
    assert found.malformed == 0
    assert found.by_address["192.0.2.7"] == Lease(
        "192.0.2.7", MAC, b"\1" + bytes.fromhex("aabbccddeeff"), "laptop-7", 1.9e9
    )
    assert found.by_address["192.0.2.7"].ids == ("01:aa:bb:cc:dd:ee:ff",)
    assert found.by_address["192.0.2.8"] == Lease("192.0.2.8", "aa:bb:cc:dd:ee:01", b"", None, None)
    assert found.by_address["2001:db8::7"].mac is None
    assert found.by_address["2001:db8::8"].ids == ("00:4c:41:50", "LAP")


def test_dnsmasq_lines_that_cannot_be_read_are_counted():
    found = parse_dnsmasq("x\n1 2 3\n\n1900000000 zz 192.0.2.7 * *\n1900000000 1 nowhere * *\n1 1 192.0.2.1 * zz\n")
    assert (found.by_address, found.malformed) == ({}, 5)


def test_isc():
    found = parse_isc(ISC)
    assert list(found.by_address) == ["192.0.2.7", "192.0.2.8"]
    first = found.by_address["192.0.2.7"]
    assert (first.mac, first.host, first.expires) == (MAC, "laptop-7", 1893708000.0)
    assert first.ids == (b'\0LAP"TOP\\7'.hex(":"), 'LAP"TOP\\7')
    assert found.by_address["192.0.2.8"].expires is None
    assert found.malformed == 2  # an expiry and an address


def test_isc_of_ipv6():
    found = parse_isc(ISC6).by_address
    assert list(found) == ["2001:db8::7", "2001:db8::9"]
    assert found["2001:db8::7"].ids == ("00:03:00:01:aa:bb:cc:dd:ee:ff",)
    assert found["2001:db8::9"].ids == ("58", "X")


def test_kea():
    found = parse_kea(KEA4)
    assert list(found.by_address) == ["192.0.2.7", "192.0.2.8"]
    assert found.by_address["192.0.2.7"].host == "laptop-7.lab.example"
    assert found.by_address["192.0.2.8"].expires is None
    assert found.malformed == 2
    assert list(parse_kea(KEA6).by_address.values()) == [
        Lease("2001:db8::7", MAC, bytes.fromhex("00030001aabbccddeeff"), "laptop-7", 1.9e9)
    ]


def later() -> float:
    """A clock by which files have not changed for a while."""
    return time.time() + 10


def test_lease_ends():
    lease = Lease("192.0.2.7", MAC, b"", None, 100.0)
    assert lease.holds(99.9)
    assert not lease.holds(100.0)
    assert Lease("192.0.2.7", MAC, b"", None, None).holds(1e12)


@pytest.mark.parametrize(
    ("text", "name"), [(DNSMASQ, "dnsmasq"), (ISC, "isc"), (ISC6, "isc"), (KEA4, "kea"), (KEA6, "kea")]
)
def test_format_is_detected(tmp_path, text, name):
    path = tmp_path / "leases"
    path.write_text(text)
    file = LeaseFile(path)
    assert file.look()
    assert file.format == name
    assert file.leases.by_address


def test_file_is_read_again_when_it_is_another(tmp_path):
    """Changed in place, replaced, emptied: what it says counts."""
    path = tmp_path / "leases"
    path.write_text(DNSMASQ)
    file = LeaseFile(path, later)
    assert (file.look(), file.look()) == (True, False)
    path.write_text(DNSMASQ + f"1900000000 {MAC} 192.0.2.99 * *\n")
    assert file.look()
    assert "192.0.2.99" in file.leases.by_address
    other = tmp_path / "new"
    other.write_text(f"1900000000 {MAC} 192.0.2.50 * *\n")
    other.rename(path)
    assert file.look()
    assert list(file.leases.by_address) == ["192.0.2.50"]


def test_file_that_is_being_written_is_read_later(tmp_path):
    """dnsmasq empties its file and writes it anew: that is no reason to forget everybody for a moment."""
    path = tmp_path / "leases"
    path.write_text(DNSMASQ)
    file = LeaseFile(path)
    assert file.look()
    path.write_text("")
    assert [file.look(), file.look()] == [False, False]
    assert file.leases.by_address
    assert file.look()  # a file that changes all the time is read all the same
    assert file.leases.by_address == {}


def test_file_that_is_gone_leaves_what_was_known(tmp_path):
    path = tmp_path / "leases"
    path.write_text(DNSMASQ)
    file = LeaseFile(path, later)
    file.look()
    path.unlink()
    with pytest.raises(LeaseError, match=r"lease file .*: cannot be read: No such file"):
        file.look()
    assert "192.0.2.7" in file.leases.by_address
    path.write_text("")
    assert file.look()
    assert file.leases.by_address == {}


def test_kea_moves_older_leases_aside(tmp_path):
    """kea-lfc(8): the file begins anew, older leases are in .2 and .1, or in .completed."""
    path = tmp_path / "kea-leases4.csv"
    header = KEA4.splitlines()[0] + "\n"

    def row(low: int, lifetime: int = 3600) -> str:
        return f"192.0.2.{low},{MAC},,{lifetime},1900000000,1,0,0,,0,,0\n"

    path.write_text(header + row(1))
    path.with_name(path.name + ".1").write_text(header + row(2) + row(3, 0))
    path.with_name(path.name + ".2").write_text(header + row(3) + row(4))
    file = LeaseFile(path, later)
    file.look()
    assert sorted(file.leases.by_address) == ["192.0.2.1", "192.0.2.2", "192.0.2.4"]
    path.with_name(path.name + ".completed").write_text(header + row(5))
    assert file.look()
    assert sorted(file.leases.by_address) == ["192.0.2.1", "192.0.2.5"]


def test_file_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "leases"
    path.write_bytes(b"")
    os.truncate(path, MAX_OCTETS + 1)
    with pytest.raises(LeaseError, match="at most"):
        LeaseFile(path, later).look()


def test_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "leases")
    with pytest.raises(LeaseError, match="no ordinary file"):
        LeaseFile(tmp_path / "leases").look()


FAR = "9" * 400


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse_dnsmasq, f"{FAR} {MAC} 192.0.2.7 pc *"),
        (parse_dnsmasq, f"1 {MAC} fe80::1%\x1b[31m pc *"),
        (parse_isc, f"lease 192.0.2.7 {{\n ends epoch {FAR};\n}}"),
        (parse_isc, "lease 192.0.2.7 {\n ends epoch ;\n}"),
        (parse_kea, f"address,hwaddr,valid_lifetime,expire\n192.0.2.7,{MAC},3600,{FAR}"),
    ],
)
def test_one_line_that_says_nonsense_takes_no_other_with_it(parser, text):
    """A time that no float holds ended the reading of all sources; a zone could hold an escape sequence."""
    found = parser(text)
    assert (found.by_address, found.malformed) == ({}, 1)


def test_octets_that_are_no_text_are_no_failure(tmp_path):
    path = tmp_path / "leases"
    path.write_bytes(b"1900000000 aa:bb:cc:dd:ee:ff 192.0.2.7 \xff\x1b[31m *\n\xff\xfe\n")
    file = LeaseFile(path, later)
    file.look()
    assert file.leases.by_address["192.0.2.7"].host is None
    assert file.leases.malformed == 1


PARSERS = [(parse_dnsmasq, DNSMASQ), (parse_isc, ISC + ISC6), (parse_kea, KEA4 + KEA6)]
ODD = ("}", "lease x {", 'uid "\\\\";', "a,b")


@pytest.mark.parametrize(("parser", "sample"), PARSERS)
@given(data=st.data())
def test_parsing_never_fails(parser, sample, data):
    line = st.sampled_from([*sample.splitlines(), *ODD]) | st.text(max_size=30)
    found = parser("\n".join(data.draw(st.lists(line))))
    assert all(lease.address == address for address, lease in found.by_address.items())
