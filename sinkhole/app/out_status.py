"""Tell how receivers stand, and send a test to one: from any process, whether or not a server runs."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sinkhole.app.out_senders import dead_letters_of, open_senders
from sinkhole.app.out_streams import samples
from sinkhole.app.state import State
from sinkhole.config.out_schema import OutSettings, What
from sinkhole.config.schema import Settings
from sinkhole.errors import OutError
from sinkhole.out.json_format import VERSION
from sinkhole.out.target import format_of
from sinkhole.out.webhook import Webhook
from sinkhole.store.out_store import Cursor, OutStore


@dataclass(frozen=True, slots=True)
class Receiver:
    """How a receiver stands with one kind of event; `waiting` counts what is left out for it too.

    `dead_octets` is the size of its dead-letter file. `cursor` is None before a server was started with it.
    """

    name: str
    kind: str
    target: str
    what: What
    form: str
    cursor: Cursor | None
    waiting: int
    dead_octets: int


def receivers(state: State) -> list[Receiver]:
    """Return the receivers of the settings, each once for each kind of event."""
    store = OutStore(state.store)
    cursors = {(one.receiver, one.what): one for one in store.cursors()}
    found = []
    for out in state.settings.out:
        dead = dead_letters_of(out, state.folder)
        for what in dict.fromkeys(out.what):
            cursor = cursors.get((out.name, what))
            waiting = 0 if cursor is None else store.behind(cursor)
            form = {"dnstap": "dnstap", "mail": "mail"}.get(out.kind, format_of(out))
            octets = 0 if dead is None else dead.octets
            found.append(Receiver(out.name, out.kind, shown_target(out), what, form, cursor, waiting, octets))
    return found


def shown_target(out: OutSettings) -> str:
    """Return the target as it may be shown: paths and queries of webhooks often are secrets."""
    if out.kind != "webhook":
        return out.target or "-"
    url = urlsplit(out.target)
    host = url.hostname or "?"
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{f':{url.port}' if url.port else ''}/…"


def receiver_of(settings: Settings, name: str) -> OutSettings:
    """Return a receiver by its name.

    Raises:
        OutError: there is none; it names those that there are.
    """
    for out in settings.out:
        if out.name == name:
            return out
    known = ", ".join(out.name for out in settings.out)
    raise OutError(
        f"there is no receiver {name!r} in the settings; " + (f"there are: {known}" if known else "add [[out]]")
    )


def told_of_test(out: OutSettings, number: int) -> str:
    """Return in a sentence what is known after so many events were sent: not every receiver says that it took them."""
    what, target = "1 event" if number == 1 else f"{number} events", shown_target(out)
    match out.kind:
        case "file":
            return f"{target}: {what} written"
        case "stdout":
            return f"{what} written to standard output"
        case "webhook":
            return f"{target} took {what}"
        case "mail":
            return f"the mail server took {what} for {target}; whether a mail arrives, it does not say"
        case "syslog" if target.startswith("udp:"):
            return f"{what} sent to {target}; UDP does not tell whether anything arrives, so look there"
        case "syslog":
            return f"{what} sent to {target}, which let us connect; syslog does not acknowledge, so look there"
        case _:
            return f"{what} sent to {target}, which speaks dnstap; it does not acknowledge, so look there"


async def send_test(settings: Settings, out: OutSettings, whats: Sequence[What]) -> int:
    """Send an event of each kind that says that it is a test; return how many.

    Raises:
        OutError: the receiver did not take them.
    """
    now = int(time.time())
    events = samples([what for what in whats if what != "reports"], now)
    is_report = "reports" in whats
    async with open_senders(settings) as make:
        sender = make(out)
        try:
            if events:
                await sender.send(events)
            if is_report and isinstance(sender, Webhook):
                text = "This is a test; nothing was counted."
                await sender.send_text("report-test", json.dumps({"v": VERSION, "event": "report", "text": text}))
        finally:
            await sender.close()
    return len(events) + is_report
