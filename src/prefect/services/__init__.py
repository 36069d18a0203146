"""What a server does unasked: loops over a store, each of which is safe beside others of its kind."""
