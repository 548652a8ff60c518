"""Failures beyond syntax as claims about the code, and what can be said of each claim at one commit."""
