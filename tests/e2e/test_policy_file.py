"""Policy as a file on a running server: in force when the command returns, and the gate of the server for feeds."""

import re

from tests.cli.lists import ListThread
from tests.e2e.conftest import TRUE_ADDRESS

POLICY = """
[[groups]]
name = "here"
members = ["127.0.0.1"]

[[statements]]
subject = "ai"
action = "block"

[[statements]]
subject = "mistral"
action = "allow"
group = "here"

[[expectations]]
client = "127.0.0.1"
name = "api.mistral.ai"
expect = "allow"
by = "vendor:mistral"
"""


def test_file_is_in_force_when_apply_returns_and_is_held_to(server, tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    assert server.addresses("api.mistral.ai") == ["0.0.0.0"]
    done = server.cli("policy", "apply", path, "--yes")
    assert "changes made: in force as generation " in done.stdout
    assert server.addresses("api.mistral.ai") == [TRUE_ADDRESS]
    assert server.cli("policy", "apply", path, "--yes").stdout == "nothing to change\n"
    refused = server.cli("policy", "block", "mistral", "--group", "here", check=False)
    assert refused.returncode == 2
    assert "breaks the expectation api.mistral.ai A for client 127.0.0.1" in refused.stderr
    assert server.addresses("api.mistral.ai") == [TRUE_ADDRESS]


def test_feed_that_breaks_an_expectation_is_held_by_the_server(server, tmp_path):
    """R-F06."""
    path = tmp_path / "policy.toml"
    with ListThread() as lists:
        lists.server.serve(b"ai1.example.org\nai2.example.org\n")
        server.cli("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private")
        server.cli("sync", "ours")
        path.write_text(
            server.cli("policy", "export").stdout + '[[expectations]]\nname = "example.org"\nexpect = "allow"\n'
        )
        server.cli("policy", "apply", path, "--yes")
        lists.server.serve(b"ai1.example.org\nai2.example.org\nexample.org\n")
        done = server.cli("sync", "ours", check=False)
    assert done.returncode == 1
    # Which version it is depends on whether the server itself was faster with the first.
    assert re.search(r"feed ours: version \d is held back: it breaks the expectation example.org A", done.stderr)
    assert server.addresses("example.org") == [TRUE_ADDRESS]
    assert server.addresses("ai1.example.org") == ["0.0.0.0"]
    server.wait_for(r"feed\.refused feed=ours")
