"""Policy as a file: taken away as one, and put in force from one after a look at what that changes."""

from aiohttp import web

from sinkhole.app.policy_changes import stored_policy
from sinkhole.app.policy_file import text_of
from sinkhole.app.state import State
from sinkhole.web.actor import Actor
from sinkhole.web.api.policy_file import PlanShown, PolicyFileBody, apply_policy_file, plan_policy_file
from sinkhole.web.pages.change import Done, Guard, Refused, body_of, change, version_of
from sinkhole.web.pages.look import Outlook, look
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of

_SHOWN = 500
"""Changes that are shown."""


def file_page(state: State) -> View:
    """Offer the policy as a file, and take one."""
    return _page(state, "", None, None)


def download(state: State) -> web.Response:
    """Return the policy as a file."""
    headers = {"Content-Disposition": 'attachment; filename="policy.toml"'}
    return web.Response(text=text_of(stored_policy(state)), content_type="application/toml", headers=headers)


async def apply_file(request: web.Request, actor: Actor) -> web.Response:
    """Look at what a file would change, or make the policy what it says."""
    form = await form_of(request, "text", "do", "version", "file")
    text = form["text"].replace("\r\n", "\n")

    def again(state: State, refused: Refused) -> View:
        return _page(state, text, refused, None)

    def ahead(state: State) -> View:
        return _page(state, text, None, plan_policy_file(state, body_of(PolicyFileBody, {"text": text}), actor))

    def work(state: State) -> Done:
        notes: list[str] = []
        planned = apply_policy_file(state, body_of(PolicyFileBody, {"text": text}), actor, notes)
        count = len(planned.changes)
        if not count:
            return Done("/policy/file", "Nothing was to be changed.")
        return Done("/policy", f"{'1 change was' if count == 1 else f'{count} changes were'} made.", tuple(notes))

    if form["do"] != "save":
        return await look(request, ahead, again)
    return await change(request, work, again, Guard(form["version"], stored_policy))


def _page(state: State, text: str, refused: Refused | None, planned: PlanShown | None) -> View:
    now = stored_policy(state)
    return View("policy_file.html", {
        "text": text, "refused": refused, "planned": planned, "guard": version_of(now),
        "changes": [one.said for one in planned.changes[:_SHOWN]] if planned else [],
        "outlook": Outlook.of(planned.impact) if planned else None,
        "broken": planned.broken if planned else [],
        "counts": {kind: len(now.items(kind)) for kind in ("groups", "statements", "exceptions", "expectations")},
    })  # fmt: skip
