"""Chat, issues and platforms of one machine, in place of Slack, GitHub and Cloud Run."""
