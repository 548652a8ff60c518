"""Every fake, harness and builder of the tests; no test is imported by another one."""
