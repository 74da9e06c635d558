"""A module a lesson: the cases, right answers and named mistakes of its exercises."""
