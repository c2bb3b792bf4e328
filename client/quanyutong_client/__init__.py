"""The client of Quanyutong's secret votes, and everything about them that can be computed without a server.

`Voter` takes a paper and casts a ballot; `verify` checks a published board. docs/voting-protocol.md has every byte.
"""

from quanyutong_client.board import Board
from quanyutong_client.encoding import Malformed
from quanyutong_client.findings import Finding, Found
from quanyutong_client.receipt import Receipt
from quanyutong_client.terms import Option, Question, Terms
from quanyutong_client.verification import Report, verify
from quanyutong_client.voter import Box, Desk, Voter

__all__ = [
    "Board",
    "Box",
    "Desk",
    "Finding",
    "Found",
    "Malformed",
    "Option",
    "Question",
    "Receipt",
    "Report",
    "Terms",
    "Voter",
    "verify",
]
