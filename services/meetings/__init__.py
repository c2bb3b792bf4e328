"""Who may speak for whom: districts and units, assemblies and terms, persons and mandates."""
