"""Store, queue and logs of one machine, each in one SQLite file."""
