"""Slack: requests that come from it are verified and read here."""
