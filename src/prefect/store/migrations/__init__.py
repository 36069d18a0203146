"""Migrations of the schema, for both databases; `prefect.store.migrate` runs them."""
