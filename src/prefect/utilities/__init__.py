"""Import paths that existing code uses; the code lives elsewhere."""
