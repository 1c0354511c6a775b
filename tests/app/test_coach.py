"""Coaching: who may go on, and who may not."""

import multiprocessing
import stat
from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.app import data_dir
from sinkhole.app.coach import issue, redeem, unseen
from sinkhole.app.notice import KEY_FILE
from sinkhole.app.state import compile_state, open_state, policy_in_force
from sinkhole.errors import PolicyError, StoreError
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.token import TokenError
from sinkhole.policy.verdict import NO_MATCH, Action, BlockAnswer, BlockMode
from sinkhole.protocol.names import name_from_text
from tests.app.test_doctor import settings_of

CLIENT, OTHER = "192.0.2.7", "192.0.2.8"
NOW = datetime.now(UTC).replace(microsecond=0)
DEEPSEEK = Subject.from_text("vendor:deepseek")


@pytest.fixture
def state(tmp_path):
    data_dir.prepare(tmp_path)
    found = open_state(settings_of(tmp_path, blocking__ipv4="192.0.2.250"), who="admin")
    found.policy.put(Statement(0, DEEPSEEK, Action.COACH))
    compile_state(found)
    yield found
    found.close()


def decide(state, client: str = CLIENT, when: datetime | None = None, name: str = "chat.deepseek.com"):
    compile_state(state)
    policy = policy_in_force(state.settings)
    return policy.decide(name_from_text(name), 1, policy.scope_of(client), when or datetime.now(UTC))


def test_grant_lets_one_client_go_on_for_its_time(state):
    verdict = decide(state)
    assert (verdict.action, verdict.subject) == (Action.COACH, "vendor:deepseek")
    grant = redeem(state, issue(state, verdict, CLIENT), CLIENT)
    assert (grant.client, grant.subjects) == (CLIENT, (DEEPSEEK,))
    assert timedelta(minutes=59) < grant.ends - datetime.now(UTC) <= timedelta(minutes=60)
    assert (decide(state).action, decide(state).override) == (Action.MONITOR, grant.name)
    assert decide(state, OTHER).action is Action.COACH
    assert decide(state, when=grant.ends).action is Action.COACH
    assert decide(state, name="chatgpt.com").action is Action.BLOCK


def test_setting_says_how_long(tmp_path, state):
    short = open_state(settings_of(tmp_path, coach__minutes=5), who="admin")
    assert redeem(short, issue(short, decide(state), CLIENT, NOW), CLIENT, NOW).ends == NOW + timedelta(minutes=5)
    short.close()


def test_addresses_are_compared_as_addresses(state):
    token = issue(state, decide(state), "::ffff:192.0.2.7")
    assert redeem(state, token, CLIENT).client == CLIENT
    token = issue(state, decide(state, OTHER), "2001:DB8:0::7%eth0")
    assert redeem(state, token, "2001:db8::7").client == "2001:db8::7"


def test_token_is_good_once(state):
    token = issue(state, decide(state), CLIENT)
    redeem(state, token, CLIENT)
    with pytest.raises(PolicyError, match="used before"):
        redeem(state, token, CLIENT)
    assert len(state.overrides.in_force(datetime.now(UTC))) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1], lambda token: "", lambda token: token + "=", lambda token: token.replace("1", "2"),
        lambda token: "é" + token, lambda token: token.swapcase(), lambda token: token * 100,
        lambda token: token.rpartition(".")[2], lambda token: " " + token,
    ],
)  # fmt: skip
def test_forged_token_grants_nothing(state, change):
    token = issue(state, decide(state), CLIENT)
    with pytest.raises(TokenError):
        redeem(state, change(token), CLIENT)
    assert state.overrides.in_force(NOW) == ()


def test_token_of_another_client_or_too_old_grants_nothing(state):
    token = issue(state, decide(state), CLIENT, NOW)
    with pytest.raises(TokenError):
        redeem(state, token, OTHER, NOW)
    with pytest.raises(TokenError, match="too old"):
        redeem(state, token, CLIENT, NOW + timedelta(minutes=10))
    with pytest.raises(PolicyError, match="is no address"):
        redeem(state, token, "nobody", NOW)
    assert state.overrides.in_force(NOW) == ()
    redeem(state, token, CLIENT, NOW + timedelta(minutes=9))


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.policy.put(Statement(0, DEEPSEEK, Action.BLOCK)),
        lambda state: state.policy.put(Statement(0, DEEPSEEK, Action.COACH, expires=NOW)),
        lambda state: state.policy.remove(DEEPSEEK, None),
        lambda state: (state.policy.remove(DEEPSEEK, None), state.policy.put(Statement(0, DEEPSEEK, Action.COACH))),
    ],
)
def test_statement_must_still_coach(state, change):
    token = issue(state, decide(state), CLIENT)
    change(state)
    with pytest.raises(PolicyError, match="no longer a matter of reading a notice"):
        redeem(state, token, CLIENT)
    assert state.overrides.in_force(NOW) == ()


def test_token_is_for_what_is_coached_alone(state):
    for verdict in (NO_MATCH, decide(state, name="chatgpt.com")):
        with pytest.raises(PolicyError, match="is for a name that is coached"):
            issue(state, verdict, CLIENT)
    with pytest.raises(PolicyError, match="'nobody' is no address"):
        issue(state, decide(state), "nobody")


def test_key_is_made_at_first_use_for_the_owner_alone(state, tmp_path):
    key = tmp_path / KEY_FILE
    assert not key.exists()
    token = issue(state, decide(state), CLIENT)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32
    key.unlink()
    with pytest.raises(TokenError):
        redeem(state, token, CLIENT)
    key.write_bytes(b"short")
    with pytest.raises(StoreError, match="the key of coaching has 5 octets"):
        issue(state, decide(state), CLIENT)


def _redeem(folder, token, results) -> None:
    state = open_state(settings_of(folder), who="page")
    try:
        redeem(state, token, CLIENT)
        results.put("granted")
    except PolicyError as error:
        results.put(str(error))
    finally:
        state.close()


def test_of_several_processes_one_grants(state, tmp_path):
    token = issue(state, decide(state), CLIENT)
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    processes = [spawn.Process(target=_redeem, args=(tmp_path, token, results)) for _ in range(3)]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
    assert found == ["granted", "the token was used before", "the token was used before"]


def test_coaching_that_nobody_sees_is_told():
    groups = [Group("seen", (), answer=BlockAnswer(BlockMode.NXDOMAIN, "192.0.2.9", None)), Group("as-server", ())]
    said = [Statement(1, DEEPSEEK, Action.COACH, group) for group in (None, "seen", "as-server")]
    said.append(Statement(2, DEEPSEEK, Action.BLOCK))
    found = unseen(said, groups, BlockAnswer())
    assert [line.partition(",")[0] for line in found] == [
        "vendor:deepseek is coached for all", "vendor:deepseek is coached for group:as-server",
    ]  # fmt: skip
    groups.append(Group("mode-alone", (), answer=BlockAnswer(BlockMode.NODATA)))
    said.append(Statement(3, DEEPSEEK, Action.COACH, "mode-alone"))
    assert len(unseen(said, groups, BlockAnswer())) == 3
    assert unseen(said, groups, BlockAnswer(ipv4="192.0.2.250", ipv6=None)) == []
