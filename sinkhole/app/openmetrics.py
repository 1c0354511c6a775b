"""Write figures as OpenMetrics 1.0 text, which Prometheus reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Family:
    """Figures of one name, which differ by their labels; of a counter the samples end in `_total`."""

    name: str
    kind: Literal["counter", "gauge", "info"]
    help: str
    samples: Sequence[Sample]


def exposition(families: Iterable[Family]) -> str:
    """Return the text; a family without samples is left out."""
    lines: list[str] = []
    for family in families:
        if not family.samples:
            continue
        lines += (f"# HELP {family.name} {_escape(family.help)}", f"# TYPE {family.name} {family.kind}")
        suffix = {"counter": "_total", "info": "_info", "gauge": ""}[family.kind]
        lines += (f"{family.name}{suffix}{_labels(labels)} {_number(value)}" for labels, value in family.samples)
    return "\n".join([*lines, "# EOF\n"])


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escape(value)}"' for key, value in labels.items()) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
