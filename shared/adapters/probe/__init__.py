"""Clients of a watched service: a service in, whether it works for a client out."""
