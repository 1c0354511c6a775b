"""A fake upstream in a thread of its own: the tests here are not asynchronous, the servers are other processes."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Server, sinkhole
from tests.e2e.scripted import Scripted
from tests.fakes import FakeUpstream, answers

TRUE_ADDRESS = "192.0.2.80"
NAMES = {
    ("example.org", "A"): [TRUE_ADDRESS],
    ("chat.deepseek.com", "A"): [TRUE_ADDRESS],
    ("api.openai.com", "A"): [TRUE_ADDRESS],
    ("api.mistral.ai", "A"): [TRUE_ADDRESS],
    ("api.githubcopilot.com", "A"): [TRUE_ADDRESS],
}


class UpstreamThread:
    """Runs a `FakeUpstream` on an event loop of its own."""

    def __init__(self, fake: FakeUpstream) -> None:
        self.fake = fake
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
            self._started.set()
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        async with self.fake:
            self._started.set()
            await self._end.wait()

    def __enter__(self) -> FakeUpstream:
        """Start it and wait until it listens."""
        self._thread.start()
        assert self._started.wait(20)
        if self._failure is not None:
            raise self._failure
        return self.fake

    def __exit__(self, *_: object) -> None:
        """End its loop."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """An upstream that knows `NAMES` and any name below `many.example`."""
    with UpstreamThread(FakeUpstream(answers(NAMES))) as fake:
        yield fake


@pytest.fixture(scope="session")
def filled(tmp_path_factory) -> Path:
    """A data folder as the first command leaves it: to make the store and compile takes a start more than the rest."""
    folder = tmp_path_factory.mktemp("filled") / "data"
    sinkhole("check", "example.org", data_dir=folder)
    return folder


@pytest.fixture
def server(tmp_path, upstream, filled) -> Iterator[Server]:
    """A ready server on the data folder of an installation that has just been made."""
    found = Server(shutil.copytree(filled, tmp_path / "data"), upstream=upstream.port)
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def world() -> Iterator[Scripted]:
    """An upstream for a whole file, whose answers each test writes for names of its own."""
    with UpstreamThread(Scripted()) as fake:
        yield fake


@pytest.fixture(scope="module")
def product(request, tmp_path_factory, world, filled) -> Iterator[Server]:
    """As `server`, for a whole file, on `world`; with the file's `CONFIG` and `WORDS` if it has them."""
    folder = tmp_path_factory.mktemp("product")
    config = folder / "sinkhole.toml"
    config.write_text(getattr(request.module, "CONFIG", ""))
    words = getattr(request.module, "WORDS", ())
    data = shutil.copytree(filled, folder / "data")
    found = Server(data, "--config", config, *words, upstream=world.port)
    found.start()
    yield found
    found.stop()
