"""Send the report by mail: as plain text, and as the page that `sinkhole report -o` writes."""

from collections.abc import Sequence

from sinkhole.app.scheduled_report import Report
from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.out_schema import MailSettings
from sinkhole.evidence.as_html import to_html
from sinkhole.out.mail import send_mail
from sinkhole.store.alert_store import AlertStore

_KIND = "report"


class MailCourier:
    """Brings reports to some addresses.

    Args:
        mail: the mail server.
        to: addresses.
        every: how often; how far they have come is remembered for each.
        keeper: opens the store.
    """

    def __init__(self, mail: MailSettings, to: Sequence[str], every: str, keeper: StoreKeeper) -> None:
        self._mail = mail
        self._to = tuple(to)
        self._every = every
        self._keeper = keeper

    @property
    def name(self) -> str:
        """How many they are: addresses are not for the log."""
        return "1 address" if len(self._to) == 1 else f"{len(self._to)} addresses"

    async def last(self) -> int | None:
        """Return how far they have come."""
        return await self._keeper.do(lambda state: AlertStore(state.store).remembered(_KIND).get(self._every))

    async def remember(self, until: int, *, is_sent: bool) -> None:
        """Note how far they have come."""

        def work(state: State) -> None:
            AlertStore(state.store).remember(_KIND, {self._every: until})

        await self._keeper.do(work)

    async def note_failure(self, why: str) -> None:
        """Have nothing to note: the log has it."""

    async def bring(self, report: Report) -> None:
        """Send a report; raises OutError."""
        await send_mail(self._mail, self._to, f"Sinkhole: {report.title}", report.text, to_html(report.evidence))
