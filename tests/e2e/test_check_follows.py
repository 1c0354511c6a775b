"""`check` says what DNS says, also where it is the answer of a name that leads to something blocked."""

import pytest

from tests.e2e.conftest import TRUE_ADDRESS, UpstreamThread
from tests.e2e.running import Server, running, sinkhole, sinkhole_json
from tests.fakes import FakeUpstream, answers

ALIASED = {
    ("alias.example.org", "CNAME"): ["chat.deepseek.com"],
    ("chat.deepseek.com", "A"): [TRUE_ADDRESS],
    ("example.org", "A"): [TRUE_ADDRESS],
}


@pytest.fixture
def aliased(tmp_path):
    with (
        UpstreamThread(FakeUpstream(answers(ALIASED))) as upstream,
        running(tmp_path / "data", upstream=upstream.port) as server,
    ):
        yield server


def test_name_whose_answer_leads_to_a_blocked_one(aliased: Server):
    """R-O12, R-B06: the explanation is what happens, through the chain too."""
    assert aliased.addresses("alias.example.org") == ["0.0.0.0"]
    explained = sinkhole_json("check", "alias.example.org", data_dir=aliased.data_dir)
    assert explained["outcome"] == "BLOCK"
    assert explained["verdict"]["via"] == "chat.deepseek.com"
    assert "chat.deepseek.com, which its answer leads to" in aliased.cli("check", "alias.example.org").stdout
    assert sinkhole_json("check", "example.org", data_dir=aliased.data_dir)["note"] is None


def test_without_a_server_it_says_what_it_did_not_do(tmp_path):
    said = sinkhole("check", "alias.example.org", data_dir=tmp_path / "data").stdout
    assert "judged by its name alone" in said
    assert said.strip().splitlines()[-1] == "NONE"


@pytest.mark.parametrize("pasted", ["https://chat.deepseek.com/sign_in?x=1", "chat.deepseek.com/x", "", "a@b.example"])
def test_what_is_no_name_is_refused(tmp_path, pasted):
    done = sinkhole("check", pasted, data_dir=tmp_path / "data", check=False)
    assert done.returncode == 2
    assert "wanted a name such as chat.example.org" in done.stderr
