"""What is suggested is public; by whom is nobody's business here."""

from chassis.impersonal import is_personal
from services.ballots.domain import Refused


def check_impersonal(content: str) -> None:
    """Raises Refused CONTACT_REFUSED."""
    if is_personal(content):
        raise Refused("CONTACT_REFUSED")
