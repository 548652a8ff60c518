"""Browser, storm, chaos and wheel for the tests of the whole stack."""
