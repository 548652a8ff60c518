"""Neighbours that live on this machine: git repositories and log files."""
