"""Work by the machine's clock."""
