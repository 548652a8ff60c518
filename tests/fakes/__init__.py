"""One fake for each port, with state and memory like the real thing: shared by all tests, and never a mock."""
