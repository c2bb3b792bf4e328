"""Where an attachment may be, without any input or output."""

import unicodedata
from urllib.parse import urlsplit

from services.meetings.domain import Refused


def check_link(link: str) -> None:
    """An https address without credentials, or a path in the district's store. Raises Refused LINK_REFUSED."""
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Zs") for letter in link) or "\\" in link:
        raise Refused("LINK_REFUSED")
    if not (_is_path(link) if link.startswith("/") else _is_address(link)):
        raise Refused("LINK_REFUSED")


def _is_path(link: str) -> bool:
    """Of real steps alone: a path that begins with `//` is another host, and one with `..` leaves the store."""
    return all(step not in ("", ".", "..") for step in link[1:].split("/"))


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
        # Asked for since it is only looked at when it is read.
        sound = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and sound
