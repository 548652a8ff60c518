"""What a source says without being run: its scopes, its statements, the conditions that are decided before it runs."""
