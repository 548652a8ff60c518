"""The whole flow on one machine, with real processes."""
