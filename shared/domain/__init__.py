"""Frozen values and pure functions, one file per station of the flow; no input or output anywhere below."""
