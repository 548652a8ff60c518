"""What only the emulators can show; see `tests/conftest.py` for how they are started."""
