"""Faults that an operator can act on."""


class OperatorFault(Exception):
    """Something outside the code must be put right; the text says what, in one line. `qyt` shows it and ends with 1."""
