"""The first page: how the server stands."""

from sinkhole.app.state import State
from sinkhole.web.api.status import status
from sinkhole.web.context import Context
from sinkhole.web.pages.route import View


def home(state: State, context: Context) -> View:
    """Show how the server stands."""
    return View("home.html", {"status": status(state, context)})
