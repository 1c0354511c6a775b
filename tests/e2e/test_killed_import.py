"""An import that was killed is undone by the server itself: at its start, before anybody imports again."""

import subprocess

from sinkhole.app.import_cleanup import JOURNAL
from tests.e2e.conftest import UpstreamThread
from tests.e2e.running import COMMAND, clean_environment, running, sinkhole
from tests.e2e.stored import wait_until
from tests.fakes import FakeUpstream, answers

KILLED = (
    "import os, sys\n"
    "import sinkhole.app.import_apply as module\n"
    "from sinkhole.__main__ import main\n"
    "module.store_policy = lambda *_: os.kill(os.getpid(), 9)\n"
    "main(sys.argv[1:])\n"
)


def test_server_undoes_an_import_that_was_killed(tmp_path):
    data, hosts = tmp_path / "data", tmp_path / "hosts"
    hosts.write_text("192.0.2.55 nas.example\n")
    sinkhole("groups", "list", data_dir=data)
    records = data / "local.records"
    records.write_text("old.example A 192.0.2.1\n")
    words = [COMMAND[0], "-c", KILLED, "import", "hosts", str(hosts), "--data-dir", str(data)]
    assert subprocess.run(words, env=clean_environment(), check=False).returncode == -9
    assert "nas.example" in records.read_text()
    assert (data / JOURNAL).exists()
    with UpstreamThread(FakeUpstream(answers({}))) as fake, running(data, upstream=fake.port) as server:
        server.wait_for(r"import\.undone")
        assert records.read_text() == "old.example A 192.0.2.1\n"
        assert wait_until(lambda: server.addresses("nas.example") == [])
        assert server.addresses("old.example") == ["192.0.2.1"]
        assert not (data / JOURNAL).exists()
