"""One file for each step of the flow: read the stored incident, call ports, store what follows."""
