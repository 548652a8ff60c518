"""What an incident is based on: its log, its repository, what the platform says."""
