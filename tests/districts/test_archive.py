"""The archive: what any program can read, and whether it is as it was written."""

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chassis.moving.archive import Archive, ArchiveUnsuitable, Contents, ServiceContents, TableContents, Writer, writing

ROWS = ['{"district":"500102","name":"涪陵"}', '{"district":"500102","name":"a\\nb"}']
FILE = "registry/unit.jsonl"
UNIT = TableContents(table="unit", file=FILE, rows=2, columns={"district": "text", "name": "text"}, key=["name"])
CONTENTS = Contents(
    district="500102",
    exported_at="2026-01-31T08:00:00+00:00",
    release="0.1.0",
    left_out=["outbox"],
    services={"registry": ServiceContents(revision="0001", tables=[UNIT])},
)


async def lines() -> AsyncIterator[str]:
    for row in ROWS:
        yield row


@pytest.fixture
async def archive(tmp_path: Path) -> Path:
    path = tmp_path / "district.zip"
    with writing(path) as made:
        assert await made.lines(FILE, lines()) == len(ROWS)
        made.finish(CONTENTS)
    return path


def test_is_read_as_it_was_written(archive: Path) -> None:
    with Archive.reading(archive) as found:
        assert (found.contents, list(found.lines(FILE))) == (CONTENTS, ROWS)
        listed = zipfile.ZipFile(archive).read("SHA256SUMS")
        assert found.fingerprint == hashlib.sha256(listed).hexdigest()


def test_is_read_without_the_platform(archive: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(archive).extractall(tmp_path / "out")
    checked = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", check=False)
    assert checked.returncode == 0
    first, _ = (tmp_path / "out" / FILE).read_text().splitlines()
    assert json.loads(first)["name"] == "涪陵"


def test_is_never_overwritten(archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(FileExistsError), writing(archive):
        pytest.fail("an archive that is there was opened")
    assert archive.read_bytes() == before


def test_is_never_left_half(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), writing(tmp_path / "half.zip") as made:
        half(made)
    assert list(tmp_path.iterdir()) == []


def half(made: Writer) -> None:
    made.text("registry/unit.jsonl", "half a")
    raise RuntimeError


def changed(change: Callable[[dict[str, bytes]], object], *, sums: bool) -> Callable[[Path], None]:
    """Writes it again with a change; `sums`: with checksums that fit it, as a careful forger would."""

    def apply(path: Path) -> None:
        with zipfile.ZipFile(path) as found:
            files = {name: found.read(name) for name in found.namelist()}
        change(files)
        if sums:
            del files["SHA256SUMS"]
            listed = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()]
            files["SHA256SUMS"] = "".join(listed).encode()
        with zipfile.ZipFile(path, "w") as again:
            for name, content in files.items():
                again.writestr(name, content)

    return apply


def manifest(**facts: object) -> Callable[[dict[str, bytes]], object]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | facts).encode()

    return change


UNSUITABLE: dict[str, Callable[[Path], object]] = {
    "a row was changed": changed(lambda files: files.update({FILE: files[FILE].replace(b"a", b"b")}), sums=False),
    "the manifest was changed": changed(manifest(district="500103"), sums=False),
    "a file is missing": changed(lambda files: files.pop(FILE), sums=False),
    "a file was added": changed(lambda files: files.update({"registry/more.jsonl": b""}), sums=False),
    "a file was added, with its checksum": changed(lambda files: files.update({"more.jsonl": b""}), sums=True),
    "there are no checksums": changed(lambda files: files.pop("SHA256SUMS"), sums=False),
    "there is no manifest": changed(lambda files: files.pop("manifest.json"), sums=True),
    "of another format": changed(manifest(format="other"), sums=True),
    "of a later version": changed(manifest(version=2), sums=True),
    "a manifest without services": changed(manifest(services=None), sums=True),
    "of no district": changed(manifest(district="../etc"), sums=True),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "no archive": lambda path: path.write_text("区县"),
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("how", UNSUITABLE)
def test_what_is_not_as_it_was_written_is_refused(archive: Path, tmp_path: Path, how: str) -> None:
    path = tmp_path / "changed.zip"
    shutil.copy(archive, path)
    UNSUITABLE[how](path)
    with pytest.raises(ArchiveUnsuitable), Archive.reading(path):
        pytest.fail("it was taken for whole")
