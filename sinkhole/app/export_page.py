"""The page of an export: what there is, how large it is, and how to verify it. No script, no style from elsewhere."""

from collections.abc import Iterator
from html import escape
from typing import Any

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Catalogue of Sinkhole, version {version}</title>
<style>
body {{ font: 1em/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
td, th {{ text-align: left; padding: 0 1em 0 0; vertical-align: top }}
td.n {{ text-align: right }}
code {{ overflow-wrap: anywhere }}
</style>
<h1>Catalogue of Sinkhole</h1>
<p>Version {version} of {published}. <a href="{path}">{path}</a> ({octets} octets) is the whole catalogue;
<a href="catalogue.schema.json">catalogue.schema.json</a> is its schema, <a href="index.json">index.json</a> this page
for programs.</p>
"""
_SIGNED = """<p>It is signed in <a href="{path}.minisig">{path}.minisig</a>, with the key <code>{key}</code>.
Compare the key with one that you have from somewhere else than this host, then:</p>
<pre>minisign -Vm {path} -P {key}</pre>
"""
_UNSIGNED = "<p>It was exported without a signature.</p>\n"
_TABLE = """<p>Each list says in its head what its format cannot carry.</p>
<table>
<tr><th>list<th>hosts<th>opt-in, left out<th>files, with their octets
"""


def index_page(index: dict[str, Any]) -> str:
    """Return the page, given what `index.json` says."""
    return "".join(_pieces(index))


def _pieces(index: dict[str, Any]) -> Iterator[str]:
    document = index["catalogue"]
    yield _HEAD.format(version=index["version"], published=index["published"], **_plain(document))
    yield _SIGNED.format(key=index["key"], **_plain(document)) if index["key"] else _UNSIGNED
    yield _TABLE
    for found in index["lists"]:
        files = " ".join(
            f'<a href="{escape(file["path"])}">{escape(name)}</a>&nbsp;({file["octets"]})'
            for name, file in found["files"].items()
        )
        numbers = f'<td class="n">{found["hosts"]}<td class="n">{found["opt_in"]}'
        yield f'<tr id="{escape(found["list"])}"><td>{escape(found["title"])}{numbers}<td>{files}\n'
    yield "</table>\n</html>\n"


def _plain(document: dict[str, Any]) -> dict[str, str]:
    return {key: escape(str(document[key])) for key in ("path", "octets")}
