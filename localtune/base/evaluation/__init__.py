"""Held-out figures of the base and of models tuned from it, over every task of the course, and sweeps of the defaults."""
