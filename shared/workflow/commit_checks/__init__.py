"""Checks of commits before a user meets what they break."""
