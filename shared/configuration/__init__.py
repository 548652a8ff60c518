"""`provenfix.yaml`: a file comes in, the watched services and the references to secrets go out, validated."""
