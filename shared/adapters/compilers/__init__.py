"""What decides whether a source compiles: real interpreters first, ruff where none can be had."""
