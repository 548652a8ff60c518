"""Log files of any shape as log entries."""
