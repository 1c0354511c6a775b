"""What a statement would have to reach and cannot, since DNS does not tell it apart from something else."""

from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.vendor import Product, Vendor

_NAMED = 5
"""Products that are named; the rest is counted."""


def gap_of(subject: Subject, catalogue: Catalogue) -> str | None:
    """Return in one sentence what of a subject DNS cannot reach, or None where there is nothing of that kind."""
    hidden = [p for vendor in catalogue.vendors for p in vendor.products if not p.separable and _is(subject, vendor, p)]
    if not hidden:
        return None
    if subject.kind is SubjectKind.PRODUCT:
        return f"DNS cannot tell {hidden[0].name} apart, so this reaches no name. {hidden[0].note}"
    more = f" and {len(hidden) - _NAMED} more" if len(hidden) > _NAMED else ""
    return f"not covered, since DNS cannot tell it apart: {', '.join(p.name for p in hidden[:_NAMED])}{more}"


def _is(subject: Subject, vendor: Vendor, product: Product) -> bool:
    match subject.kind:
        case SubjectKind.PRODUCT:
            return product.id == subject.value
        case SubjectKind.VENDOR:
            return vendor.id == subject.value
        case SubjectKind.MODELS:
            return subject.value in (vendor.id, *product.serves)
        case SubjectKind.CATEGORY:
            return subject.value in product.categories
        case SubjectKind.JURISDICTION:
            return vendor.jurisdiction.value == subject.value
        case _:
            return False
