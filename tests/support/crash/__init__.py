"""Stories that are played and ended at every moment."""
