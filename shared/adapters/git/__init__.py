"""The history port on a git repository of this machine, which is never trusted."""
