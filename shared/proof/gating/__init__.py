"""What a commit must pass before it is proposed for deployment."""
