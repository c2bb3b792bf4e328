"""Keeps what a vote must not lose: small files, each written once and never changed.

A file is there whole or not at all, and what is there stays: whoever comes second, after a crash or at the same moment,
finds the first one's. The folder needs hard links, as the usual file systems of Linux, macOS and Windows have them.
"""

import os
import secrets
from pathlib import Path
from typing import Final

DRAFT: Final = ".draft"
# Windows would otherwise write two bytes for a line feed.
BINARY: Final = getattr(os, "O_BINARY", 0)


class Keeper:
    """The files of one vote: of one delegate, in one poll."""

    def __init__(self, folder: Path) -> None:
        """Removes what a crash left half-written: nothing was ever sent on the strength of it. What it left whole is on
        the disk before anybody relies on it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        for draft in folder.glob(f".*{DRAFT}"):
            draft.unlink(missing_ok=True)
        _settle(folder.parent)
        _settle(folder)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, name: str, content: bytes) -> bytes:
        """Writes the file, unless it is there. Returns what is there now, and only once it is on the disk."""
        draft = self._folder / f".{name}.{secrets.token_hex(8)}{DRAFT}"
        _write(draft, content)
        try:
            os.link(draft, self._folder / name)
        except FileExistsError:
            content = (self._folder / name).read_bytes()
        draft.unlink(missing_ok=True)
        _settle(self._folder)
        return content


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """The folder's entries are on the disk too. Windows does that by itself and cannot open a folder."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
