"""Fails when the protos break those of another commit: a field removed, a number reused, a type changed.

python -m protos.breaking COMMIT
"""

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from protos.generate import ROOT, write_field_rules, write_image


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def main(commit: str) -> int:
    try:
        archive = git("archive", commit, "quanyutong") if commit else b""
    except subprocess.CalledProcessError:
        archive = b""
    if not archive:
        print("protos/breaking.py: no protos to compare with yet")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder / "protos", filter="data")
        write_field_rules(folder / "rules.binpb")
        write_image(folder / "protos", folder / "rules.binpb", folder / "old.binpb")
        new = str(ROOT / "gen" / "image.binpb")
        checked = ["buf", "breaking", new, "--against", str(folder / "old.binpb"), "--config", str(ROOT / "buf.yaml")]
        return subprocess.run(checked, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
