"""What a call costs, against floors measured in the same run."""
