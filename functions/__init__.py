"""Entry points: each verifies, parses, calls one step, answers."""
