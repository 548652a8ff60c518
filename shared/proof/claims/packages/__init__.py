"""Which distributions an image installs, and which modules they provide."""
