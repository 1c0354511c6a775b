"""What is compiled for a benchmark, once a run, with gcc: the reflector, which is the authority too, and the load."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


def compiler() -> str | None:
    """Return where the compiler is, if there is one."""
    return shutil.which("gcc") or shutil.which("cc")


@cache
def compiled(name: str) -> Path | None:
    """Return the program made of `name`.c, or None where nothing can be compiled."""
    if (gcc := compiler()) is None:
        return None
    folder = tempfile.mkdtemp(prefix="sinkhole-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, program = FOLDER / f"{name}.c", Path(folder) / name
    done = subprocess.run([gcc, "-O2", "-o", program, source, "-lm"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{source.name} does not compile here: {done.stderr.strip()}", file=sys.stderr)
        return None
    return program


def authority(port: int) -> list[str]:
    """Return the command of the authority that all forward to: in C, or the one in Python, which is slower."""
    program = compiled("reflector")
    if program is None:
        return [sys.executable, "-m", "bench.authority", str(port)]
    return [str(program), str(port), "answer"]
