"""The deployed version of a failing file: where it lay, and in which commit."""
