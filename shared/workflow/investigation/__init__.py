"""What an incident stands on: its log, its repository, what the platform says."""
