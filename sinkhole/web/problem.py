"""What is wrong with a request, as problem details (RFC 9457), and which error of ours is which status."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sinkhole.app.apply import NoAnswerError
from sinkhole.app.expectations import BrokenExpectationError
from sinkhole.errors import SinkholeError, StoreError
from sinkhole.web.work import BusyError, TookLongError

CONTENT_TYPE = "application/problem+json"
_TITLES = {
    400: "Not understood", 401: "Not logged in", 403: "Not permitted", 404: "Not found", 405: "Method not allowed",
    406: "Not acceptable", 409: "Conflict", 411: "Length required", 412: "Changed meanwhile",
    413: "Too large", 415: "Wrong media type", 421: "Wrong host", 422: "Refused", 429: "Too many attempts",
    500: "Failed", 503: "Not now",
}  # fmt: skip


class Mistake(BaseModel):
    """One thing that is wrong, and where."""

    model_config = ConfigDict(extra="forbid")

    where: str = Field(description="Place, such as body.subject or query.limit.")
    said: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("about:blank", description="Always about:blank: the status says what kind of problem it is.")
    title: str
    status: int
    detail: str
    errors: list[Mistake] = []


class RequestError(SinkholeError):
    """A request cannot be served; `status` says how it ends."""

    def __init__(
        self, status: int, detail: str, errors: Sequence[Mistake] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = list(errors)
        self.headers = headers or {}


def problem_of(error: SinkholeError, refusal: int = 422) -> tuple[Problem, dict[str, str]]:
    """Return what an error of ours is as a problem, and headers to send with it.

    Args:
        refusal: status of what policy, a feed, a name or an account refuses.
    """
    headers: dict[str, str] = {}
    mistakes: list[Mistake] = []
    match error:
        case RequestError():
            status, headers, mistakes = error.status, error.headers, error.errors
        case BusyError() | TookLongError() | NoAnswerError() | StoreError():
            status, headers = 503, {"Retry-After": "5"}
        case BrokenExpectationError():
            status = 409
        case _:
            status = refusal
    return problem(status, str(error), mistakes), headers


def problem(status: int, detail: str, errors: Sequence[Mistake] = ()) -> Problem:
    """Return a problem."""
    return Problem(title=_TITLES.get(status, "Failed"), status=status, detail=detail, errors=list(errors))


def invalid(part: str, error: ValidationError) -> RequestError:
    """Return what a model says of a part (`body`, `query`, `path`) of a request."""
    mistakes = [
        Mistake(where=".".join([part, *map(str, detail["loc"])]), said=detail["msg"])
        for detail in error.errors(include_input=False, include_url=False, include_context=False)[:20]
    ]
    first = mistakes[0]
    return RequestError(400, f"{first.where}: {first.said}", mistakes)


def not_found(what: str) -> RequestError:
    """Return that something is not there."""
    return RequestError(404, f"there is no {what}")
