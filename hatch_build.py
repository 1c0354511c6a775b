"""Compiles the query path with mypyc while a wheel is built, where `SINKHOLE_COMPILE` asks for it (decision 31)."""

import os
import re
import runpy
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "SINKHOLE_COMPILE"
LEVELS = {"": None, "release": "2", "debug": "0"}
"""What the variable may say, and how much the C compiler optimises then."""
_LENIENT = ("--no-warn-unused-ignores", "--no-warn-redundant-casts")
"""What is for whoever writes the code; on another Python it would stop an installation for nothing."""


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts compiled modules beside their sources into the wheel.

    In `pyproject.toml` it finds the modules, and what types and C are made with.
    """

    def dependencies(self) -> list[str]:
        """Return what the compilation needs: the types of whatever the modules import are part of it, as locked."""
        return [] if _level() is None else [*_locked(Path(self.root)), *self.config["compile-with"]]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before files are collected."""
        level = _level()
        if level is None:
            return
        if version == "editable":
            raise SystemExit(f"{VARIABLE}: an editable installation runs its sources; install without -e")
        self._folder = tempfile.TemporaryDirectory(prefix="sinkhole-compile-")
        built = _compile(Path(self.root), Path(self._folder.name), self.config["modules"], level)
        build_data["force_include"].update({str(path): name for path, name in built})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only needed on the way."""
        if _level() is not None:
            self._folder.cleanup()


def _level() -> str | None:
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in LEVELS:
        raise SystemExit(f"{VARIABLE}: wanted {' or '.join(filter(None, LEVELS))}; found {wanted!r}")
    return LEVELS[wanted]


def _locked(root: Path) -> list[str]:
    return re.findall(r"(?m)^\S+==\S+", (root / "requirements.lock").read_text())


def _compile(root: Path, folder: Path, modules: Sequence[str], level: str) -> Iterator[tuple[Path, str]]:
    """Yield the shared objects, and their names in the wheel."""
    # Here, since nothing of it is there unless it was asked for.
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import Distribution  # noqa: PLC0415

    lib = folder / "lib"
    with chdir(root):  # names of modules follow from paths
        extensions = mypycify(
            ["--config-file", "pyproject.toml", "--cache-dir", str(folder / "types"), *_LENIENT, *modules],
            opt_level=level, debug_level="0", group_name="sinkhole", target_dir=str(folder / "c"), multi_file=True,
        )  # fmt: skip
        if sys.platform == "linux":
            extensions.append(_linked(root, folder))
        command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(lib), str(folder / "objects")
        command.ensure_finalized()
        command.run()
    for path in sorted(lib.rglob("*.so")):
        yield path, str(path.relative_to(lib))


def _linked(root: Path, folder: Path) -> Any:
    """Return the extension that has the system calls linked in (decision 39)."""
    calls = runpy.run_path(str(root / "sinkhole/upstream/calls.py"))
    ffi, text = calls["declared"](), calls["DECLARED"]
    ffi.set_source(calls["LINKED"], f"#include <stdint.h>\n#include <sys/types.h>\n{text}")
    return ffi.distutils_extension(str(folder / "calls"))
