"""The small part of a generation of policy, as a file beside the compiled names; and how one is published."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sinkhole.errors import PolicyError
from sinkhole.policy.basis import Basis
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import ClientGroups
from sinkhole.policy.image import NameIndex
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.reviews import NO_REVIEWS, Reviews
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.standing import Statements
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode

DOCUMENT_NAME = "policy.json"
PREVIOUS_NAME = "policy.previous.json"
_FORMAT = 1
_FORMAT_WITH_SCHEDULES = 2
"""Written only where a statement has a schedule: a program that knows no schedules then refuses the document, and does
not let the statement hold at all times."""
_FORMAT_WITH_OVERRIDES = 3
"""Written only where there are any: a program that knows none would be without a lockdown."""


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """Statements, groups, blocked answer and overrides of a generation; `image` is the file of its compiled names.

    `suffixes` are domains of the network's own, below which nothing imitates anybody. `reviews` are empty unless a
    statement on `unreviewed` asks for them.
    """

    generation: int
    image: str
    statements: tuple[Statement, ...]
    groups: tuple[Group, ...]
    answer: BlockAnswer
    overrides: tuple[Override, ...] = ()
    suffixes: tuple[str, ...] = ()
    reviews: Reviews = NO_REVIEWS

    def to_json(self) -> str:
        """Return the document as text that `from_json` reads."""
        fields = {
            "format": self._format,
            "generation": self.generation,
            "image": self.image,
            "statements": [_statement_to_json(statement) for statement in self.statements],
            "groups": [_group_to_json(group) for group in self.groups],
            "answer": _answer_to_json(self.answer),
            "suffixes": self.suffixes,
        }
        if self.reviews != NO_REVIEWS:
            fields["reviews"] = self.reviews.to_json()
        if self.overrides:
            fields["overrides"] = [_override_to_json(override) for override in self.overrides]
        return json.dumps(fields, indent=1) + "\n"

    @property
    def _format(self) -> int:
        """The least format that an older program does not misread."""
        if self.overrides:
            return _FORMAT_WITH_OVERRIDES
        has_schedules = any(statement.schedule is not None for statement in self.statements)
        return _FORMAT_WITH_SCHEDULES if has_schedules else _FORMAT

    def policy(self, index: NameIndex) -> Policy:
        """Return the policy over its compiled names."""
        return Policy(
            index, self.statements, self.groups, self.answer, self.generation,
            overrides=self.overrides, suffixes=self.suffixes, reviews=self.reviews,
        )  # fmt: skip

    @classmethod
    def from_json(cls, text: str | bytes) -> "PolicyDocument":
        """Read what `to_json` wrote.

        Raises:
            PolicyError: it is something else.
        """
        try:
            fields = json.loads(text)
            if fields["format"] not in (_FORMAT, _FORMAT_WITH_SCHEDULES, _FORMAT_WITH_OVERRIDES):
                wanted = f"wanted a format from {_FORMAT} to {_FORMAT_WITH_OVERRIDES}"
                raise PolicyError(f"policy document: {wanted}; found {fields['format']!r}")
            return cls(
                generation=int(fields["generation"]),
                image=_file_name(fields["image"]),
                statements=tuple(map(_statement_from_json, fields["statements"])),
                groups=tuple(map(_group_from_json, fields["groups"])),
                answer=_answer_from_json(fields["answer"]),
                overrides=tuple(map(_override_from_json, fields.get("overrides", ()))),
                suffixes=tuple(fields.get("suffixes", ())),
                reviews=Reviews.from_json(fields["reviews"]) if "reviews" in fields else NO_REVIEWS,
            )
        except (ValueError, TypeError, KeyError) as error:
            raise PolicyError(f"policy document: {type(error).__name__}: {error}") from error


def load_document(folder: Path) -> PolicyDocument:
    """Read the document published in `folder`.

    Raises:
        PolicyError: there is none, or it cannot be read.
    """
    try:
        return PolicyDocument.from_json((folder / DOCUMENT_NAME).read_bytes())
    except OSError as error:
        raise PolicyError(f"{folder / DOCUMENT_NAME}: cannot be read: {error.strerror}") from error


def load_policy(folder: Path, *, verify: bool = False) -> Policy:
    """Load the policy published in `folder`; `verify` also compares the digest of the compiled names.

    Raises:
        PolicyError: it is absent or damaged.
    """
    document = load_document(folder)
    index = NameIndex.open(folder / document.image, verify=verify)
    return document.policy(index)


def publish(folder: Path, document: PolicyDocument) -> None:
    """Put a document in force, in one step that a crash cannot halve; the one before is kept beside it.

    Raises:
        PolicyError: its statements, groups, overrides or image cannot be used; what was published stays.
        OSError: the folder cannot be written.
    """
    ClientGroups(document.groups)
    Statements(document.statements, document.overrides)
    if not (folder / document.image).is_file():
        raise PolicyError(f"{folder / document.image}: there are no such compiled names")
    current = folder / DOCUMENT_NAME
    if current.exists():
        _write(folder / PREVIOUS_NAME, current.read_bytes())
    _write(current, document.to_json().encode())


def restore_previous(folder: Path) -> bool:
    """Put the document before the published one in its place, if it can be used; return whether it can.

    Raises:
        PolicyError: the folder cannot be written.
    """
    try:
        data = (folder / PREVIOUS_NAME).read_bytes()
        NameIndex.open(folder / PolicyDocument.from_json(data).image, verify=True)
    except (OSError, PolicyError):
        return False
    try:
        _write(folder / DOCUMENT_NAME, data)
    except OSError as error:
        raise PolicyError(f"{folder / DOCUMENT_NAME}: cannot be written: {error.strerror}") from error
    return True


def prune(folder: Path) -> None:
    """Remove compiled names that neither the published document nor the one before it uses, and broken drafts."""
    used = set()
    for name in (DOCUMENT_NAME, PREVIOUS_NAME):
        try:
            used.add(PolicyDocument.from_json((folder / name).read_bytes()).image)
        except (OSError, PolicyError):
            continue
    if used:
        for path in folder.glob("names-*"):
            if path.name not in used:
                path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _file_name(text: str) -> str:
    if Path(text).name != text:
        raise ValueError(f"image is a file name; found {text!r}")
    return text


def _statement_to_json(statement: Statement) -> dict[str, Any]:
    expires = statement.expires
    fields: dict[str, Any] = {
        "id": statement.id,
        "subject": str(statement.subject),
        "action": str(statement.action),
        "group": statement.group,
        "reason": statement.reason,
        "owner": statement.owner,
        "ticket": statement.ticket,
        "expires": None if expires is None else expires.isoformat(),
    }
    if statement.schedule is not None:
        fields["schedule"] = str(statement.schedule)
    if statement.basis is not None:
        fields["basis"] = statement.basis.value
    return fields


def _statement_from_json(fields: dict[str, Any]) -> Statement:
    expires, schedule, basis = fields["expires"], fields.get("schedule"), fields.get("basis")
    return Statement(
        id=int(fields["id"]),
        subject=Subject.from_text(fields["subject"]),
        action=Action.from_text(fields["action"]),
        group=fields["group"],
        reason=fields["reason"],
        owner=fields["owner"],
        ticket=fields["ticket"],
        expires=None if expires is None else datetime.fromisoformat(expires),
        schedule=None if schedule is None else schedule_from_text(schedule),
        basis=None if basis is None else Basis(basis),
    )


def _group_to_json(group: Group) -> dict[str, Any]:
    answer = None if group.answer is None else _answer_to_json(group.answer)
    return {"name": group.name, "members": group.members, "order": group.order, "answer": answer}


def _group_from_json(fields: dict[str, Any]) -> Group:
    answer = None if fields["answer"] is None else _answer_from_json(fields["answer"])
    return Group(fields["name"], tuple(fields["members"]), int(fields["order"]), answer)


def _answer_to_json(answer: BlockAnswer) -> dict[str, Any]:
    return asdict(answer) | {"mode": answer.mode.value}


def _answer_from_json(fields: dict[str, Any]) -> BlockAnswer:
    return BlockAnswer(**(fields | {"mode": BlockMode(fields["mode"])}))


def _override_to_json(override: Override) -> dict[str, Any]:
    begins = override.begins
    return {
        "kind": override.kind.value,
        "id": override.id,
        "subjects": [str(subject) for subject in override.subjects],
        "ends": override.ends.isoformat(),
        "begins": None if begins is None else begins.isoformat(),
        "client": override.client,
        "group": override.group,
        "reason": override.reason,
        "owner": override.owner,
    }


def _override_from_json(fields: dict[str, Any]) -> Override:
    begins = fields["begins"]
    return Override(
        kind=OverrideKind(fields["kind"]),
        id=int(fields["id"]),
        subjects=tuple(map(Subject.from_text, fields["subjects"])),
        ends=datetime.fromisoformat(fields["ends"]),
        begins=None if begins is None else datetime.fromisoformat(begins),
        client=fields["client"],
        group=fields["group"],
        reason=fields["reason"],
        owner=fields["owner"],
    )
