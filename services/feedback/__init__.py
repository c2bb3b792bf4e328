"""What residents and delegates say is heard, answered and judged."""
