"""`sinkhole ca`: made once, renewed with its key, compared with the catalogue; its key is never printed."""

import datetime as dt
import stat

from cryptography import x509

from sinkhole.blockpage.authority import make_authority, read_authority, write_authority


def test_authority_is_made_shown_and_exported(run, tmp_path):
    assert run("ca", "show").sentence.endswith("there is no authority; make one with: sinkhole ca init")
    assert "no authority to renew" in run("ca", "init", "--renew").sentence
    done = run.good("ca", "init", "--days", "400", "--json").json
    assert done["count"] > 2000
    assert run("ca", "init").sentence.endswith("give --renew for new names, with its key")
    (noted,) = run.good("audit", "list", "authority", "--json").json
    assert noted["what"] == "block page authority made"
    assert done["sha256"] in str(run.good("audit", "show", str(noted["id"])).out)
    folder = run.folder / "ca"
    assert stat.S_IMODE((folder / "ca.key").stat().st_mode) == 0o600
    shown = run.good("ca", "show", "--names")
    assert done["sha256"] in shown.out
    assert "deepseek.com" in shown.lines
    file = tmp_path / "out.pem"
    run.good("ca", "export", "-o", file)
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    assert certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > dt.timedelta(days=399)
    run.good("ca", "export", "--der", "-o", file)
    assert x509.load_der_x509_certificate(file.read_bytes()) == certificate
    told = run.good("ca", "export", "--json").json
    assert (told["sha256"], "PRIVATE" in told["pem"]) == (done["sha256"], False)
    assert run("ca", "export", "-o", tmp_path / "none" / "x").sentence.endswith("No such file or directory")


def test_renewing_keeps_the_key_and_takes_the_names_of_today(run):
    folder = run.folder / "ca"
    write_authority(folder, make_authority(["old.example"], dt.datetime.now(dt.UTC), title="Test", days=30))
    before = read_authority(folder)
    done = run("ca", "status")
    assert done.status == 1
    assert "that it is not good for" in done.out
    assert "it is good for 1 name that the catalogue has no longer (old.example)" in done.out
    assert "the authority ends on" in done.out
    run.good("ca", "init", "--renew")
    after = read_authority(folder)
    assert after.key.private_numbers() == before.key.private_numbers()
    done = run.good("ca", "status", "--json").json
    assert (done["current"], done["outside"], done["left_over"]) == (True, [], [])


def test_hits_find_tells_what_is_no_reference(run):
    assert run("hits", "find", "x").sentence == "'x' is no reference such as 0DJ4K-9Q2MV-7TXPA"
    done = run("hits", "find", "0DJ4K-9Q2MV-7TXPA")
    assert (done.status, done.out) == (1, "")
    assert "no hit is kept" in done.error
