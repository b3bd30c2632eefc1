"""One use case a file: what a caller may change."""
