"""The polling staff (票务) of a fresh district: what a test needs before and around a vote."""

from tests.meetings.secretariat import Secretariat


class Polling(Secretariat):
    """Calls all services, as clerk, examiner and administrator at once."""
