"""The refusals of the registry, by resource."""
