"""What every page has, and what pages that change something do: shown on one that adds a statement."""

import time
from dataclasses import replace

import pytest
from pydantic import Field

from sinkhole.app.rights import Right
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.verdict import Action
from sinkhole.store.alert_store import Alert, AlertStore
from sinkhole.web.actor import Actor
from sinkhole.web.api.policy import StatementBody, add_statement, statement_before
from sinkhole.web.flashes import Flash, Flashes
from sinkhole.web.model import Forced, Model
from sinkhole.web.pages.change import Done, Guard, body_of, change, version_of
from sinkhole.web.pages.render import make_environment
from sinkhole.web.pages.route import PageRoute, View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.pages.strip import store_trouble
from sinkhole.web.problem import problem
from sinkhole.web.repeats import Made, Repeats, key_of

BODY = {"subject": "domain:example.org", "action": "block"}


def current(state):
    return statement_before(state, StatementBody(**BODY))


class Asked(Model):
    word: str = Field("", max_length=3)


def show(state, query: Asked):
    return View("problem.html", {"problem": problem(200, f"version {version_of(current(state))} word {query.word}")})


async def save(request):
    form = await form_of(request, "action", "reason", "version", "force")

    def work(state):
        body = body_of(StatementBody, {"subject": BODY["subject"], "action": form["action"], "reason": form["reason"]})
        notes = []
        stored = add_statement(state, body, Forced(force=bool(form["force"])), notes)
        return Done("/account", f"Said {stored.action} of {stored.subject}", tuple(notes))

    def again(state, refused):
        text = f"{refused.said} typed={form['reason']} expectation={refused.is_expectation} stale={refused.is_stale}"
        return View("problem.html", {"problem": problem(422, text)})

    return await change(request, work, again, Guard(form["version"], current))


PAGES_BESIDE = (
    PageRoute("GET", "/trial", Right.MANAGE, "policy", show, menu="Trial"),
    PageRoute("POST", "/trial", Right.MANAGE, "policy", save),
)


@pytest.fixture(scope="module")
def browser(site):
    site.account("changer")
    with site.browser("changer") as found:
        yield found


def version(browser):
    return browser.get("/trial").text.partition("version ")[2].partition(" ")[0]


def test_change_is_made_and_told_once(site, browser):
    done = browser.post("/trial", data={"action": "block", "reason": "<b>", "version": version(browser)})
    assert (done.status_code, done.headers["Location"]) == (303, "/account")
    with site.browser("changer") as other:
        assert "Said block" not in other.get("/account").text, "another session is not told"
    page = browser.get("/account").text
    assert "Said block of domain:example.org" in page
    assert "stored as generation" in page
    assert "Said block" not in browser.get("/account").text
    entry = browser.get("/api/v1/audit").json()["items"][0]
    assert (entry["who"], entry["origin"]) == ("admin changer", "web from 127.0.0.1")


def test_what_is_refused_is_shown_with_what_was_typed(browser):
    sent = {"action": "destroy", "reason": "\u202ekept<i>", "version": version(browser)}
    refused = browser.post("/trial", data=sent)
    assert refused.status_code == 422
    assert "action: wanted" in refused.text
    assert r"typed=\u202ekept&lt;i&gt;" in refused.text
    assert browser.post("/trial", data=sent | {"other": "1"}).status_code == 400


def test_second_of_two_who_change_the_same_is_told(browser):
    seen = version(browser)
    assert browser.post("/trial", data={"action": "monitor", "reason": "1", "version": seen}).status_code == 303
    late = browser.post("/trial", data={"action": "allow", "reason": "2", "version": seen})
    assert late.status_code == 412
    assert "somebody else changed it meanwhile" in late.text
    assert "stale=True" in late.text
    assert seen != version(browser)


def test_same_form_twice_is_told_that_it_was_done(browser):
    """A double click: the second answer is about what the first did, not about somebody else."""
    sent = {"action": "block", "reason": "twice", "version": version(browser)}
    assert browser.post("/trial", data=sent).status_code == 303
    browser.get("/account")
    again = browser.post("/trial", data=sent)
    assert (again.status_code, again.headers["Location"]) == (303, "/account")
    assert "This was done already" in browser.get("/account").text
    other = sent | {"action": "monitor", "version": version(browser)}
    assert browser.post("/trial", data=other).status_code == 303
    assert browser.post("/trial", data=sent).status_code == 412, "it is no longer as the form made it"


