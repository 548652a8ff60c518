"""The GitHub issue of an incident: published, updated, and commanded from."""
