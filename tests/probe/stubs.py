"""Compiles the protos of the tests' own services, and makes them importable beside the platform's packages."""

import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from protos import generate

PROTOS = Path(__file__).parent / "protos"


@cache
def compiled(name: str = "probe") -> tuple[ModuleType, ModuleType]:
    """The modules `<name>_pb2` and `<name>_pb2_grpc` of `quanyutong.<name>.v1`. Compiled once a process."""
    with tempfile.TemporaryDirectory(prefix="qyt-probe-") as folder:
        target = Path(folder)
        rules = target / "rules.binpb"
        generate.write_field_rules(rules)
        found = [f"-I{PROTOS}", f"-I{generate.ROOT}", *generate.THIRD_PARTY, f"--descriptor_set_in={rules}"]
        source = f"quanyutong/{name}/v1/{name}.proto"
        generate.run(*found, f"--python_out={target}", f"--grpc_python_out={target}", source)
        sys.path.append(str(target))
        try:
            module = f"quanyutong.{name}.v1.{name}_pb2"
            return import_module(module), import_module(f"{module}_grpc")
        finally:
            sys.path.remove(str(target))
