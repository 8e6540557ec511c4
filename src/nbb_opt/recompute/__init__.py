"""A plan worked out again from tables: what verifier and emissions ledger both use; shares nothing with the builder."""
