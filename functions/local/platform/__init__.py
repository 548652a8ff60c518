"""A small Cloud Run for one machine: revisions as processes, a stable port in front, logs as Cloud Run writes them."""
