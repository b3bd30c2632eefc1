"""One event a file: what is done when another service says that something happened."""
