"""Makes everything that follows from the protos, offline.

Into `protos/gen`, which git ignores:

* the Python modules and their type stubs, as packages `quanyutong` and `buf`;
* `image.binpb`, a descriptor set with comments, for lint and breaking checks.

`--check` makes them elsewhere and fails when `protos/gen` differs.
`--image PROTOS OUT` makes only the image, of the protos below another folder.
"""

import argparse
import filecmp
import shutil
import sys
import tempfile
from importlib import import_module, resources
from pathlib import Path

import google.api
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
GENERATED = ROOT / "gen"
FIELD_RULES = "buf/validate/validate.proto"
# Where googleapis-common-protos keeps google/api and google/rpc, and grpcio-tools google/protobuf.
THIRD_PARTY = [
    f"-I{Path(next(iter(google.api.__path__))).parents[1]}",
    f"-I{resources.files('grpc_tools') / '_proto'}",
]


# The plugins of this environment, wherever its caller's PATH points.
PLUGINS = [
    f"--plugin=protoc-gen-{name}={Path(sys.executable).parent / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")
]


def run(*arguments: str) -> None:
    if protoc.main(["protoc", *arguments]) != 0:
        raise SystemExit("protos/generate.py: the protos were refused (see above)")


def write_field_rules(target: Path) -> None:
    """Writes the descriptors of protovalidate's field rules; its wheel carries no .proto file."""
    module = import_module("protovalidate._gen.buf.validate.validate_pb")
    rules = descriptor_pb2.FileDescriptorProto.FromString(module.desc().proto.to_binary())
    files = descriptor_pb2.FileDescriptorSet()
    for name in rules.dependency:
        import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        descriptor_pool.Default().FindFileByName(name).CopyToProto(files.file.add())
    files.file.append(rules)
    target.write_bytes(files.SerializeToString())


def names(protos: Path) -> list[str]:
    return sorted(str(path.relative_to(protos)) for path in protos.glob("quanyutong/**/*.proto"))


def write_image(protos: Path, rules: Path, target: Path) -> None:
    run(
        f"-I{protos}",
        *THIRD_PARTY,
        f"--descriptor_set_in={rules}",
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={target}",
        *names(protos),
    )


def write_python(protos: Path, rules: Path, target: Path) -> None:
    plain = [FIELD_RULES, *names(protos)]
    served = [name for name in names(protos) if "\nservice " in (protos / name).read_text()]
    shared = [f"-I{protos}", *THIRD_PARTY, f"--descriptor_set_in={rules}"]
    run(*shared, *PLUGINS, f"--python_out={target}", f"--mypy_out=quiet:{target}", *plain)
    run(*shared, *PLUGINS, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet,only_async:{target}", *served)


def generate(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        rules = Path(scratch) / "rules.binpb"
        write_field_rules(rules)
        write_python(ROOT, rules, target)
        write_image(ROOT, rules, target / "image.binpb")


def differences(made: Path, kept: Path) -> list[str]:
    """Files that one tree has and the other has not, or not alike."""

    def files(tree: Path) -> set[str]:
        return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file() and path.suffix != ".pyc"}

    both = files(made) & files(kept)
    changed = {name for name in both if not filecmp.cmp(made / name, kept / name, shallow=False)}
    return sorted((files(made) ^ files(kept)) | changed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail when protos/gen differs")
    parser.add_argument("--image", nargs=2, metavar=("PROTOS", "OUT"), type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "gen"
        if options.image:
            rules = Path(scratch) / "rules.binpb"
            write_field_rules(rules)
            write_image(options.image[0], rules, options.image[1])
        elif options.check:
            generate(fresh)
            if changed := differences(fresh, GENERATED):
                sys.exit(f"protos/gen is not what the protos say (run `make proto`): {', '.join(changed)}")
        else:
            # Made aside and moved, so that a failure leaves the previous result in place.
            generate(fresh)
            shutil.rmtree(GENERATED, ignore_errors=True)
            shutil.copytree(fresh, GENERATED)


if __name__ == "__main__":
    main()
