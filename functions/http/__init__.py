"""What all deployed functions share: deliveries, answers, structured logs, tracing, and the context of one process."""
