"""An import into a running server: rules in force when it returns, and local records served."""

import signal
import time

from tests.foreign.builders import ALLOW, DENY, DENY_REGEX, HOSTS, write_teleporter


def wait_for_address(server, name, address):
    for _ in range(100):
        if server.addresses(name) == [address]:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name}: {server.addresses(name)}")


def test_rules_and_records_are_served(server, tmp_path):
    domains = [(1, DENY, "many.example", 1, None, (0,)), (2, ALLOW, "a.many.example", 1, None, (0,)),
               (3, DENY_REGEX, r"^[ab]\.many\.", 1, None, (0,))]  # fmt: skip
    assert server.addresses("b.many.example") != ["0.0.0.0"]
    path = write_teleporter(tmp_path / "t.zip", domains=domains)
    done = server.cli("import", "pihole", path)
    assert "in force as generation " in done.stdout
    assert "the server reads local.records again" in done.stdout
    for name, is_blocked in [("many", True), ("a.many", False), ("b.many", True), ("c.many", False)]:
        assert (server.addresses(f"{name}.example") == ["0.0.0.0"]) is is_blocked, name
    wait_for_address(server, "nas.lan", "192.0.2.10")
    assert server.addresses("files.lan") == ["192.0.2.10", "nas.lan."]
    assert server.cli("import", "pihole", path).stdout.splitlines()[-1].startswith("nothing to change")


def test_records_outlive_a_restart_and_a_mistake(server, tmp_path):
    path = tmp_path / "hosts"
    path.write_text(HOSTS)
    server.cli("import", "hosts", path)
    wait_for_address(server, "nas.lan", "192.0.2.10")
    records = server.data_dir / "local.records"
    good = records.read_text()
    records.write_text(good + "nonsense\n")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for(r"config\.refused .*local\.records: line \d+: record")
    assert server.addresses("nas.lan") == ["192.0.2.10"]
    done = server.cli("config", "check", check=False)
    assert done.returncode == 2
    assert "local.records: line " in done.stderr
    records.write_text(good.replace("192.0.2.10", "192.0.2.20"))
    server.process.send_signal(signal.SIGHUP)
    wait_for_address(server, "nas.lan", "192.0.2.20")
