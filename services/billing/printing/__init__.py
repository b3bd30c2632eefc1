"""Estimates and statements on paper: the only place of billing where a name is seen, and nothing of it is kept."""
