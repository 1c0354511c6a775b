"""`sinkhole discover`: names of this network's own traffic that look like AI, and what people say of them."""

from dataclasses import asdict
from typing import Any

import click

from sinkhole.app.discovery import Wanted, candidate_of
from sinkhole.app.discovery import accept as accept_candidate
from sinkhole.app.discovery import ignore as ignore_candidate
from sinkhole.app.discovery import reopen as reopen_candidate
from sinkhole.app.subjects import nearest
from sinkhole.catalogue.search import Owners
from sinkhole.cli.complete import complete_candidate, complete_category, complete_product, complete_vendor
from sinkhole.cli.options import Place, force_option, json_option, place_options
from sinkhole.cli.output import local_time, print_json, print_line, print_table, printable, utc_time
from sinkhole.cli.session import opened, put_in_force
from sinkhole.config.schema import is_queue_kept
from sinkhole.store.candidates import Candidate, CandidateState

_ANY = "all"
_STATES = [*(state.value for state in CandidateState), _ANY]


@click.group()
def discover() -> None:
    """Review names that look like AI, are in no catalogue, and were answered in this network.

    They wait until someone accepts them, as a vendor's, or ignores them. Nothing is blocked meanwhile unless policy
    says so: sinkhole policy block unreviewed.
    """