def test_forms_that_came_are_forgotten_in_time_and_bounded():
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    for number in range(600):
        repeats.note(key_of("a", "/x", [("n", str(number))]), Made(str(number), "/"))
    assert repeats.find(key_of("a", "/x", [("n", "599")])) == Made("599", "/")
    assert repeats.find(key_of("a", "/x", [("n", "0")])) is None
    assert repeats.find(key_of("b", "/x", [("n", "599")])) is None
    now[0] = 301.0
    assert repeats.find(key_of("a", "/x", [("n", "599")])) is None


def test_broken_expectation_can_be_overruled(site, browser):
    assert browser.post("/api/v1/policy/statements", json=BODY | {"action": "monitor"}).status_code == 201
    with site.state() as state:
        state.expectations.replace([Expectation("example.org", Action.MONITOR)])
    sent = {"action": "block", "reason": "", "version": version(browser)}
    refused = browser.post("/trial", data=sent)
    assert refused.status_code == 409
    assert "expectation=True" in refused.text
    assert browser.post("/trial", data=sent | {"force": "1"}).status_code == 303
    with site.state() as state:
        state.expectations.replace([])


def test_navigation_has_what_one_may_open(site, browser):
    assert '<a href="/trial" aria-current="page">Trial</a>' in browser.get("/trial").text
    site.account("looker", "read")
    with site.browser("looker") as other:
        assert "/trial" not in other.get("/").text
        refused = other.get("/trial")
        assert refused.status_code == 403
        assert "Overview" in refused.text, "who may not open it is still somebody, and finds back"


def test_query_is_validated_and_empty_fields_say_nothing(browser):
    assert "word abc" in browser.get("/trial?word=abc").text
    assert browser.get("/trial?word=").status_code == 200
    for wrong in ("word=abcd", "other=1", "word=a&word=b"):
        found = browser.get(f"/trial?{wrong}")
        assert found.status_code == 400
        assert "query" not in found.text


def test_pause_and_lockdown_are_told_on_every_page(site, browser):
    assert "Lockdown" not in browser.get("/account").text
    begun = browser.post("/api/v1/overrides/lockdown", json={"minutes": 5, "reason": "<u>exam"})
    number = begun.json()["result"]["id"]
    page = browser.get("/account").text
    assert "Lockdown: &lt;u&gt;exam" in page
    assert browser.delete(f"/api/v1/overrides/lockdown/{number}").status_code == 200
    assert "Lockdown" not in browser.get("/account").text


def test_lost_queries_and_a_broken_store_are_told(site, browser):
    with site.state() as state:
        AlertStore(state.store).put(Alert(0, int(time.time()), "recorder-dropping", "x", "t", {"queries": 1234}), 60)
    assert "1,234 queries of the last hour could not be recorded" in browser.get("/account").text
    told = replace(site.context, status=lambda: {"store": "store <x>: the disk is full"})
    (trouble,) = store_trouble(told)
    assert trouble.said.startswith("Store <x>: the disk is full. Answers go on, and what is asked waits")
    assert trouble.tone == "bad"
    assert store_trouble(site.context) == ()


def test_long_choice_is_typed_and_offers_what_fits():
    """Nobody scrolls through a thousand groups."""
    template = make_environment().from_string(
        '{% import "parts/form.html" as form %}{{ form.choice("group", "For", many, none, any="All") }}'
    )
    short = template.render(many=[(f"g{n}", f"g{n}") for n in range(200)])
    assert (short.count("<option"), "<select" in short) == (201, True)
    long = template.render(many=[("all", "All clients"), *((f"g{n}", f"g{n}") for n in range(200))])
    assert '<input id="group" name="group" type="text" value="" list="group-list"' in long
    assert '<option value="all">All clients</option>' in long
    assert "<select" not in long


def test_flashes_are_bounded_and_end():
    now = [0.0]
    flashes, actor = Flashes(lambda: now[0]), Actor("a", ())
    flashes.put(actor, *(Flash(str(number)) for number in range(20)))
    assert [one.said for one in flashes.take(actor)] == [str(number) for number in range(12, 20)]
    assert flashes.take(actor) == ()
    flashes.put(actor, Flash("late"))
    now[0] = 300.0
    assert flashes.take(actor) == ()
    for number in range(600):
        flashes.put(Actor(f"p{number}", ()), Flash("x"))
    assert flashes.take(Actor("p0", ())) == ()
    assert flashes.take(Actor("p599", ()))
