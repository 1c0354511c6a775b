"""Write batches of 100 rows until killed; print the number of each once it is stored."""

import sys
from itertools import count
from pathlib import Path

from sinkhole.policy.hit import HitRow
from sinkhole.store.database import open_store
from sinkhole.store.recorder import HitBatch, Recorder


def main(path: Path) -> None:
    """Run."""
    recorder = Recorder(open_store(path), str)
    for seq in count(1):
        rows = tuple(
            HitRow(
                seq,
                "192.0.2.1",
                None,
                f"n{seq}-{n}.example.org",
                1,
                "block",
                "v",
                "p",
                None,
                "ai",
                1,
                60 * seq,
                60 * seq,
            )
            for n in range(100)
        )
        recorder.write(HitBatch("writer", seq, rows))
        print(seq, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
