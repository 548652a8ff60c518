"""Type checkers as second witnesses of what a traceback claims."""
