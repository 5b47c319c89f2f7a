"""Graders: what a model's answer is worth, by rules or by asking a model. Nothing of a grader is ever executed."""