@discover.command("list", short_help="List the names that wait for review.")
@place_options
@click.option("--state", type=click.Choice(_STATES), default=_STATES[0], show_default=True, help="What people said.")
@click.option("--min-count", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Only those that were answered so often.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_candidates(place: Place, state: str, min_count: int, as_json: bool) -> None:
    """List names that look like AI, those with the most answers first.

    Answers that a packet cache gave are not counted: the number tells how much a name is used, not how often.

    \b
    Example: sinkhole discover list --min-count 10
    """
    with opened(place) as opened_state:
        wanted = None if state == _ANY else CandidateState(state)
        found = opened_state.candidates.all(wanted, min_count)
        clients = opened_state.candidates.client_counts()
        in_force = opened_state.catalogue()
    owners = Owners(in_force.catalogue)
    if as_json:
        print_json([_as_dict(one, owners.of(one.domain), clients.get(one.domain)) for one in found])
        return
    rows = [
        (one.domain, one.state, one.count, clients.get(one.domain), local_time(one.first), local_time(one.last),
         _why(one, owners.of(one.domain)))
        for one in found
    ]  # fmt: skip
    which = "" if wanted is None else f"{wanted} "
    header = ("domain", "state", "answers", "clients", "first", "last", "why")
    is_kept = is_queue_kept(opened_state.settings)
    why = "" if is_kept else "; none is counted: see discover.enabled and record.queries"
    print_table(header, rows, empty=f"no {which}names that look like AI{why}")
    for said in (*in_force.local.faults, *in_force.local.superseded):
        click.echo(f"sinkhole: {printable(said)}", err=True)


@discover.command(short_help="Show all that is known of DOMAIN.")
@place_options
@click.argument("domain", shell_complete=complete_candidate)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(place: Place, domain: str, as_json: bool) -> None:
    """Show why DOMAIN looks like AI, which host names were asked for, how often, and what was said of it.

    \b
    Example: sinkhole discover show novel-gpt.ai
    """
    with opened(place) as state:
        found = candidate_of(state, domain)
        owner = Owners(state.catalogue().catalogue).of(found.domain)
        clients = state.candidates.clients(found.domain)
        keeps_clients = state.settings.discover.clients
    if as_json:
        print_json(_as_dict(found, owner, len(clients)) | {"clients": clients})
        return
    print_line(found.domain)
    rows = [("state", _state_in_words(found, owner)), *(("why", reason) for reason in found.reasons)]
    rows += [("asked for", name) for name in found.examples]
    times = f"first {local_time(found.first)}, last {local_time(found.last)}"
    rows.append(("answers", f"{found.count} without those of a packet cache; {times}"))
    if clients:
        rows.append(("clients", f"{len(clients)}: {', '.join(clients)}"))
    elif not keeps_clients:
        rows.append(("clients", "are not kept (discover.clients)"))
    for label, text in rows:
        print_line(f"  {label:<9} {text}")


@discover.command(short_help="Let DOMAIN be one of a vendor, in a local vendor file.")
@place_options
@json_option
@click.argument("domain", shell_complete=complete_candidate)
@click.option("--vendor", metavar="ID", shell_complete=complete_vendor,
              help="Vendor of the catalogue, or id of a new one; made of DOMAIN if untold.")  # fmt: skip
@click.option("--product", metavar="SLUG", shell_complete=complete_product,
              help="Product of the vendor, or slug of a new one; the category if untold.")  # fmt: skip
@click.option("--category", metavar="ID", shell_complete=complete_category,
              help="Category of a new product (sinkhole catalogue taxonomy); chat if untold.")  # fmt: skip
@force_option
def accept(
    place: Place, domain: str, vendor: str | None, product: str | None, category: str | None, force: bool
) -> None:
    """Let DOMAIN, and all below it, be one of a vendor: from then on policy treats it as such.

    A vendor file is written into `vendors` of the data folder, or added to. It joins the catalogue, can be edited, and
    is checked like the catalogue's own.

    \b
    Example: sinkhole discover accept novel-gpt.ai --category writing
    """
    with opened(place) as state:
        known = tuple(state.catalogue().catalogue.by_id)
        accepted = accept_candidate(state, domain, Wanted(vendor, product, category), force=force)
        if vendor is not None and vendor not in known:
            click.echo(f"sinkhole: {vendor} is a new vendor{nearest(vendor, known)}", err=True)
        put_in_force(state, f"accepted {accepted.candidate.domain} into {accepted.candidate.product}")
        if accepted.file is None:
            print_line("the catalogue has it by now, so no file was written")
        else:
            print_line(f"what is known of it can be added to {accepted.file}")


@discover.command(short_help="Let DOMAIN be no candidate any more.")
@place_options
@json_option
@click.argument("domain", shell_complete=complete_candidate)
@click.option("--reason", help="Why; shown by `discover show` and in the audit log.")
@force_option
def ignore(place: Place, domain: str, reason: str | None, force: bool) -> None:
    """Let DOMAIN, and all below it, be no candidate any more; `policy block unreviewed` never reaches it.

    \b
    Example: sinkhole discover ignore hyundai-ai.example --reason "a car maker"
    """
    with opened(place) as state:
        ignored = ignore_candidate(state, domain, reason, force=force)
        put_in_force(state, f"ignored {ignored.domain}")


@discover.command(short_help="Let DOMAIN wait for review again.")
@place_options
@json_option
@click.argument("domain", shell_complete=complete_candidate)
@force_option
def reopen(place: Place, domain: str, force: bool) -> None:
    """Let DOMAIN wait for review again, and take it out of its local vendor file.

    \b
    Example: sinkhole discover reopen novel-gpt.ai
    """
    with opened(place) as state:
        reopened = reopen_candidate(state, domain, force=force)
        put_in_force(state, f"{reopened.domain} waits for review again")


def _why(candidate: Candidate, owner: str | None) -> str:
    if candidate.state is CandidateState.IGNORED:
        return candidate.note or "no reason given"
    if candidate.state is CandidateState.ACCEPTED or owner is not None:
        return _state_in_words(candidate, owner)
    return "; ".join(candidate.reasons)


def _state_in_words(candidate: Candidate, owner: str | None) -> str:
    match candidate.state:
        case CandidateState.NEW:
            return "waits for review" if owner is None else f"in the catalogue by now, as one of {owner}"
        case CandidateState.ACCEPTED:
            missing = "" if owner is not None else "; no vendor file in force has it any more"
            return f"accepted into {candidate.product}{missing}"
        case CandidateState.IGNORED:
            return f"ignored: {candidate.note or 'no reason given'}"


def _as_dict(candidate: Candidate, owner: str | None, clients: int | None) -> dict[str, Any]:
    times = {"first": utc_time(candidate.first), "last": utc_time(candidate.last)}
    return asdict(candidate) | times | {"known_as": owner, "clients": clients}
