"""What runs the whole stack on one machine: servers, their supervisor, relays, the page, the platform."""
