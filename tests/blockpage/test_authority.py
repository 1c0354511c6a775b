"""The authority and what it issues, judged by OpenSSL; and the page over TLS."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import stat
import subprocess
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from sinkhole.blockpage import leaf
from sinkhole.blockpage.authority import (
    CERTIFICATE,
    KEY,
    AuthorityError,
    make_authority,
    read_authority,
    write_authority,
)
from sinkhole.blockpage.leaf import Leaves
from tests.blockpage.served import fields_of, said, served
from tests.policy.world import make_policy, override

NOW = dt.datetime.now(dt.UTC)
NAMES = ("deepseek.example", "writer.example", "other.example")


@pytest.fixture(scope="module")
def ca(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    write_authority(folder, make_authority(NAMES, NOW, title="Test"))
    return folder


def verify(folder: Path, certificate: x509.Certificate, name: str, what: str = "-verify_hostname") -> str:
    """Let OpenSSL judge a certificate for a name or an address; return `OK` or its error."""
    file = folder / "leaf.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", what, name,
               "-CAfile", folder / CERTIFICATE, file]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "OK" if done.returncode == 0 else done.stderr


def test_certificate_says_what_it_may_and_no_more(ca):
    found = read_authority(ca)
    extensions = found.certificate.extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    names = extensions.get_extension_for_class(x509.NameConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
    assert names.critical
    assert [one.value for one in names.value.permitted_subtrees] == list(NAMES)
    assert {str(one.value) for one in names.value.excluded_subtrees} == {"0.0.0.0/0", "::/0"}
    usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert isinstance(found.key.curve, ec.SECP256R1)
    assert stat.S_IMODE((ca / KEY).stat().st_mode) == 0o600


def test_openssl_believes_names_of_the_catalogue_and_no_other(ca):
    leaves = Leaves(read_authority(ca))

    def judged(name: str, *names: str) -> str:
        return verify(ca, leaves.issue(names or (name,), NOW), name)

    assert judged("chat.deepseek.example", "deepseek.example", "*.deepseek.example") == "OK"
    assert judged("a.b.deepseek.example", "*.b.deepseek.example") == "OK"
    for name in ("bank.example", "xdeepseek.example", "example", "deepseek.example.org"):
        assert "permitted subtree violation" in judged(name)
    assert "permitted subtree violation" in judged("deepseek.example", "deepseek.example", "bank.example")


def test_openssl_refuses_an_address(ca):
    authority = read_authority(ca)
    key = ec.generate_private_key(ec.SECP256R1())

    def issue(subject: x509.GeneralName) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(authority.certificate.subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(NOW)
            .not_valid_after(NOW + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([subject]), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
            )
            .sign(authority.key, hashes.SHA256())
        )

    address = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
    assert "excluded subtree violation" in verify(ca, issue(address), "192.0.2.1", "-verify_ip")


def test_leaf_lives_days_and_not_longer_than_the_authority(ca):
    certificate = Leaves(read_authority(ca)).issue(("deepseek.example",), NOW)
    assert certificate.not_valid_after_utc - NOW <= leaf.LIFE
    short = Leaves(make_authority(NAMES, NOW, title="Test", days=1))
    assert short.issue(("deepseek.example",), NOW).not_valid_after_utc == short._authority.ends


def test_certificates_are_shared_and_kept_within_a_bound(ca, monkeypatch):
    leaves = Leaves(read_authority(ca))
    first = leaves.context("deepseek.example", NOW)
    assert leaves.context("chat.deepseek.example", NOW) is first
    assert leaves.has("www.deepseek.example", NOW)
    assert leaves.context("a.b.deepseek.example", NOW) is not first
    assert leaves.context("deepseek.example", NOW + dt.timedelta(days=2, hours=13)) is not first
    monkeypatch.setattr(leaf, "MOST_KEPT", 3)
    for number in range(10):
        leaves.context(f"x.y{number}.deepseek.example", NOW)
    assert len(leaves) == 3


def test_renewing_keeps_key_and_subject(ca):
    before = read_authority(ca)
    after = make_authority((*NAMES, "new.example"), NOW, title="Other", before=before)
    assert after.certificate.subject == before.certificate.subject
    assert verify(ca, Leaves(after).issue(("deepseek.example",), NOW), "deepseek.example") == "OK"
    assert "permitted subtree" in verify(ca, Leaves(after).issue(("new.example",), NOW), "new.example")
    assert (before.covers("x.new.example"), after.covers("x.new.example")) == (False, True)


def test_broken_authorities_are_told(tmp_path, ca):
    assert read_authority(tmp_path) is None
    for name in (CERTIFICATE, KEY):
        (tmp_path / name).write_bytes((ca / name).read_bytes())
    (tmp_path / KEY).chmod(0o640)
    with pytest.raises(AuthorityError, match="others may read the key; run: chmod go="):
        read_authority(tmp_path)
    write_authority(tmp_path / "b", make_authority(NAMES, NOW, title="B"))
    (tmp_path / KEY).write_bytes((tmp_path / "b" / KEY).read_bytes())
    (tmp_path / KEY).chmod(0o600)
    with pytest.raises(AuthorityError, match=r"ca\.key is not the key of ca\.pem"):
        read_authority(tmp_path)
    (tmp_path / CERTIFICATE).write_text("nonsense")
    with pytest.raises(AuthorityError, match="is no authority of ours"):
        read_authority(tmp_path)
    with pytest.raises(AuthorityError, match="good for no name"):
        make_authority((), NOW, title="Test")
    with pytest.raises(AuthorityError, match="octets for 5000 names"):
        make_authority([f"a-rather-long-name-{number}.example" for number in range(5000)], NOW, title="Test")
    with pytest.raises(AuthorityError, match="cannot be written"):
        write_authority(tmp_path / CERTIFICATE / "x", make_authority(NAMES, NOW, title="Test"))


def trusting(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca / CERTIFICATE))


async def https(place, name: str, context: ssl.SSLContext) -> tuple[int, str]:
    """Read the page of a name over TLS, as a client that was led to it."""
    async with place.session.get(
        f"https://127.0.0.1:{place.https}/",
        headers={"Host": name, "Accept": "text/html"},
        ssl=context,
        server_hostname=name,
    ) as response:
        return response.status, await response.text()


async def test_page_over_tls_with_the_authority_trusted(ca):
    async with served(ca=ca) as place:
        for name in ("chat.deepseek.example", "deepseek.example", "a.b.c.deepseek.example"):
            status, page = await https(place, name, trusting(ca))
            assert (status, said(page)) == (403, f"{name} is blocked")


async def test_client_without_the_authority_refuses_by_itself(ca):
    async with served(ca=ca) as place:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await https(place, "chat.deepseek.example", ssl.create_default_context())
        assert (await https(place, "chat.deepseek.example", trusting(ca)))[0] == 403


@pytest.mark.parametrize("name", ["bank.example", "open.other.example", "notes.cloud.example", "192.0.2.1"])
async def test_names_that_are_not_blocked_or_not_of_the_catalogue_get_an_alert(ca, name):
    async with served(ca=ca) as place:
        began = asyncio.get_running_loop().time()
        with pytest.raises(aiohttp.ClientConnectorError, match="UNRECOGNIZED_NAME"):
            await https(place, name, trusting(ca))
        assert asyncio.get_running_loop().time() - began < 1


async def test_name_that_an_override_just_opened_is_told_so(ca):
    policy = make_policy(["block vendor:deepseek"], overrides=[override("exception vendor:deepseek", hours=99_999)])
    async with served(policy, ca=ca) as place:
        status, page = await https(place, "chat.deepseek.example", trusting(ca))
        assert (status, said(page)) == (503, "chat.deepseek.example is not blocked for you")


async def test_authority_is_taken_while_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("sinkhole.blockpage.handshake._LOOK_INTERVAL", 0.0)
    async with served(ca=tmp_path) as place:
        authority = make_authority(NAMES, NOW, title="Test")
        with pytest.raises(aiohttp.ClientError):
            await https(place, "deepseek.example", ssl.create_default_context())
        write_authority(tmp_path, authority)
        assert (await https(place, "deepseek.example", trusting(tmp_path)))[0] == 403
        (tmp_path / KEY).write_text("broken")
        with pytest.raises(aiohttp.ClientError):
            await https(place, "deepseek.example", trusting(tmp_path))


async def test_flood_of_invented_names_issues_few(ca):
    async with served(ca=ca) as place:
        context = trusting(ca)

        async def ask(number: int) -> bool:
            try:
                await https(place, f"x.y{number}.deepseek.example", context)
            except aiohttp.ClientError:
                return False
            return True

        answered = sum([await ask(number) for number in range(60)])
        assert 40 <= answered < 60
        assert (await https(place, "x.y1.deepseek.example", context))[0] == 403


async def test_form_over_tls(ca):
    async with served(ca=ca) as place:
        _, page = await https(place, "chat.deepseek.example", trusting(ca))
        fields = fields_of(page, "request") | {"reason": "r", "days": "7"}
        async with place.session.post(
            f"https://127.0.0.1:{place.https}/.sinkhole/request", data=fields, ssl=trusting(ca),
            headers={"Host": "chat.deepseek.example", "Origin": "https://chat.deepseek.example"},
            server_hostname="chat.deepseek.example",
        ) as response:  # fmt: skip
            assert response.status == 200
        assert len(place.desk.asked) == 1


@pytest.mark.skipif(not Path("/usr/bin/curl").exists(), reason="there is no curl")
async def test_curl_with_and_without_the_authority(ca):
    async with served(ca=ca) as place:

        async def curl(name: str, *words: str) -> int:
            process = await asyncio.create_subprocess_exec(
                "curl", "-s", "-m", "5", "-o", "/dev/null", "--connect-to", f"::127.0.0.1:{place.https}", *words,
                f"https://{name}/",
            )  # fmt: skip
            return await process.wait()

        assert await curl("chat.deepseek.example", "--cacert", str(ca / CERTIFICATE)) == 0
        assert await curl("chat.deepseek.example") == 60  # the certificate cannot be verified
        assert await curl("bank.example", "--cacert", str(ca / CERTIFICATE)) == 35  # the handshake was refused
