"""Signatures of build statements: documents of a registry in, statements with their signer out."""
