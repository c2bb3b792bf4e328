"""The services. None imports another: they meet in protos and events."""
