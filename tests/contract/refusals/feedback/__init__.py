"""What the feedback service refuses."""
