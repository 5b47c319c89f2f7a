"""Families of tasks; every module offers `documents(rng)`."""
