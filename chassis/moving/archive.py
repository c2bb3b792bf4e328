"""The archive of a district: a ZIP that any program can read, without the platform.

`manifest.json` says what is in it, `<service>/<table>.jsonl` holds a row a line,
`SHA256SUMS` has a checksum of every other file (`sha256sum -c SHA256SUMS`). The
fingerprint of an archive is the checksum of that list.
"""

import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, Self

from pydantic import BaseModel, Field, ValidationError

from chassis.faults import OperatorFault

MANIFEST, CHECKSUMS, README = "manifest.json", "SHA256SUMS", "README.txt"
CHUNK = 1 << 20
EXPLANATION = """全渝通区县归档 Archive of a district of Quanyutong

manifest.json          区县、时间、各服务的结构版本、各表的列与行数 district, time, schema revisions, columns, counts
<service>/<table>.jsonl  每行一条记录，UTF-8 JSON one row a line, JSON in UTF-8
SHA256SUMS             各文件的校验和 checksums: sha256sum -c SHA256SUMS

类型 Types: bytea 为 \\x 加十六进制 is \\x and hexadecimal digits; timestamptz 为 ISO 8601 (UTC); date 为 YYYY-MM-DD;
uuid, xid8 为字符串 are strings; 空值为 null an absent value is null.
加密的列和区县密钥照原样保存，只有原平台的主密钥能打开。
Encrypted columns and the district's wrapped key are as they were: only the master key of their platform opens them.
含个人信息，请妥善保管。 It holds personal information: keep it safe.
"""


class ArchiveUnsuitable(OperatorFault):
    """A file is not an archive that this release can read, or is not as it was written."""


class TableContents(BaseModel):
    """A table: its columns with their types, its primary key, and how many rows there are."""

    table: str
    file: str
    rows: int
    columns: dict[str, str]
    key: list[str]


class ServiceContents(BaseModel):
    """A service: the revision of its schema, and its tables in the order in which they can be filled."""

    revision: str
    tables: list[TableContents]


class Contents(BaseModel):
    """`manifest.json`."""

    format: Literal["quanyutong-district"] = "quanyutong-district"
    version: Literal[1] = 1
    district: str = Field(pattern="^[0-9]{6}$")
    exported_at: str
    release: str
    left_out: list[str]
    services: dict[str, ServiceContents]


@dataclass
class Writer:
    """An archive in the making. Nothing is at its final place before it is complete."""

    zip: zipfile.ZipFile
    checksums: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""

    async def lines(self, name: str, lines: AsyncIterator[str]) -> int:
        """Adds a file of these lines and returns how many there were."""
        digest, count = hashlib.sha256(), 0
        with self.zip.open(name, "w", force_zip64=True) as file:
            async for line in lines:
                content = f"{line}\n".encode()
                digest.update(content)
                file.write(content)
                count += 1
        self.checksums[name] = digest.hexdigest()
        return count

    def text(self, name: str, content: str) -> None:
        self.zip.writestr(name, content)
        self.checksums[name] = hashlib.sha256(content.encode()).hexdigest()

    def finish(self, contents: Contents) -> None:
        self.text(MANIFEST, contents.model_dump_json(indent=1))
        self.text(README, EXPLANATION)
        listed = "".join(f"{digest}  {name}\n" for name, digest in self.checksums.items())
        self.zip.writestr(CHECKSUMS, listed)
        self.fingerprint = hashlib.sha256(listed.encode()).hexdigest()


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """For this user's eyes alone. Raises FileExistsError: an archive is never overwritten."""
    if path.exists():
        raise FileExistsError(f"{path} is there already")
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield Writer(archive)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


@dataclass(frozen=True)
class Archive:
    """An archive whose every file is as it was written."""

    zip: zipfile.ZipFile
    contents: Contents
    checksums: dict[str, str]
    fingerprint: str

    @property
    def district(self) -> str:
        return self.contents.district

    @classmethod
    @contextmanager
    def reading(cls, path: Path) -> Iterator[Self]:
        """Checks the whole of it first. Raises ArchiveUnsuitable."""
        with path.open("rb") as file:
            try:
                found = cls._checked(zipfile.ZipFile(file))
            except ValidationError as error:
                raise ArchiveUnsuitable(f"{path}: {MANIFEST} is not one that this release reads: {error}") from None
            except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
                raise ArchiveUnsuitable(f"{path} is not an archive of a district: {error}") from None
            yield found

    @classmethod
    def _checked(cls, archive: zipfile.ZipFile) -> Self:
        listed = archive.read(CHECKSUMS)
        checksums = {name: digest for digest, name in (line.split("  ", 1) for line in listed.decode().splitlines())}
        _check_files(archive, checksums)
        contents = Contents.model_validate_json(archive.read(MANIFEST))
        named = {table.file for service in contents.services.values() for table in service.tables}
        if named | {MANIFEST, README} != checksums.keys():
            raise ArchiveUnsuitable("the archive has other files than its manifest names")
        return cls(archive, contents, checksums, hashlib.sha256(listed).hexdigest())

    def lines(self, name: str) -> Iterator[str]:
        with self.zip.open(name) as file, io.TextIOWrapper(file, encoding="utf-8", newline="\n") as text:
            for line in text:
                yield line.rstrip("\n")


def _check_files(archive: zipfile.ZipFile, checksums: dict[str, str]) -> None:
    if sorted(archive.namelist()) != sorted([*checksums, CHECKSUMS]):
        raise ArchiveUnsuitable("the archive has other files than its SHA256SUMS names")
    for name, expected in checksums.items():
        with archive.open(name) as file:
            if _digest(file) != expected:
                raise ArchiveUnsuitable(f"{name} is not as it was written: its checksum differs")


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while content := file.read(CHUNK):
        digest.update(content)
    return digest.hexdigest()
