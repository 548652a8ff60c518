"""A rollout under way: its traffic, its watch, and its end."""
