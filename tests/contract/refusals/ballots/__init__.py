"""What the ballots service refuses."""
