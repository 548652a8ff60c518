"""The whole of provenfix on one machine: emulators or SQLite, one process per function, and a relay between them."""
