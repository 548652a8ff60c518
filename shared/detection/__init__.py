"""From a log entry to an incident: tracebacks, close codes, signals, grouping, and what is tied to them."""
