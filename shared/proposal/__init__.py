"""What approvers are asked and what follows from it: the question, the click, the rollout and its verdict, as values."""
