"""What kind of cause a failure has: its class, who owns it, what would mend it, and the evidence for that."""
