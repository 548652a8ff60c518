"""What Slack itself publishes, and a stand-in for it that nobody here wrote."""
