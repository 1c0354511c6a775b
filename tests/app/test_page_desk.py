"""The block page's desk: what it grants, what it stores, and what it refuses whatever the page says."""

from datetime import UTC, datetime

import pytest

from sinkhole.app import data_dir
from sinkhole.app.coach import issue
from sinkhole.app.hit_reference import find_reference
from sinkhole.app.notice import notice_key
from sinkhole.app.page_desk import MOST_ADDRESSES, MOST_OPEN_OF_CLIENT, PageDesk
from sinkhole.app.page_facts import publish_facts
from sinkhole.app.page_link import ASK, GO_ON
from sinkhole.app.state import compile_state, open_state, policy_in_force
from sinkhole.blockpage.facts import NAME, FactsFile, read_facts
from sinkhole.blockpage.reference import reference_of
from sinkhole.errors import PolicyError, SinkholeError
from sinkhole.policy.exception import ExceptionState
from sinkhole.policy.hit import HitRow
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.token import TokenError
from sinkhole.policy.verdict import Action
from sinkhole.protocol.names import name_from_text
from sinkhole.store.audit import entries
from sinkhole.store.pseudonym import client_writer
from sinkhole.store.recorder import HitBatch, Recorder
from tests.app.test_doctor import settings_of

CLIENT = "192.0.2.7"


@pytest.fixture
def state(tmp_path):
    data_dir.prepare(tmp_path)
    found = open_state(settings_of(tmp_path, blocking__ipv4="192.0.2.250"), who="admin")
    found.policy.put(Statement(0, Subject.from_text("vendor:deepseek"), Action.COACH))
    compile_state(found)
    yield found
    found.close()


class Keeper:
    """Gives the state at once; notes how often something was put in force."""

    def __init__(self, state) -> None:
        self.state = state
        self.applied = 0

    async def do(self, work):
        return work(self.state)

    async def apply(self) -> None:
        self.applied += 1


def desk_of(keeper: Keeper, machine=lambda address: (address,), names=lambda address: None) -> PageDesk:
    return PageDesk(keeper, machine, names, keeper.apply)


def token_of(state, client: str = CLIENT) -> str:
    policy = policy_in_force(state.settings)
    verdict = policy.decide(name_from_text("chat.deepseek.com"), 1, policy.scope_of(client), datetime.now(UTC))
    return issue(state, verdict, client)


def request_of(**changed) -> dict:
    wanted = {"op": ASK, "client": CLIENT, "subject": "product:deepseek/chat", "reason": "r", "days": 7}
    return wanted | {"reference": "0DJ4K-9Q2MV-7TXPA"} | changed


def grants(state) -> list[str]:
    return [one.client for one in state.overrides.in_force(datetime.now(UTC))]


async def test_grant_is_for_all_addresses_of_the_machine(state):
    keeper = Keeper(state)
    machine = (CLIENT, "2001:db8::7", "fe80::7")
    desk = desk_of(keeper, lambda address: machine)
    assert desk.knows(GO_ON)
    assert not desk.knows("apply")
    token = token_of(state)
    done = await desk.answer({"op": GO_ON, "token": token, "client": CLIENT})
    assert datetime.fromisoformat(done["until"]) > datetime.now(UTC)
    assert sorted(grants(state)) == sorted(machine)
    assert keeper.applied == 1


async def test_second_reading_grants_nothing_new(state):
    """A double click, or a heap of tokens that somebody collected: no second generation of policy."""
    keeper = Keeper(state)
    desk = desk_of(keeper)
    first, second = token_of(state), token_of(state)
    done = [await desk.answer({"op": GO_ON, "token": token, "client": CLIENT}) for token in (first, first, second)]
    assert len({one["until"] for one in done}) == 1
    assert (grants(state), keeper.applied) == ([CLIENT], 1)


async def test_device_that_answers_for_many_gets_a_grant_for_itself_alone(state):
    many = (CLIENT, *(f"198.51.100.{n}" for n in range(MOST_ADDRESSES)))
    keeper = Keeper(state)
    await desk_of(keeper, lambda address: many).answer({"op": GO_ON, "token": token_of(state), "client": CLIENT})
    assert grants(state) == [CLIENT]


async def test_forged_tokens_grant_nothing(state):
    keeper = Keeper(state)
    desk = desk_of(keeper)
    for token, client in (("", CLIENT), ("1.2.x.y", CLIENT), (token_of(state), "192.0.2.8")):
        with pytest.raises(TokenError):
            await desk.answer({"op": GO_ON, "token": token, "client": client})
    with pytest.raises(PolicyError, match="is no address"):
        await desk.answer({"op": GO_ON, "token": token_of(state), "client": "nobody"})
    assert (grants(state), keeper.applied) == ([], 0)


