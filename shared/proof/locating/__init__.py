"""The deployed version of a failing file: where it was, and in which commit."""
