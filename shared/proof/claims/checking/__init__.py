"""What a type checker adds to the verdicts on claims: values of the wrong type, and a second opinion on all others."""
