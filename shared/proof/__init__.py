"""The engine: what is deployed, which commit broke it, which ones tried, which one fixes it, what to deploy."""
