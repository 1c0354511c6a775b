"""A bar chart as SVG: of itself, legible on light and dark pages, and told in words to those who do not see it."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_BAR = 13
_GAP = 22
_LEFT = 150
_WIDTH = 720
_STYLE = """
    .page { fill: #ffffff; } text { fill: #1f2328; font: 12px system-ui, sans-serif; }
    .head { font-weight: 600; } .bar { fill: #8c959f; } .ours { fill: #0969da; } .limit { fill: #d0d7de; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; } text { fill: #e6edf3; }
      .bar { fill: #6e7681; } .ours { fill: #4493f8; } .limit { fill: #3d444d; }
    }
"""


def bars(groups: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Return the chart.

    Args:
        groups: by heading, servers with thousands of answers a second.
    """
    most = max((value for rows in groups.values() for _, value in rows), default=1.0)
    drawn: list[str] = []
    at = 30
    for head, rows in groups.items():
        drawn.append(f'<text class="head" x="8" y="{at}">{escape(head)}</text>')
        at += 8
        for name, value in rows:
            drawn.append(_bar(name, value, value / most, at))
            at += _BAR + 3
        at += _GAP
    title = "Answers a second by workload, in thousands"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {at}"
  role="img" aria-labelledby="title desc">
  <title id="title">{title}</title>
  <desc id="desc">{escape(_words(groups))}</desc>
  <style>{_STYLE}  </style>
  <rect class="page" width="{_WIDTH}" height="{at}"/>
  {chr(10).join(drawn)}
</svg>
"""


def _bar(name: str, value: float, share: float, at: int) -> str:
    kind = "ours" if name.startswith("sinkhole") else "limit" if name.startswith("reflector") else "bar"
    width = max(1, round(share * (_WIDTH - _LEFT - 60)))
    below = at + _BAR - 2
    return (
        f'<text x="{_LEFT - 8}" y="{below}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{_LEFT}" y="{at}" width="{width}" height="{_BAR}"/>'
        f'<text x="{_LEFT + width + 5}" y="{below}">{value:.0f}</text>'
    )


def _words(groups: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    return " ".join(
        f"{head}: {', '.join(f'{name} {value:.0f}' for name, value in rows)}." for head, rows in groups.items()
    )
