"""Suspected changes for an exception that nothing can prove: what touched the lines and functions of its traceback."""
