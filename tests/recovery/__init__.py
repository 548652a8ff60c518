"""A process that dies at any moment: what it began is finished once."""
