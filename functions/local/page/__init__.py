"""The web page of one machine's stack: what the store knows of each incident, drawn; and the buttons that decide."""
