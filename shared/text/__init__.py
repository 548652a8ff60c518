"""Texts of any kind: redacted, escaped for a target, formatted, put into phrases. No domain knowledge."""
