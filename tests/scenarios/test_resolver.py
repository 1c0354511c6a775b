"""Run the files of `resolver/`: questions to a chain with a scripted upstream, step by step.

A file has `title`, `rfc` (the section it shows), `requirements`, `settings` (tables of the configuration), `policy`
(statements), `upstream` (answers by question: `answer`, `authority`, `additional`, `rcode`, `flags`, `fails`) and
steps. A step may let time pass (`advance`), change `upstream` and `policy`, and ask (`ask`, with `do`, `cd`, `ad`);
what it expects is `rcode`, `answer`, `authority`, `ede`, `flags`, and the questions that reach the upstream (`sent`).
"""

import tomllib
from pathlib import Path
from typing import Any

import dns.flags
import dns.rcode
import pytest

from tests.resolver.world import World, ede_of, lines_of, vendor

FILES = sorted((Path(__file__).parent / "resolver").glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_scenario(path: Path) -> None:
    scenario = tomllib.loads(path.read_text())
    assert scenario["rfc"].startswith(("RFC ", "draft-"))
    vendors = [vendor(name, *domains) for name, domains in scenario.get("vendors", {}).items()]
    world = World(policy=scenario.get("policy", ()), vendors=vendors, **scenario.get("settings", {}))
    say(world, scenario.get("upstream", {}))
    for number, step in enumerate(scenario["step"], 1):
        await run(world, step, f"{path.name}, step {number}")
    await world.chain.close()


def say(world: World, upstream: dict[str, dict[str, Any]]) -> None:
    for question, script in upstream.items():
        if script.get("fails"):
            world.upstream.fail(question)
        else:
            rest = {key: value for key, value in script.items() if key != "answer"}
            world.upstream.say(question, *script.get("answer", ()), **rest)


async def run(world: World, step: dict[str, Any], where: str) -> None:
    world.clock.advance(step.get("advance", 0))
    say(world, step.get("upstream", {}))
    if "policy" in step:
        world.swap(*step["policy"])
    before = len(world.upstream.asked)
    reply = await world.ask(step["ask"], **{flag: step.get(flag, False) for flag in ("do", "cd", "ad")})
    await world.refreshed()
    assert dns.rcode.to_text(reply.rcode()) == step.get("rcode", "NOERROR"), where
    for section in ("answer", "authority"):
        if section in step:
            found = lines_of(getattr(reply, section))
            assert len(found) == len(step[section]), f"{where}: {found}"
            for line, wanted in zip(found, step[section], strict=True):
                assert line.startswith(wanted), where
    if "ede" in step:
        assert ede_of(reply) == step["ede"], where
    for flag in step.get("flags", "").split():
        is_wanted = not flag.startswith("-")
        assert bool(reply.flags & dns.flags.from_text(flag.lstrip("-"))) is is_wanted, f"{where}: {flag}"
    if "sent" in step:
        assert world.upstream.asked[before:] == step["sent"], where