async def test_request_waits_for_someone_and_is_noted(state):
    keeper = Keeper(state)
    desk = desk_of(keeper, names=lambda address: "pc7.example.org")
    assert (await desk.answer(request_of()))["number"] == 1
    (stored,) = state.exceptions.all()
    assert (stored.state, stored.client, str(stored.subject)) == (
        ExceptionState.REQUESTED, CLIENT, "product:deepseek/chat",
    )  # fmt: skip
    assert (stored.owner, stored.ticket, stored.reason) == ("pc7.example.org", "0DJ4K-9Q2MV-7TXPA", "r")
    assert keeper.applied == 0
    with state.store.reading() as connection:
        last = max(entries(connection), key=lambda entry: entry.id)
    assert last.who == "block page"


async def test_same_request_again_is_the_same(state):
    desk = desk_of(Keeper(state))
    numbers = [(await desk.answer(request_of(reason=str(n))))["number"] for n in range(3)]
    assert numbers == [1, 1, 1]
    assert len(state.exceptions.all()) == 1


async def test_few_requests_of_a_client_wait(state):
    desk = desk_of(Keeper(state))
    for number in range(MOST_OPEN_OF_CLIENT):
        await desk.answer(request_of(subject=f"domain:n{number}.example"))
    with pytest.raises(PolicyError, match="too many requests"):
        await desk.answer(request_of())
    assert (await desk.answer(request_of(client="192.0.2.8")))["number"] == MOST_OPEN_OF_CLIENT + 1
    state.exceptions.deny(1, datetime.now(UTC))
    await desk.answer(request_of())


@pytest.mark.parametrize(
    "changed",
    [{"subject": "ai"}, {"subject": "vendor:deepseek"}, {"subject": "x"}, {"client": "x"}, {"reason": " "},
     {"days": "7"}, {"days": 9999}, {"days": -1}],
)  # fmt: skip
async def test_nonsense_is_refused(state, changed):
    with pytest.raises(SinkholeError):
        await desk_of(Keeper(state)).answer(request_of(**changed))
    assert state.exceptions.all() == ()


def test_facts_are_written_once_for_the_same_names(state):
    folder = state.folder / "compiled"
    file = FactsFile(folder)
    assert file().vendors == {}
    assert publish_facts(state)
    assert not publish_facts(state)
    facts = file()
    assert facts.vendors["deepseek"] == "DeepSeek"
    assert facts.products["deepseek/chat"].host == "deepseek.com"
    assert "chat" in facts.products["deepseek/chat"].categories
    assert file() is facts
    for broken in ("", "[]", '{"format": 9}', '{"format": 1}', '{"format": 1, "products": {"x": 1}}'):
        (folder / NAME).write_text(broken)
        assert read_facts(folder).vendors == {}
    assert publish_facts(state)


def record(state, *rows: tuple[str, str, int]) -> None:
    written = Recorder(state.store, client_writer(state.settings.record.clients, state.folder))
    hits = [
        HitRow(minute, client, None, name, 1, "block", "deepseek", None, None, None, 1, minute * 60, minute * 60)
        for client, name, minute in rows
    ]  # fmt: skip
    assert written.write(HitBatch("w", 1, tuple(hits), 0))


def test_reference_leads_to_the_hits_of_client_and_name(state):
    minute = int(datetime.now(UTC).timestamp()) // 60
    record(
        state, (CLIENT, "chat.deepseek.com", minute), (CLIENT, "api.deepseek.com", minute),
        ("192.0.2.8", "chat.deepseek.com", minute), (CLIENT, "chat.deepseek.com", minute - 200),
    )  # fmt: skip
    key = notice_key(state.folder)
    found = find_reference(state, str(reference_of(key, CLIENT, "chat.deepseek.com", minute)).lower())
    assert [(line.hit.client, line.hit.name, line.hit.minute) for line in found.lines] == [
        (CLIENT, "chat.deepseek.com", minute)
    ]
    assert found.is_same_client
    other = find_reference(state, str(reference_of(key, "2001:db8::7", "chat.deepseek.com", minute)))
    assert ({line.hit.client for line in other.lines}, other.is_same_client) == ({CLIENT, "192.0.2.8"}, False)
    assert find_reference(state, str(reference_of(key, CLIENT, "chatgpt.com", minute))).lines == ()
    with pytest.raises(PolicyError, match="is no reference"):
        find_reference(state, "x\x1b[31m")


def test_reference_leads_to_hits_of_pseudonyms(tmp_path):
    data_dir.prepare(tmp_path)
    state = open_state(settings_of(tmp_path, record__clients="pseudonym"))
    record(state, (CLIENT, "chat.deepseek.com", 29_000_000))
    stored = client_writer("pseudonym", tmp_path)(CLIENT)
    reference = reference_of(notice_key(tmp_path), stored, "chat.deepseek.com", 29_000_000)
    found = find_reference(state, str(reference))
    assert ([line.hit.client for line in found.lines], found.is_same_client) == ([stored], True)
    state.close()
