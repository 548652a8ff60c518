"""What a commit must pass before anybody is asked to deploy it."""
