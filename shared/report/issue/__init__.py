"""The sections of a report's GitHub issue, and its title and body."""
