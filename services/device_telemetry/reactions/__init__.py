"""What other services' events change here: copies of sessions and orders."""
