"""What is decided by vote: secret ballots."""
