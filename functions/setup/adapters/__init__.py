"""What the steps of a setup ask of the outside: programs, the terminal, Slack, GitHub's registration of an App."""
