"""Results: how they are kept and found again."""
