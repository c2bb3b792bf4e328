"""The tally: a whole service that counts the registry's events. What it does to its counters is not idempotent."""
