"""The page that says what each category means, and what others call it."""

from collections.abc import Mapping

from sinkhole.catalogue.schema import CategoryEntry

_HEAD = """# Categories

Made by `sinkhole catalogue taxonomy > docs/taxonomy.md` from `blocklists/categories.toml`. A product has one category
or more, and policy may name them: `sinkhole policy block category:companion`. The last three columns say into which
category of Cloudflare Gateway, Cisco Umbrella and the UT1 blacklists such a host falls, for whoever comes from there:
where they have one category for all of AI, this catalogue has a choice. The assignment is ours, from the names they
publish.

| category | name | what it means | Cloudflare | Umbrella | UT1 |
|---|---|---|---|---|---|
"""


def taxonomy_page(categories: Mapping[str, CategoryEntry]) -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(_row(key, entry) for key, entry in sorted(categories.items()))


def _row(key: str, entry: CategoryEntry) -> str:
    others = (", ".join(names) or "-" for names in (entry.cloudflare, entry.umbrella, entry.ut1))
    return f"| `{key}` | {entry.name} | {entry.meaning} | {' | '.join(others)} |\n"
