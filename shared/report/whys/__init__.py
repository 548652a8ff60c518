"""The whys of an incident: questions, answers, and the evidence that each cites."""
