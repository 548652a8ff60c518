"""The webhook by which those who are on call are alerted."""
