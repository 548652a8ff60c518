"""The product without its entry points: domain, ports, steps and adapters; nothing here imports `functions`."""
