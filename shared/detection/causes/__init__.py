"""What kind of cause a failure has: its class, who owns it, the remedy, and the evidence for that."""
