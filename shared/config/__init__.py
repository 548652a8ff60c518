"""`provenfix.yaml` and the environment: read, validated, frozen."""
