"""Signatures in the form of minisign: what we sign the tool verifies, what it signs we verify, and nothing else."""

import base64
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.catalogue.signature import MAX_OCTETS, PublicKey, Signature, key_id_text, verify
from sinkhole.catalogue.signing_key import SigningKey
from sinkhole.errors import CatalogueError
from tests.catalogue.minisign import minisign, needs_minisign

KEY = SigningKey(bytes(range(8)), bytes(range(32)))
COMMENT = "timestamp:1\tfile:catalogue.json — grüße"
TOOLS_PUBLIC = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
"""The key of minisign's own releases, as its manual prints it."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.json"
    path.write_bytes(b'{"sinkhole": 1}\n' * 1000)
    return path


def signed(file: Path, key: SigningKey = KEY, comment: str = COMMENT) -> bytes:
    return key.sign(file, comment).to_octets("signed in a test")


def refusal(file: Path, signature: bytes, key: PublicKey = KEY.public) -> str:
    with pytest.raises(CatalogueError) as caught:
        verify(file, Signature.from_octets(signature), key)
    return str(caught.value)


def test_what_we_sign_we_verify(file):
    assert verify(file, Signature.from_octets(signed(file)), KEY.public) == COMMENT


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_any_size_can_be_signed(tmp_path, size):
    path = tmp_path / "x"
    path.write_bytes(b"x" * size)
    assert verify(path, Signature.from_octets(signed(path)), KEY.public) == COMMENT


@needs_minisign
def test_tool_verifies_what_we_sign(file, tmp_path):
    KEY.write(tmp_path / "our.key")
    file.with_name("catalogue.json.minisig").write_bytes(signed(file))
    for how in (("-p", tmp_path / "our.key.pub"), ("-P", KEY.public.to_text())):
        done = minisign("-V", "-H", "-m", file, *how)
        assert done.returncode == 0, done.stderr
        assert COMMENT in done.stdout
    file.write_bytes(b"another")
    assert minisign("-V", "-m", file, "-P", KEY.public.to_text()).returncode != 0


@needs_minisign
def test_tool_signs_with_our_key(file, tmp_path):
    KEY.write(tmp_path / "our.key")
    done = minisign("-S", "-s", tmp_path / "our.key", "-m", file, "-t", "by the tool")
    assert done.returncode == 0, done.stderr
    signature = Signature.from_octets(file.with_name("catalogue.json.minisig").read_bytes())
    assert verify(file, signature, KEY.public) == "by the tool"


@needs_minisign
def test_we_read_and_use_the_keys_of_the_tool(file, tmp_path):
    """A key made by the tool without a password signs with us; the tool verifies it; and we what it signs."""
    secret, public = tmp_path / "its.key", tmp_path / "its.pub"
    assert minisign("-G", "-W", "-s", secret, "-p", public).returncode == 0
    key = SigningKey.read(secret)
    assert key.public == PublicKey.from_text(public.read_text())
    assert key_id_text(key.id) in public.read_text()
    file.with_name("catalogue.json.minisig").write_bytes(signed(file, key))
    assert minisign("-V", "-m", file, "-p", public).returncode == 0
    assert minisign("-S", "-s", secret, "-m", file).returncode == 0
    signature = Signature.from_octets(file.with_name("catalogue.json.minisig").read_bytes())
    assert "catalogue.json" in verify(file, signature, key.public)


@needs_minisign
def test_signature_of_the_old_kind_is_refused_with_what_to_do(file, tmp_path):
    KEY.write(tmp_path / "our.key")
    assert minisign("-S", "-l", "-s", tmp_path / "our.key", "-m", file).returncode == 0
    old = file.with_name("catalogue.json.minisig").read_bytes()
    assert refusal(file, old) == "signature: is of the old kind, which signs no digest; sign without -l"


def test_public_key_of_another_program():
    key = PublicKey.from_text(f"untrusted comment: minisign public key\n{TOOLS_PUBLIC}\n")
    assert key == PublicKey.from_text(TOOLS_PUBLIC)
    assert key.to_text() == TOOLS_PUBLIC
    assert key_id_text(key.id) == "E7620F1842B4E81F"


def test_another_key_is_told_apart(file):
    other = SigningKey.new()
    assert refusal(file, signed(file), other.public) == (
        f"signature: was made with key 706050403020100, wanted {key_id_text(other.id)}"
    )
    forged = SigningKey(KEY.id, other.seed)  # the id of a key is no secret
    assert refusal(file, signed(file, forged)) == "signature: the file is not the one that was signed"


def test_each_octet_counts(file):
    """The file, the comment, and either signature: a changed one is refused, whatever it is changed to."""
    octets = signed(file)
    before = file.read_bytes()
    for at in (0, 500, len(before) - 1):
        file.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
        assert "the file is not the one" in refusal(file, octets)
    file.write_bytes(before[:-1])
    assert "the file is not the one" in refusal(file, octets)
    file.write_bytes(before)
    assert "the trusted comment is not the one" in refusal(file, octets.replace(b"timestamp:1", b"timestamp:2"))
    lines = octets.split(b"\n")
    for line in (1, 3):
        raw = bytearray(base64.b64decode(lines[line]))
        raw[-1] ^= 1
        changed = [*lines[:line], base64.b64encode(raw), *lines[line + 1 :]]
        assert "is not the one that was signed" in refusal(file, b"\n".join(changed))


def test_untrusted_comment_and_line_ends_do_not_count(file):
    octets = signed(file).replace(b"signed in a test", b"whatever")
    for form in (octets, octets.replace(b"\n", b"\r\n"), octets.rstrip(b"\n")):
        assert verify(file, Signature.from_octets(form), KEY.public) == COMMENT


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: b"", "wanted the four lines"),
        (lambda s: b"<html>404</html>", "wanted the four lines"),
        (lambda s: s + b"more\n", "wanted the four lines"),
        (lambda s: s.replace(b"untrusted", b"Untrusted"), "wanted the four lines"),
        (lambda s: s.replace(b"signed in a test", b"x" * MAX_OCTETS), "wanted the four lines"),
        (lambda s: s.replace(b"\ntrusted", b"\nTrusted"), "line 3: wanted a trusted comment"),
        (lambda s: b"\xff" + s, "is not UTF-8"),
        (lambda s: s.replace(b"\nRU", b"\n!!"), "line 2: is not base64"),
        (lambda s: s.replace(b"\nRU", b"\nAA"), "line 2: is of another kind"),
        (lambda s: b"\n".join([*s.split(b"\n")[:3], b"AAAA"]), "line 4: wanted 64 octets, found 3"),
    ],
)
def test_what_is_no_signature_is_said(file, change, said):
    assert said in refusal(file, change(signed(file)))


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_octets_are_a_signature_or_refused(octets):
    for text in (octets, b"untrusted comment: x\n" + octets):
        with suppress(CatalogueError):
            Signature.from_octets(text)


@given(st.text(max_size=80) | st.text("RWabc+/=09", min_size=50, max_size=60))
def test_any_text_is_a_key_or_refused(text):
    with suppress(CatalogueError):
        assert len(PublicKey.from_text(text).to_text()) == 56


def test_secret_key_is_for_its_owner_alone_and_never_overwritten(tmp_path):
    path = tmp_path / "our.key"
    public = KEY.write(path)
    assert public == tmp_path / "our.key.pub"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.read(path) == KEY
    before = path.read_bytes(), public.read_bytes()
    with pytest.raises(CatalogueError, match=r"our\.key\.pub: is there already"):
        SigningKey.new().write(path)
    public.unlink()
    with pytest.raises(CatalogueError, match=r"our\.key: is there already"):
        SigningKey.new().write(path)
    assert path.read_bytes() == before[0]
    assert not public.exists()
    with pytest.raises(CatalogueError, match="cannot be written"):
        KEY.write(tmp_path / "none" / "our.key")


def test_key_with_a_password_is_left_to_the_tool(tmp_path):
    path = tmp_path / "our.key"
    KEY.write(path)
    comment, line = path.read_text().splitlines()
    octets = bytearray(base64.b64decode(line))
    octets[2:4] = b"Sc"
    path.write_text(f"{comment}\n{base64.b64encode(octets).decode()}\n")
    with pytest.raises(CatalogueError, match="has a password, which only minisign itself asks for"):
        SigningKey.read(path)


@pytest.mark.parametrize("at", [60, 70, 100, 130])
def test_damaged_key_is_not_used(tmp_path, at):
    path = tmp_path / "our.key"
    KEY.write(path)
    comment, line = path.read_text().splitlines()
    octets = bytearray(base64.b64decode(line))
    octets[at] ^= 1
    path.write_text(f"{comment}\n{base64.b64encode(octets).decode()}\n")
    with pytest.raises(CatalogueError, match="is damaged"):
        SigningKey.read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("", "in two lines"),
        ("untrusted comment: x\nAAAA\n", "wanted 158 octets"),
        (f"untrusted comment: x\n{base64.b64encode(bytes(158)).decode()}\n", "is no secret key of minisign"),
        (f"untrusted comment: x\n{TOOLS_PUBLIC}\n", "wanted 158 octets"),
    ],
)
def test_what_is_no_secret_key_is_said(tmp_path, text, said):
    path = tmp_path / "our.key"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CatalogueError, match=said):
        SigningKey.read(path)
