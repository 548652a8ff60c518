"""What is stored about incidents, questions, decisions and the kill switch, and how it is read and changed."""
